package llm

import "math"

// countTokens sets the tokens of each choice and corrects the usage.
//
// A response tells the tokens of all its choices together, but some servers give
// those of the first choice alone (llama.cpp). The rule, in this order:
//
//  1. A single choice has all of the usage's completion tokens.
//  2. With log-probabilities, a choice has as many tokens as they are.
//  3. Where the usage is a sum, it is divided in proportion to the bytes of text.
//  4. Where it is that of the first choice, the others are estimated from it, by bytes.
//
// The usage is that of one choice when the probe showed it (ofOne), or when it is
// less than the log-probabilities count or than the number of choices with text.
func (c *completion) countTokens(ofOne bool) {
	measured, complete, written := 0, true, 0
	for i, n := range c.measured {
		measured += n
		complete = complete && (n > 0 || c.weights[i] == 0)
		if c.weights[i] > 0 {
			written++
		}
	}
	given := c.usage.CompletionTokens
	switch {
	case len(c.choices) == 1 && given > 0:
		c.choices[0].Tokens = given
	case complete && measured > 0:
		for i, n := range c.measured {
			c.choices[i].Tokens = n
		}
		// A usage above what was measured counts tokens that no choice shows, such as
		// hidden reasoning: it stays.
		c.setCompletionTokens(max(measured, given))
	case given == 0:
	case ofOne || given < written || given < measured:
		c.setCompletionTokens(c.estimateTokens(given))
	default:
		c.divideTokens(given)
	}
}

func (c *completion) setCompletionTokens(n int) {
	c.usage.CompletionTokens = n
	c.usage.TotalTokens = c.usage.PromptTokens + n
}

// estimateTokens takes first as the tokens of the first choice that has text and
// returns the sum of all.
func (c *completion) estimateTokens(first int) (sum int) {
	scale := 0.0
	for i, weight := range c.weights {
		if weight > 0 && scale == 0 {
			scale = float64(first) / float64(weight)
		}
		c.choices[i].Tokens = int(math.Round(scale * float64(weight)))
		sum += c.choices[i].Tokens
	}
	return max(sum, first)
}

// divideTokens divides the sum in proportion to the bytes; the parts add up to it.
func (c *completion) divideTokens(sum int) {
	bytes := 0
	for _, weight := range c.weights {
		bytes += weight
	}
	if bytes == 0 {
		return
	}
	seen, given := 0, 0
	for i, weight := range c.weights {
		seen += weight
		upTo := int(math.Round(float64(sum) * float64(seen) / float64(bytes)))
		c.choices[i].Tokens = upTo - given
		given = upTo
	}
}
