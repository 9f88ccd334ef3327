package grade

import (
	"strings"

	"rcvae/grade/internal/algebra"
)

// The verdicts. Ungraded is neither right nor wrong and must not be counted.
const (
	Correct   = "correct"
	Incorrect = "incorrect"
	NoAnswer  = "no_answer" // counts as wrong
	Ungraded  = "ungraded"  // beyond the budget, or the gold answer itself cannot be read
)

// Verdict is what [Grader.Judge] says of one answer.
type Verdict struct {
	Verdict    string  `json:"verdict"`
	Extracted  *string `json:"extracted"`             // nil when there is no answer
	Rule       string  `json:"rule"`                  // where it was found, see [Places]; why not, when ungraded
	GoldForm   string  `json:"gold_form,omitempty"`   // normal form of the gold answer, "=" before a number
	AnswerForm string  `json:"answer_form,omitempty"` // normal form of the answer
	DecidedBy  string  `json:"decided_by,omitempty"`  // the rule of equivalence that decided, see docs/grading.md
	Level      Level   `json:"level,omitempty"`
	Grader     string  `json:"grader,omitempty"` // the kind that judged, where "auto" chose it
}

// Judge compares an answer with the gold answer as a new grader of the name does, see
// [Grader.Judge]. It is an error if the name is unknown.
func Judge(name, gold, answer string) (Verdict, error) {
	g, err := New(name)
	if err != nil {
		return Verdict{}, err
	}
	return g.Judge(gold, answer), nil
}

// Judge compares an answer with the gold answer. Both may be whole solutions or bare
// answers. The gold answer comes first because the two are not treated alike: a gold
// answer that cannot be read is nobody's mistake, it is found by its own rules, and an
// answer x + y = 5 is right where 5 is asked for, but not the other way around. Its
// work is bounded whatever the texts are, see docs/grading.md.
func (g *Grader) Judge(gold, answer string) Verdict {
	if g.kind == "auto" {
		chosen := g.forGold(gold)
		verdict := chosen.Judge(gold, answer)
		verdict.Grader = chosen.kind
		return verdict
	}
	if len(gold) > maxText || len(answer) > maxText {
		return Verdict{Verdict: Ungraded, Rule: "too-large", Level: g.level}
	}
	want := g.remembered(g.goldAnswer(gold))
	if want.text == "" {
		return Verdict{Verdict: Ungraded, Rule: "gold-unreadable", Level: g.level}
	}
	found := g.Extract(answer)
	if found.Answer == "" {
		return Verdict{Verdict: NoAnswer, Level: g.level, GoldForm: want.text}
	}
	got := g.form(found.Answer)
	verdict := Verdict{Verdict: Incorrect, Extracted: &found.Answer, Rule: found.From, GoldForm: want.text, AnswerForm: got.text, Level: g.level}
	outcome, rule := g.decide(want, got)
	verdict.DecidedBy = rule
	switch {
	case len(found.Answer) > maxAnswer:
		verdict.Verdict, verdict.Rule = Ungraded, "too-large"
	case outcome == unknown:
		verdict.Verdict, verdict.Rule = Ungraded, "budget"
	case outcome == same:
		verdict.Verdict = Correct
	}
	return verdict
}

// decide compares an answer with the gold one, which is not symmetric: an equation
// answers for its last side, and a choice for its letter or its text.
func (g *Grader) decide(want, got *form) (sameness, string) {
	limits := algebra.DefaultLimits()
	outcome, rule := g.compare(want, got, limits)
	if outcome != different || g.level == String {
		return outcome, rule
	}
	if side := got.side(); side != nil && want.isValue() && g.level == Symbolic {
		if outcome, _ := compareTrees(want, side, limits); outcome == same { // x + y = 5 answers "what is x + y"
			return same, "side"
		}
	}
	if g.chosen(want, got) {
		return same, "choice"
	}
	return different, rule
}

// chosen compares the answer to a question with choices, (B) 12, by its letter where the
// gold answer is a letter, and by its text otherwise. The letter's case does not matter.
func (g *Grader) chosen(want, got *form) bool {
	label, text := choice(got.answer)
	if label == "" {
		return false
	}
	wanted, rest := choice(want.answer)
	if wanted != "" && (rest == "" || text == "") {
		return wanted == label
	}
	if wanted != "" || text == "" {
		return false
	}
	outcome, _ := g.compare(want, g.form(text), algebra.DefaultLimits())
	return outcome == same
}

var choiceMarks = strings.NewReplacer(`\textbf{`, "", `\text{`, "", `\mathbf{`, "", `\mathrm{`, "", "{", "", "}", "", "$", "", "*", "", `\ `, " ", `\,`, " ", "~", " ")

// choice splits "(B) 12", "B: 12", "B. 12" and "B" into the letter and the text. A small
// letter must be alone.
func choice(answer string) (label, text string) {
	if answer == "" || len(answer) > maxBare || strings.IndexByte("ABCDEFGHIJabcdefghijOo(\\{$* ", answer[0]) < 0 || strings.HasPrefix(answer, `\frac`) {
		return "", ""
	}
	s := strings.TrimRight(strings.TrimSpace(choiceMarks.Replace(answer)), ".")
	for _, word := range [...]string{"option ", "choice "} {
		if len(s) > len(word) && strings.EqualFold(s[:len(word)], word) {
			s = s[len(word):]
		}
	}
	inner, bracket := strings.CutPrefix(s, "(")
	if inner == "" || inner[0]|0x20 < 'a' || inner[0]|0x20 > 'j' {
		return "", ""
	}
	rest := inner[1:]
	label = strings.ToUpper(inner[:1])
	closed := rest != "" && (rest[0] == ')' || !bracket && (rest[0] == ':' || rest[0] == '.'))
	switch {
	case rest == "" && !bracket, closed && len(rest) == 1:
		return label, ""
	case closed && inner[0] < 'a' && (rest[1] == ' ' || rest[0] == ')') && !continues(rest[1:]):
		return label, strings.TrimSpace(rest[1:])
	}
	return "", ""
}

// continues reports whether what stands behind "(B)" is no text of a choice: "(B), 17",
// "(B) or 17", "(B)^2" and "(B)x" are something else than (B).
func continues(s string) bool {
	trimmed := strings.TrimSpace(s)
	for _, joiner := range [...]string{"or ", "and ", `\times`, `\cdot`, `\cup`, `\div`} {
		if strings.HasPrefix(trimmed, joiner) {
			return true
		}
	}
	return trimmed != "" && (strings.Contains(",;^_*/+=<>!", trimmed[:1]) || s == trimmed && isLetter(s[0]))
}

// goldAnswer returns the answer of a reference solution in the form of GSM8K or
// MATH, of a text that says what its answer is, and anything else as it is.
func (g *Grader) goldAnswer(gold string) string {
	if len(gold) > maxText {
		return ""
	}
	if i := strings.LastIndex(gold, "####"); i >= 0 {
		return strings.TrimSpace(gold[i+4:])
	}
	gold = plain(gold)
	if strings.Contains(gold, "box") {
		if content, ok := boxes(gold); ok {
			return content
		}
	}
	if strings.Contains(gold, "nswer") {
		for rest := range phrases(gold) {
			if answer := phraseText(rest); answer != "" {
				return answer
			}
		}
	}
	const words = 4 // that make a solution of a text
	if (strings.Contains(gold, ". ") || strings.Contains(gold, "\n")) && proseWords(gold) >= words {
		return g.Extract(gold).Answer
	}
	return stripDelimiters(strings.TrimSpace(gold))
}
