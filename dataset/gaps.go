package dataset

import (
	"fmt"

	"rcvae"
)

// Gaps counts what a pool does not say of its candidates.
type Gaps struct {
	Candidates int
	Ungraded   int // no verdict: left out of every accuracy, but their answers vote
	Missing    int // no answer in the pool
	Extracted  int // of these, an answer was found in the text
	NoTokens   int // no token count: no mean log-probability either
	NoLogProb  int // no log-probabilities
}

// Complete fills in, in place, the answers that the pool does not have, and counts
// what is missing. A candidate in which no answer was found, see [NoAnswer], is
// complete. The function extract finds the final answer of a solution and says how; it
// may be nil, and then nothing is filled in.
func Complete(questions []rcvae.Question, extract func(solution string) (answer, from string)) Gaps {
	var g Gaps
	for _, q := range questions {
		g.Candidates += len(q.Candidates)
		g.Ungraded += q.Count(rcvae.Ungraded)
		for i := range q.Candidates {
			c := &q.Candidates[i]
			if c.Answer == "" && c.AnswerFrom == "" {
				g.Missing++
			}
			if c.Answer == "" && c.AnswerFrom == "" && extract != nil {
				if c.Answer, c.AnswerFrom = extract(c.Text); c.Answer == "" {
					c.AnswerFrom = NoAnswer
				} else {
					g.Extracted++
				}
			}
			if c.Tokens == 0 {
				g.NoTokens++
			}
			if c.LogProb == nil {
				g.NoLogProb++
			}
		}
	}
	return g
}

// Lines says for people what is missing, a sentence each, and what follows from it.
// A pool without any log-probability or token count is nothing to speak of.
func (g Gaps) Lines() []string {
	var lines []string
	add := func(n int, what string) {
		if n > 0 {
			lines = append(lines, fmt.Sprintf("%d of %d candidates have no %s", n, g.Candidates, what))
		}
	}
	add(g.Ungraded, "verdict: their answers vote, but no accuracy counts them")
	add(g.Missing, fmt.Sprintf("answer in the pool: it was found in the text of %d of them, the others do not vote", g.Extracted))
	if g.NoLogProb < g.Candidates {
		add(g.NoLogProb, "log-probabilities")
		add(g.NoTokens, "token count, so their mean log-probability is unknown")
	}
	return lines
}
