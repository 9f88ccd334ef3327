package gateway

import (
	"time"

	"rcvae/bestof"
	"rcvae/internal/openaiapi"
	"rcvae/llm"
)

// part is the answer to one prompt of a request. All requests have one but raw
// completions with a list of prompts.
type part struct {
	call *call
	bestof.Result
	draw      llm.Draw      // of all rounds, without its choices
	embedding time.Duration // of the selection
}

// choice returns what the upstream sent for candidate i.
func (p part) choice(i int) llm.Choice { return p.Candidates[i].Raw.(llm.Choice) }

// stopGreedy is why a request was sampled once whose candidates would all be the same.
const stopGreedy = "greedy"

// best returns the best candidates, as many as the client wants and there are.
func (p part) best() []int { return p.Order[:min(p.call.n, len(p.Order))] }

// usageOf returns what the client sees: each prompt once, the tokens of all candidates.
func usageOf(parts []part) (sum openaiapi.Usage) {
	for _, p := range parts {
		sum = sum.Add(p.draw.Usage)
	}
	return sum
}
