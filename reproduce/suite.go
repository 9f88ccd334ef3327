package reproduce

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"rcvae"
	"rcvae/dataset"
	"rcvae/llm"
)

// The names of the suites.
const (
	GSM8K = "gsm8k"
	MATH  = "math"
)

// Suites returns the names of the paper's sets of test questions, in its order.
func Suites() []string { return []string{GSM8K, MATH} }

// title returns the name of a suite for people.
func title(suite string) string { return map[string]string{GSM8K: "GSM8K", MATH: "MATH"}[suite] }

// Subset returns n of the problems in their order, chosen by the seed; all of them if n
// is 0 or larger than their number.
func Subset(problems []rcvae.Problem, n int, seed uint64) []rcvae.Problem {
	if n <= 0 || n >= len(problems) {
		return problems
	}
	places := rand.New(rand.NewPCG(seed, uint64(len(problems)))).Perm(len(problems))[:n]
	slices.Sort(places)
	subset := make([]rcvae.Problem, n)
	for i, place := range places {
		subset[i] = problems[place]
	}
	return subset
}

// The names of the arms.
const (
	Greedy        = "greedy"         // temperature 0
	AuthorsGreedy = "authors-greedy" // one sample at temperature 1, as the released code draws it
	TopK          = "top_k"
	TopP          = "top_p" // whose samples the rules choose from
)

// Arm is a way of sampling a solution.
type Arm struct {
	Name     string       `json:"name"`
	Samples  int          `json:"samples"` // per question
	Settings llm.Settings `json:"settings"`
}

// Arms returns the four arms of the protocol. The base gives the model, the prompt and
// the longest solution; k is the number of samples per question of the last two.
func Arms(base llm.Settings, k int) []Arm {
	with := func(temperature, topP float64, topK int) llm.Settings {
		s := base
		s.Temperature, s.TopP, s.TopK, s.MinP = temperature, topP, topK, 0
		return s
	}
	return []Arm{
		{Greedy, 1, base.Greedy()},
		{AuthorsGreedy, 1, with(1, 1, 0)},
		{TopK, k, with(0.7, 1, 32)},
		{TopP, k, with(0.7, 0.9, 0)},
	}
}

// Sampled is a suite with the samples of each arm, by the arm's name. An arm that was
// not drawn is absent.
type Sampled struct {
	Suite string
	Arms  map[string][]rcvae.Question
}

// FromPool sorts the candidates of a pool into arms by their samplers. At most k
// candidates per question are kept of each. It is an error if the pool has no candidate
// of top-p, which the rules choose from.
func FromPool(suite string, pool []rcvae.Question, k int) (Sampled, error) {
	s := Sampled{suite, map[string][]rcvae.Question{}}
	for _, arm := range Arms(llm.DefaultSettings("any"), k) {
		var kept []rcvae.Question
		for _, q := range pool {
			q = dataset.WithSampler(q, arm.Settings.Sampler())
			if len(q.Candidates) > 0 {
				q.Candidates = q.Candidates[:min(arm.Samples, len(q.Candidates))]
				kept = append(kept, q)
			}
		}
		if len(kept) > 0 {
			s.Arms[arm.Name] = kept
		}
	}
	if len(s.Arms[TopP]) == 0 {
		return s, fmt.Errorf("%s: the pool has no candidate of the sampler %q, which the rules choose from", suite, TopP)
	}
	return s, nil
}
