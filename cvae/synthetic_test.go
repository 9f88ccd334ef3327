package cvae

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"rcvae"
)

// synthetic returns questions of each candidates each, of unit vectors in dimension
// D. A candidate is correct with probability ½ and then leans towards a direction that
// depends on the question, so that there is something to learn. One in eight does not
// vote.
func synthetic(questions, each, D int, seed uint64) []rcvae.Encoded {
	rng := rand.New(rand.NewPCG(seed, 1))
	var out []rcvae.Encoded
	direction := randomUnit(rng, D)
	for g := range questions {
		q := randomUnit(rng, D)
		e := encoded(g, q)
		for range each {
			right := rng.IntN(2) == 0
			r := randomUnit(rng, D)
			for j := range r {
				r[j] += 0.5 * q[j]
				if right {
					r[j] += direction[j]
				} else {
					r[j] -= direction[j]
				}
			}
			add(&e, unit(r), right, rng.IntN(8) > 0)
		}
		out = append(out, e)
	}
	return out
}

func encoded(number int, q rcvae.Embedding) rcvae.Encoded {
	return rcvae.Encoded{Question: rcvae.Question{Problem: rcvae.Problem{ID: fmt.Sprint("q", number)}}, Embedding: q}
}

// add appends a graded candidate.
func add(e *rcvae.Encoded, r rcvae.Embedding, correct, votes bool) {
	c := rcvae.Candidate{Answer: "1", Verdict: rcvae.Incorrect}
	if correct {
		c.Verdict = rcvae.Correct
	}
	if !votes {
		c.Finish, c.AnswerFrom = "length", "number"
	}
	e.Candidates = append(e.Candidates, c)
	e.Solutions = append(e.Solutions, rcvae.Solution{Embedding: r})
}

// solutions returns those of all questions in a row.
func solutions(questions []rcvae.Encoded) []rcvae.Solution {
	var out []rcvae.Solution
	for _, e := range questions {
		out = append(out, e.Solutions...)
	}
	return out
}

// withSignals returns the questions with three columns beside each embedding: one that
// tells correct from incorrect with noise and is missing in every fifth candidate, one
// of large numbers, and one that never varies.
func withSignals(questions []rcvae.Encoded, seed uint64) []rcvae.Encoded {
	rng := rand.New(rand.NewPCG(seed, 2))
	for _, e := range questions {
		for i := range e.Solutions {
			lean := float64(e.Candidates[i].Verdict) + 0.5*rng.NormFloat64()
			if rng.IntN(5) == 0 {
				lean = math.NaN()
			}
			e.Solutions[i].Signals = []float64{lean, 1000 + 300*rng.NormFloat64(), 7}
		}
	}
	return questions
}

var signalNames = []string{"lean", "tokens", "constant"}

// newTestData is newData for questions that are known to be right.
func newTestData(t testing.TB, c Config, questions []rcvae.Encoded) (*data, Objective) {
	t.Helper()
	o, err := LookupObjective(c.Objective)
	if err != nil {
		t.Fatal(err)
	}
	d, err := newData(c, o, questions)
	if err != nil {
		t.Fatal(err)
	}
	return d, o
}

// infer is Infer with likelihoods, of inputs that are known to be right.
func infer(t testing.TB, m *Model, question rcvae.Embedding, solutions []rcvae.Solution) []rcvae.Inference {
	t.Helper()
	out, err := m.Infer(question, solutions, true)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func randomUnit(rng *rand.Rand, D int) rcvae.Embedding {
	x := make(rcvae.Embedding, D)
	for j := range x {
		x[j] = float32(rng.NormFloat64())
	}
	return unit(x)
}

func unit(x rcvae.Embedding) rcvae.Embedding {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	for j := range x {
		x[j] = float32(float64(x[j]) / math.Sqrt(sum))
	}
	return x
}

// small returns an objective's defaults cut down to a test's size.
func small(objective string, D int, signals ...string) Config {
	c := DefaultConfig(objective, D, signals...)
	c.Latent, c.Hidden = 4, []int{16}
	c.Epochs, c.Batch = 3, 8
	return c
}
