package selector

import "math"

// weightTolerance is the relative difference below which two sums of vote weights
// are a tie: they may be the same terms in another order.
const weightTolerance = 1e-12

// countVotes sets the weight of each class to its number of votes, and Scores to
// the number of votes for the candidate's own answer.
func (c *Choice) countVotes(e *Evidence, subset []int) {
	c.weights = resize(c.weights, e.classes)
	clear(c.weights)
	for _, i := range subset {
		if k := e.class[i]; k >= 0 {
			c.weights[k]++
		}
	}
	for a, i := range subset {
		c.Scores[a] = 0
		if k := e.class[i]; k >= 0 {
			c.Scores[a] = c.weights[k]
		}
	}
}

// weighVotes sets the weight of each class a to
//
//	W(a) = Σ over i with answer a of exp(τ·(sᵢ − max s))
//
// Note: the maximum is that of the candidates which vote. It scales all weights
// alike, and taken over all candidates it could let every weight underflow.
func (c *Choice) weighVotes(e *Evidence, subset []int, tau float64) {
	c.weights = resize(c.weights, e.classes)
	clear(c.weights)
	highest := math.Inf(-1)
	for a, i := range subset {
		if e.class[i] >= 0 {
			highest = max(highest, c.Scores[a])
		}
	}
	for a, i := range subset {
		if k := e.class[i]; k >= 0 {
			c.weights[k] += math.Exp(tau * (c.Scores[a] - highest))
		}
	}
}

// wins returns the weight from which on a class is among the winners; +Inf if
// nobody voted.
func (c *Choice) wins() float64 {
	var highest float64
	for _, w := range c.weights {
		highest = max(highest, w)
	}
	if highest == 0 {
		return math.Inf(1)
	}
	return highest * (1 - weightTolerance)
}

// takeEarliest represents each winning class by its earliest candidate.
func (c *Choice) takeEarliest(e *Evidence, subset []int) {
	c.Best = subset[0]
	threshold := c.wins()
	for _, i := range subset {
		if k := e.class[i]; k >= 0 && c.weights[k] >= threshold {
			c.Tied = append(c.Tied, i)
			c.weights[k] = 0 // one candidate for each class
		}
	}
	if len(c.Tied) > 0 {
		c.Best = c.Tied[0]
	}
}

// takeLeaders represents each winning class by its highest-scored text. If nobody
// voted, the highest score wins.
func (c *Choice) takeLeaders(e *Evidence, subset []int) {
	threshold := c.wins()
	if math.IsInf(threshold, 1) {
		c.pick(subset)
		return
	}
	c.findLeaders(e, subset)
	for a, i := range subset {
		if k := e.class[i]; k >= 0 && c.weights[k] >= threshold && c.leaders[k] == a {
			c.Tied = append(c.Tied, i)
		}
	}
	c.Best = c.Tied[0]
}

// breakTies keeps those winners of the vote count whose best text has the highest
// score.
func (c *Choice) breakTies(e *Evidence, subset []int) {
	threshold := c.wins()
	if math.IsInf(threshold, 1) {
		c.pick(subset)
		return
	}
	c.findLeaders(e, subset)
	highest := math.Inf(-1)
	for k, a := range c.leaders {
		if a >= 0 && c.weights[k] >= threshold {
			highest = max(highest, c.Scores[a])
		}
	}
	for a, i := range subset {
		k := e.class[i]
		if k >= 0 && c.weights[k] >= threshold && c.leaders[k] == a && c.Scores[a] == highest {
			c.Tied = append(c.Tied, i)
		}
	}
	c.Best = c.Tied[0]
}

// findLeaders sets leaders to the position in the subset of each class's
// highest-scored text, the earliest among equals, or to −1.
func (c *Choice) findLeaders(e *Evidence, subset []int) {
	c.leaders = resize(c.leaders, e.classes)
	for k := range c.leaders {
		c.leaders[k] = -1
	}
	for a, i := range subset {
		k := e.class[i]
		if k >= 0 && (c.leaders[k] < 0 || c.Scores[a] > c.Scores[c.leaders[k]]) {
			c.leaders[k] = a
		}
	}
}
