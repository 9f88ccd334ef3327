package selector

import (
	"fmt"

	"rcvae"
)

// reason says in one sentence why the candidate was chosen.
func (r Rule) reason(e *Evidence, c Choice, candidates []rcvae.Candidate) string {
	n := len(candidates)
	switch r.kind {
	case kindPick:
		return fmt.Sprintf("candidate %d of %d: %s", c.Best+1, n, scores[r.score].best)
	case kindFirst:
		return fmt.Sprintf("the first of %d candidates", n)
	case kindRandom:
		return fmt.Sprintf("candidate %d of %d, drawn at random", c.Best+1, n)
	}
	k := e.class[c.Best]
	if k < 0 { // a vote without voters
		if r.kind == kindMajority {
			return fmt.Sprintf("none of %d candidates has an answer; the first was taken", n)
		}
		return fmt.Sprintf("none of %d candidates has an answer; candidate %d: %s", n, c.Best+1, scores[r.score].best)
	}
	votes := e.votes()
	reason := fmt.Sprintf("%d of %d votes for %s", votes[k], n, shorten(candidates[c.Best].Answer))
	switch r.kind {
	case kindVote:
		rival := 0
		for _, v := range votes {
			rival = max(rival, v)
		}
		if rival > votes[k] {
			reason += fmt.Sprintf(" outweigh the %d for the most frequent answer", rival)
		}
		reason += fmt.Sprintf("; candidate %d: %s inside that class", c.Best+1, scores[r.score].best)
	case kindTiebreak:
		if leading(votes) > 1 {
			reason += ", a tie broken by the " + scores[r.score].best
		} else {
			reason += fmt.Sprintf("; candidate %d: %s inside that class", c.Best+1, scores[r.score].best)
		}
	case kindMajority:
		if leading(votes) > 1 {
			reason += fmt.Sprintf(", a tie of %d answers; the earliest was taken", leading(votes))
		}
	}
	return reason
}

// strangeness says what it means that so many of n candidates are strangers.
func (r Rule) strangeness(strangers, n int) string {
	who := fmt.Sprintf("%d of %d candidates are", strangers, n)
	if strangers == n {
		who = "all candidates are"
	}
	who += " unlike the texts that the model was trained on"
	switch {
	case r.kind == kindPick:
		return who + ": their scores may mislead"
	case strangers == n && r.kind == kindVote:
		return who + ": their scores do not count, which makes this a majority vote"
	default:
		return who + ": their scores do not count"
	}
}

// votes returns the number of votes of each class.
func (e *Evidence) votes() []int {
	votes := make([]int, e.classes)
	for _, k := range e.class {
		if k >= 0 {
			votes[k]++
		}
	}
	return votes
}

// leading returns how many classes have the most votes.
func leading(votes []int) int {
	most, count := 0, 0
	for _, v := range votes {
		switch {
		case v > most:
			most, count = v, 1
		case v == most:
			count++
		}
	}
	return count
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
