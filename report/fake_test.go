package report_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"

	"rcvae/eval"
	"rcvae/report"
	"rcvae/signal"
)

// made is a result with the details that belong to it.
type made struct {
	result  *eval.Result
	details []eval.Details
}

func (m made) source(name string) report.Source {
	return report.Source{Name: name, Result: m.result, Details: m.all()}
}

func (m made) all() iter.Seq2[eval.Details, error] {
	return func(yield func(eval.Details, error) bool) {
		for _, d := range m.details {
			if !yield(d, nil) {
				return
			}
		}
	}
}

// rules of a made result: votes with and without weights, a pick, and the references.
var rules = []string{"vote:entropy", "entropy", "majority", "random", "oracle"}

// make returns a pool of made-up questions in which the entropy tells correct from
// incorrect by skill; words is how long a candidate's text is.
func makePool(pool string, questions, k, words int, skill float64, seed uint64) made {
	rng := rand.New(rand.NewPCG(seed, 1))
	m := made{result: &eval.Result{Version: eval.Version, Run: eval.RunInfo{Commit: "c0ffee", Seed: 1, Command: "rcvae eval --pool made-up"}}}
	for q := range questions {
		m.details = append(m.details, makeQuestion(rng, pool, q, k, words, skill))
	}
	m.result.Pools = []eval.Pool{m.summarize(pool, questions, k)}
	return m
}

func makeQuestion(rng *rand.Rand, pool string, q, k, words int, skill float64) eval.Details {
	d := eval.Details{Version: eval.DetailsVersion, Pool: pool, ID: fmt.Sprintf("q-%04d", q), Question: fmt.Sprintf("How many are %d and 1?", q), Gold: "0"}
	for _, c := range signal.Columns() {
		d.Signals = append(d.Signals, c.Name)
	}
	hard := rng.Float64()
	for i := range k {
		answer := 0
		if rng.Float64() < hard {
			answer = 1 + rng.IntN(3)
		}
		c := eval.CandidateDetails{Answer: fmt.Sprint(answer), Class: answer, Verdict: map[bool]string{true: "correct", false: "incorrect"}[answer == 0], Text: makeText(rng, words, answer != 0 && i%2 == 0)}
		entropy := rng.NormFloat64() + skill*float64(min(answer, 1))
		c.Entropy, c.InDistribution, c.Scores = &entropy, new(1.0), map[string]float64{"entropy": -entropy}
		for range 32 {
			c.Latent = append(c.Latent, float32(rng.NormFloat64()+skill*float64(min(answer, 1))))
		}
		for range d.Signals {
			c.Signals = append(c.Signals, new(rng.NormFloat64()))
		}
		d.Candidates = append(d.Candidates, c)
	}
	d.Chosen = choose(d)
	return d
}

// makeText returns a text of about so many words, with a wrong equation if asked.
func makeText(rng *rand.Rand, words int, wrong bool) string {
	var b strings.Builder
	for range words {
		fmt.Fprintf(&b, "%s%d ", []string{"first", "then", "apples", "minus", "so we", "have", "left"}[rng.IntN(7)], rng.IntN(999))
	}
	if wrong {
		b.WriteString("\nSo 12 * 3 = 35 apples. ")
	}
	return b.String() + "\nSo 2 + 2 = 4."
}

// choose applies the rules, without ties: the earliest wins.
func choose(d eval.Details) (out []eval.RuleDetails) {
	votes, weights := make([]float64, 4), make([]float64, 4)
	best, first, correct := 0, map[int]int{}, 0.0
	for i, c := range d.Candidates {
		votes[c.Class]++
		weights[c.Class] += 1 / (1 + max(*c.Entropy+2, 0))
		if _, ok := first[c.Class]; !ok {
			first[c.Class] = i
		}
		if *c.Entropy < *d.Candidates[best].Entropy {
			best = i
		}
		if c.Verdict == "correct" {
			correct++
		}
	}
	n := float64(len(d.Candidates))
	for _, rule := range rules {
		x := eval.RuleDetails{Rule: rule}
		switch rule {
		case "vote:entropy", "majority":
			x.Weights = map[string][]float64{"majority": votes, "vote:entropy": weights}[rule]
			x.Best = first[slices.Index(x.Weights, slices.Max(x.Weights))]
			sorted := slices.Sorted(slices.Values(x.Weights))
			x.Margin = (sorted[3] - sorted[2]) / (sorted[0] + sorted[1] + sorted[2] + sorted[3])
		case "entropy":
			x.Best = best
		}
		x.Tied, x.Value = []int{x.Best}, float64(1-min(d.Candidates[x.Best].Class, 1))
		switch rule {
		case "random":
			x.Value = correct / n
		case "oracle":
			x.Value = min(correct, 1)
		}
		out = append(out, x)
	}
	return out
}

// summarize returns what the details sum up to, with made-up intervals.
func (m made) summarize(name string, questions, k int) eval.Pool {
	means := make([]float64, len(rules))
	for _, d := range m.details {
		for r, x := range d.Chosen {
			means[r] += x.Value / float64(questions)
		}
	}
	p := eval.Pool{Pool: name, Questions: questions, Distinct: questions, K: k, Candidates: questions * k, Majority: means[2], MeanAt1: means[3], PassAtK: means[4],
		Warnings: []string{"a warning with <b>tags</b>"}}
	around := func(x float64) *eval.Interval { return &eval.Interval{x - 0.0173, x + 0.0191} }
	at := eval.AtK{K: k / 2, N: questions, MeanAt1: means[3], Majority: means[2] * 0.9, PassAtK: means[4] * 0.9}
	for r, rule := range rules {
		measured := eval.Measured{Name: rule, Accuracy: means[r], CI95: around(means[r])}
		diff := means[r] - means[2]
		measured.VsMajority = eval.Comparison{Diff: diff, CI95: around(diff), P: new(0.0123)}
		p.Selectors = append(p.Selectors, eval.Selector{Measured: measured, N: questions, AUROC: new(0.6789)})
		measured.Accuracy *= 0.9
		at.Selectors = append(at.Selectors, measured)
	}
	p.ByK = []eval.AtK{at}
	p.Diagnostics = []eval.Diagnostic{{Model: "m.rcvae"}}
	p.Diagnostics[0].Latent, p.Diagnostics[0].ActiveUnits, p.Diagnostics[0].KLByUnit = 32, 30, []float64{0.5, 0.25, 0}
	m.result.Models = []eval.Training{{Model: "m.rcvae", Objective: "contrastive", Latent: 32, BestEpoch: 2, Curve: []eval.Epoch{
		{Epoch: 1, Loss: 2, Validation: new(1.5), ActiveUnits: 20}, {Epoch: 2, Loss: 1, Validation: new(1.25), ActiveUnits: 30},
	}}}
	return p
}
