package selector

import (
	"context"
	"math"
	"unicode/utf8"

	"rcvae"
)

// perCandidate returns the values of a score that looks at one candidate at a time.
func perCandidate(f func(rcvae.Candidate) float64) func(context.Context, *Evidence) ([]float64, error) {
	return func(_ context.Context, e *Evidence) ([]float64, error) {
		values := make([]float64, e.Len())
		for i, c := range e.candidates {
			values[i] = f(c)
		}
		return values, nil
	}
}

// logLength is the logarithm of the text's length, so that exp(τ·s) is a power of
// the length and no single text outweighs a class.
func logLength(c rcvae.Candidate) float64 {
	return math.Log1p(float64(utf8.RuneCountInString(c.Text)))
}

func longest() Score {
	return Score{
		Name: "longest", About: "longest text (the score is ln(1 + characters))", Best: "longest text", Tau: new(defaultTau),
		Values: perCandidate(logLength),
	}
}

func shortest() Score {
	return Score{
		Name: "shortest", About: "shortest text (the score is −ln(1 + characters))", Best: "shortest text", Tau: new(defaultTau),
		Values: perCandidate(func(c rcvae.Candidate) float64 { return -logLength(c) }),
	}
}
