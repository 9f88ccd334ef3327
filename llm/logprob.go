package llm

import (
	"math"

	"rcvae"
)

// window is the number of tokens that the tail and the lowest window of
// [rcvae.LogProb] are means of.
const window = 64

// wireLogProbs are a choice's log-probabilities in the form of chats, which llama.cpp
// uses everywhere, or in that of raw completions.
type wireLogProbs struct {
	Content []struct {
		LogProb *float64 `json:"logprob"`
	} `json:"content"`
	TokenLogProbs []*float64 `json:"token_logprobs"`
}

// values returns one log-probability a token. Tokens without one, such as the first
// of an echoed prompt, are left out.
func (w *wireLogProbs) values() []float64 {
	if w == nil {
		return nil
	}
	given := w.TokenLogProbs
	for _, token := range w.Content {
		given = append(given, token.LogProb)
	}
	var values []float64
	for _, v := range given {
		if v != nil && !math.IsNaN(*v) && !math.IsInf(*v, 0) {
			values = append(values, *v)
		}
	}
	return values
}

// sumLogProbs sums up the log-probabilities (nats) of a choice's tokens; nil for none.
func sumLogProbs(values []float64) *rcvae.LogProb {
	if len(values) == 0 {
		return nil
	}
	lowest, running := math.Inf(1), 0.0
	var p rcvae.LogProb
	for i, v := range values {
		p.Sum += v
		running += v
		if i >= window {
			running -= values[i-window]
		}
		if n := i + 1; n >= window || n == len(values) {
			lowest = min(lowest, running/float64(min(n, window)))
		}
	}
	p.MinWindow = lowest
	tail := values[max(0, len(values)-window):]
	for _, v := range tail {
		p.Tail += v / float64(len(tail))
	}
	return &p
}
