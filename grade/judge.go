package grade

import (
	"strings"

	"rcvae/internal/boxed"
)

// The verdicts. Ungraded is neither right nor wrong and must not be counted.
const (
	Correct   = "correct"
	Incorrect = "incorrect"
	NoAnswer  = "no_answer" // counts as wrong
	Ungraded  = "ungraded"  // too large, or the gold answer itself cannot be read
)

// Verdict is what [Judge] says of one answer.
type Verdict struct {
	Verdict   string  `json:"verdict"`
	Extracted *string `json:"extracted"` // nil when there is no answer
	Rule      string  `json:"rule"`      // how it was found, see [Extraction]; why not, when ungraded
}

// Judge compares an answer with the gold answer. Both may be whole solutions or bare
// answers. It is an error if the kind is unknown.
func Judge(kind, gold, answer string) (Verdict, error) {
	g, err := byKind(kind)
	if err != nil {
		return Verdict{}, err
	}
	if len(gold) > maxText || len(answer) > maxText {
		return Verdict{Verdict: Ungraded, Rule: "too-large"}, nil
	}
	want, ok := g.form(goldAnswer(gold))
	if !ok {
		return Verdict{Verdict: Ungraded, Rule: "gold-unreadable"}, nil
	}
	found := g.extract(answer)
	if found.Answer == "" {
		return Verdict{Verdict: NoAnswer}, nil
	}
	verdict := Verdict{Verdict: Incorrect, Extracted: &found.Answer, Rule: found.Rule}
	got, ok := g.form(found.Answer)
	switch {
	case !ok && len(found.Answer) > maxAnswer:
		verdict.Verdict, verdict.Rule = Ungraded, "too-large"
	case ok && got == want:
		verdict.Verdict = Correct
	}
	return verdict, nil
}

// goldAnswer returns the answer of a reference solution in the form of GSM8K or
// MATH, and anything else as it is.
func goldAnswer(gold string) string {
	if i := strings.LastIndex(gold, "####"); i >= 0 {
		return strings.TrimSpace(gold[i+4:])
	}
	if content, ok := boxed.Last(gold); ok {
		return content
	}
	return strings.TrimSpace(gold)
}
