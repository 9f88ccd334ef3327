package selector

import (
	"fmt"
	"slices"
	"strings"

	"rcvae/signal"
)

// reason says in one sentence why the candidate was chosen.
func (r Rule) reason(e *Evidence, c Choice) string {
	n, who := e.Len(), fmt.Sprintf("candidate %d", c.Best+1)
	switch {
	case r.Aggregate == Random:
		return fmt.Sprintf("%s of %d, drawn at random", who, n)
	case r.Aggregate == First:
		return fmt.Sprintf("the first of %d candidates", n)
	case !r.Votes():
		return fmt.Sprintf("%s of %d: %s", who, n, r.Score.Best)
	case len(c.Weights) == 0 && r.Aggregate == Majority:
		return fmt.Sprintf("none of %d candidates has an answer; the first was taken", n)
	case len(c.Weights) == 0:
		return fmt.Sprintf("none of %d candidates has an answer; %s: %s", n, who, r.Score.Best)
	}
	return c.voteReason(e) + r.scoreReason(c) + c.wrongRival(e)
}

// wrongRival names the first wrong equation of a candidate with another answer, the
// most voted answers first: what signals held against it. It is empty where signals were
// not read or no equation is wrong.
func (c Choice) wrongRival(e *Evidence) string {
	if e.signals == nil {
		return ""
	}
	votes := c.votes()
	order := positions(e.Len())
	slices.SortStableFunc(order, func(i, j int) int { return c.votesFor(votes, j) - c.votesFor(votes, i) })
	for _, i := range order {
		if c.Class[i] == c.Class[c.Best] || !(e.signals[i][wrongColumn] > 0) {
			continue
		}
		for _, q := range signal.Equations(e.candidates[i].Text) {
			if !q.Holds {
				return fmt.Sprintf("; candidate %d says %s, which should be %s", i+1, shorten(strings.Join(strings.Fields(q.Text), " ")), shorten(q.Want))
			}
		}
	}
	return ""
}

// votesFor returns the votes for a candidate's answer.
func (c Choice) votesFor(votes []int, i int) int {
	if c.Class[i] < 0 {
		return 0
	}
	return votes[c.Class[i]]
}

// wrongColumn is the column of signals that counts wrong equations.
var wrongColumn = slices.IndexFunc(signal.Columns(), func(c signal.Column) bool { return c.Name == "wrong" })

// voteReason says how the votes went.
func (c Choice) voteReason(e *Evidence) string {
	votes := c.votes()
	own := votes[c.Class[c.Best]]
	reason := fmt.Sprintf("%d of %d votes for %s", own, e.Len(), shorten(e.candidates[c.Best].Answer))
	if most := slices.Max(votes); most > own {
		reason += fmt.Sprintf(" outweigh the %d for the most frequent answer", most)
	}
	if len(c.Tied) > 1 {
		reason += fmt.Sprintf(", a tie of %d answers; the earliest was taken", len(c.Tied))
	}
	return reason
}

// scoreReason says what the score had to do with the choice. It claims the best score
// only where that is true of the raw values: discounted ones may be in another order.
func (r Rule) scoreReason(c Choice) string {
	if r.Aggregate == Majority {
		return ""
	}
	winners := c.winners()
	if r.Aggregate == Tiebreak && len(winners) > len(c.Tied) {
		if c.bestOf(winners...) {
			return ", a tie broken by the " + r.Score.Best
		}
		return ", a tie broken by scores that were discounted for out-of-distribution texts"
	}
	if c.bestOf(c.Best) {
		return fmt.Sprintf("; candidate %d: %s inside that class", c.Best+1, r.Score.Best)
	}
	return fmt.Sprintf("; candidate %d: the first choice inside that class after scores were discounted for out-of-distribution texts", c.Best+1)
}

// bestOf reports whether no candidate with the answer of one of these has a better raw
// score than the chosen one.
func (c Choice) bestOf(candidates ...int) bool {
	for i, k := range c.Class {
		rival := slices.ContainsFunc(candidates, func(j int) bool { return c.Class[j] == k })
		if rival && c.raw[i] > c.raw[c.Best] {
			return false
		}
	}
	return true
}

// votes returns the number of votes of each class.
func (c Choice) votes() []int {
	votes := make([]int, len(c.Weights))
	for _, k := range c.Class {
		if k >= 0 {
			votes[k]++
		}
	}
	return votes
}

// warnings tells what weakened the choice.
func (r Rule) warnings(e *Evidence, c Choice) (warnings []string) {
	n := e.Len()
	if r.Votes() && len(c.Weights) == 0 {
		fallback := "the earliest one was taken"
		if r.scored() {
			fallback = "the one with the " + r.Score.Best + " was taken"
		}
		warnings = append(warnings, "no candidate has an answer to vote with: "+fallback)
	}
	if missing := MissingLogProbs(e.candidates); missing > 0 && r.Needs().Has(NeedLogProbs) {
		warnings = append(warnings, fmt.Sprintf("%d of %d candidates have no log-probabilities or no token count: the mean of the others stands for theirs", missing, n))
	}
	if r.Score.ofModel() {
		warnings = append(warnings, r.unlike(e)...)
	}
	if !r.Votes() && r.scored() && n > 1 && len(c.Tied) == n {
		warnings = append(warnings, "all candidates have the same score: the earliest one was taken")
	}
	return warnings
}

// unlike says what it means if half of the candidates or more are out-of-distribution.
// One in twenty candidates like the training data is, too.
func (r Rule) unlike(e *Evidence) []string {
	e = e.seenBy(r.Score)
	count, n := 0, e.Len()
	for i := range n {
		if e.InDistribution(i) == 0 {
			count++
		}
	}
	meaning := "what the model says of them does not count, signals and checked arithmetic do"
	switch {
	case count == 0 || 2*count < n:
		return nil
	case !r.Votes():
		meaning = "their scores may mislead"
	case count == n && r.Weighted() && len(r.Score.Terms) == 0:
		meaning += ", as in vote:signals"
	}
	return []string{fmt.Sprintf("%d of %d candidates are unlike the texts that the model was trained on: %s", count, n, meaning)}
}

// shorten cuts an answer that is too long to show.
func shorten(answer string) string {
	const limit = 40
	count := 0
	for i := range answer {
		if count == limit {
			return answer[:i] + "…"
		}
		count++
	}
	return answer
}
