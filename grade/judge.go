package grade

import "strings"

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
	Rule       string  `json:"rule"`                  // how it was found, see [Extraction]; why not, when ungraded
	GoldForm   string  `json:"gold_form,omitempty"`   // normal form of the gold answer, "=" before a number
	AnswerForm string  `json:"answer_form,omitempty"` // normal form of the answer
	DecidedBy  string  `json:"decided_by,omitempty"`  // the rule of equivalence that decided, see docs/grading.md
	Level      Level   `json:"level,omitempty"`
}

// Judge compares an answer with the gold answer as a new grader of the kind does, see
// [Grader.Judge]. It is an error if the kind is unknown.
func Judge(kind, gold, answer string) (Verdict, error) {
	g, err := New(kind)
	if err != nil {
		return Verdict{}, err
	}
	return g.Judge(gold, answer), nil
}

// Judge compares an answer with the gold answer. Both may be whole solutions or bare
// answers. The gold answer comes first because the two are not treated alike: a gold
// answer that cannot be read is nobody's mistake, it is found by its own rules, and an
// answer x + y = 5 is right where 5 is asked for, but not the other way around.
func (g *Grader) Judge(gold, answer string) Verdict {
	if len(gold) > maxText || len(answer) > maxText {
		return Verdict{Verdict: Ungraded, Rule: "too-large", Level: g.level}
	}
	want := g.remembered(goldAnswer(gold))
	if want.text == "" {
		return Verdict{Verdict: Ungraded, Rule: "gold-unreadable", Level: g.level}
	}
	found := g.extract(answer)
	if found.Answer == "" {
		return Verdict{Verdict: NoAnswer, Level: g.level, GoldForm: want.text}
	}
	got := g.form(found.Answer)
	verdict := Verdict{Verdict: Incorrect, Extracted: &found.Answer, Rule: found.Rule, GoldForm: want.text, AnswerForm: got.text, Level: g.level}
	outcome, rule := g.compare(want, got)
	if side := got.side(); outcome == different && side != nil && want.isValue() {
		if outcome, _ = compareTrees(want, side); outcome == same { // x + y = 5 answers "what is x + y"
			rule = "side"
		}
	}
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

// goldAnswer returns the answer of a reference solution in the form of GSM8K or
// MATH, of a text that says what its answer is, and anything else as it is.
func goldAnswer(gold string) string {
	if i := strings.LastIndex(gold, "####"); i >= 0 {
		return strings.TrimSpace(gold[i+4:])
	}
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
	return stripDelimiters(strings.TrimSpace(gold))
}
