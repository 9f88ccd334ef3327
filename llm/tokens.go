package llm

import "math"

// usageScope is what the usage of several choices counts.
type usageScope int

const (
	scopeUnknown usageScope = iota
	scopeAll
	scopeOne // the first choice alone (llama.cpp)
)

// scope returns what the usage counts as far as this answer shows it beyond doubt.
// limit is the request's bound on the tokens of a choice; 0: none.
func (c *completion) scope(limit int) usageScope {
	given := c.usage.CompletionTokens
	if len(c.choices) < 2 || given == 0 {
		return scopeUnknown
	}
	measured, complete := c.measure()
	cut := limit > 0
	for _, choice := range c.choices {
		cut = cut && choice.Finish == "length"
	}
	switch {
	case complete && given < measured, given < c.written():
		return scopeOne
	case complete && c.measured[0] > 0 && given >= measured:
		return scopeAll
	case cut && given <= limit:
		return scopeOne
	case cut && given >= limit*len(c.choices):
		return scopeAll
	}
	return scopeUnknown
}

// plausible is how many bytes of text a token has at most, on average: those of
// languages with long words have about six.
const plausible = 8

// seemsOfOne reports whether the usage is too small for all choices and right for the
// first. It needs no other answer to compare with, but is a guess.
func (c *completion) seemsOfOne() bool {
	bytes := 0
	for _, weight := range c.weights {
		bytes += weight
	}
	given, n := float64(c.usage.CompletionTokens), float64(len(c.choices))
	return n > 1 && float64(bytes)/given > max(plausible, 4*math.Sqrt(n)) && float64(c.weights[0])/given <= plausible
}

func (c *completion) measure() (measured int, complete bool) {
	complete = true
	for i, n := range c.measured {
		measured += n
		complete = complete && (n > 0 || c.weights[i] == 0)
	}
	return measured, complete && measured > 0
}

// written counts the choices that have text.
func (c *completion) written() (n int) {
	for _, weight := range c.weights {
		if weight > 0 {
			n++
		}
	}
	return n
}

// countTokens sets the tokens of each choice and corrects the usage.
//
// A response tells the tokens of all its choices together, but some servers give
// those of the first choice alone (llama.cpp). The rule, in this order:
//
//  1. A single choice has all of the usage's completion tokens.
//  2. With log-probabilities, a choice has as many tokens as they are.
//  3. Where the usage is that of the first choice, the others are estimated from it, by
//     bytes, up to the request's limit.
//  4. Else the usage is divided in proportion to the bytes of text.
func (c *completion) countTokens(known usageScope, limit int) {
	given := c.usage.CompletionTokens
	measured, complete := c.measure()
	switch {
	case len(c.choices) == 1 && given > 0:
		c.choices[0].Tokens = given
	case complete:
		for i, n := range c.measured {
			c.choices[i].Tokens = n
		}
		// A usage above what was measured counts tokens that no choice shows, such as
		// hidden reasoning: it stays.
		c.setCompletionTokens(max(measured, given))
	case given == 0:
	case known == scopeOne, known == scopeUnknown && c.seemsOfOne():
		c.setCompletionTokens(c.estimateTokens(given, limit))
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
func (c *completion) estimateTokens(first, limit int) (sum int) {
	scale := 0.0
	for i, weight := range c.weights {
		if weight > 0 && scale == 0 {
			scale = float64(first) / float64(weight)
		}
		n := int(math.Round(scale * float64(weight)))
		if limit > 0 {
			n = min(n, max(limit, 0))
		}
		c.choices[i].Tokens = n
		sum += n
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
