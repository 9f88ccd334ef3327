package rcvae

import "encoding/json"

// Problem is one question with its reference solution. Selectors never see it:
// the reference answer cannot leak into a selection.
type Problem struct {
	ID       string // stable across files, for example "gsm8k-test-0017"
	Question string
	Solution string // reference solution; empty when the source has none
	Answer   string // reference final answer
	Subject  string // MATH only, for example "algebra"
	Level    int    // MATH only, 1 to 5; 0 when unknown
	Extra    Extra  // fields of its file that nothing here reads
}

// Candidate is one solution that a language model wrote for a question.
type Candidate struct {
	Text       string   // the whole solution
	Answer     string   // extracted final answer; empty when none was found
	AnswerFrom string   // how Answer was found: "boxed", "phrase", "number", …; empty when unknown
	Model      string   // the model, or model and prompt, that wrote it
	Sampler    string   // "greedy", "top_p", "top_k", …; empty when unknown
	Finish     string   // "stop", "length" (cut at the token limit), …; empty when unknown
	Tokens     int      // generated tokens; 0 when unknown
	LogProb    *LogProb // nil when the source has no log-probabilities

	// Verdict is what training and evaluation learn and measure by. A [Selector] never
	// reads it: changing every verdict changes no selection.
	Verdict Verdict

	Extra Extra // fields of its file that nothing here reads
}

// Extra holds the fields of a JSON object that nothing here reads, so that they
// survive reading and writing a file. It is nil when there are none.
type Extra map[string]json.RawMessage

// LogProb sums up the log-probabilities (nats) of a candidate's tokens under the
// model that wrote it, at temperature 1 and without truncation of the distribution.
type LogProb struct {
	Sum       float64 // over all tokens
	Tail      float64 // mean over the last 64 tokens
	MinWindow float64 // lowest mean of any 64 tokens in a row
}

// Votes reports whether the candidate's answer counts in a vote. A candidate
// without an answer never votes, and neither does one that was cut at the token
// limit before it stated an answer (its "answer" is just the last number written).
func (c Candidate) Votes() bool {
	return c.Answer != "" && (c.Finish != "length" || c.AnswerFrom != "number")
}

// Verdict is the result of grading a candidate against the reference answer.
type Verdict int8

// The verdicts. A candidate without an answer is incorrect; one that could not be
// graded is neither correct nor incorrect, and is excluded and counted.
const (
	Ungraded Verdict = iota
	Incorrect
	Correct
)

// String returns "ungraded", "incorrect" or "correct".
func (v Verdict) String() string {
	switch v {
	case Correct:
		return "correct"
	case Incorrect:
		return "incorrect"
	default:
		return "ungraded"
	}
}
