package signal_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"rcvae"
	"rcvae/grade"
	"rcvae/selector"
	"rcvae/signal"
)

// ballot is a question with its candidates read, graded and grouped by their answers.
type ballot struct {
	table   signal.Table
	class   []int // −1 does not vote
	correct []bool
}

// ballots keeps the samples drawn by nucleus sampling where a pool has several samplers.
func ballots(t testing.TB, name string) []ballot {
	t.Helper()
	kind := "gsm8k"
	if strings.Contains(name, "math") {
		kind = "math-numeric"
	}
	grader, err := grade.New(kind)
	if err != nil {
		t.Fatal(err)
	}
	var all []ballot
	for _, it := range pool(t, name) {
		var kept []rcvae.Candidate
		for _, s := range it.Candidates {
			if s.Sampler == "top_p" || s.Sampler == "" {
				kept = append(kept, s)
			}
		}
		it.Candidates = kept
		b := ballot{table: signal.Compute(it.Question, it.Candidates)}
		b.class, _ = selector.Classes(it.Candidates, grader)
		for _, s := range kept {
			b.correct = append(b.correct, isCorrect(s))
		}
		all = append(all, b)
	}
	return all
}

// elect returns the expected correctness of a vote with weights exp(score) among the
// candidates of a subset; a nil score counts them.
func (b *ballot) elect(subset []int, score []float64) float64 {
	weight, right, size := map[int]float64{}, map[int]float64{}, map[int]float64{}
	for _, i := range subset {
		c := b.class[i]
		if c < 0 {
			continue
		}
		w := 1.0
		if score != nil {
			w = math.Exp(score[i])
		}
		weight[c] += w
		size[c]++
		if b.correct[i] {
			right[c]++
		}
	}
	var highest, tied, value float64
	for _, w := range weight {
		highest = max(highest, w)
	}
	for c, w := range weight {
		if w >= highest*(1-1e-12) {
			tied++
			value += right[c] / size[c]
		}
	}
	return value / max(1, tied)
}

// gain is vote − majority in points at k candidates, with the standard error over
// questions; NaN where too few questions have k candidates.
func gain(all []ballot, k int, score func(signal.Table) []float64) (majority, gain, se float64) {
	rng := rand.New(rand.NewPCG(1, uint64(k)))
	var n, sum, squares, base float64
	for i := range all {
		b := &all[i]
		size := len(b.class)
		if size < k {
			continue
		}
		repeats := 8
		if size == k {
			repeats = 1
		}
		var d, m float64
		for range repeats {
			subset := rng.Perm(size)[:k]
			part := signal.Table{Columns: b.table.Columns}
			for _, j := range subset {
				part.Values = append(part.Values, b.table.Values[j])
			}
			s := score(part)
			full := make([]float64, size)
			for a, j := range subset {
				full[j] = s[a]
			}
			count := b.elect(subset, nil)
			m += count
			d += b.elect(subset, full) - count
		}
		d /= float64(repeats)
		base += m / float64(repeats)
		n++
		sum += d
		squares += d * d
	}
	if n < 5 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	mean := sum / n
	return 100 * base / n, 100 * mean, 100 * math.Sqrt((squares/n-mean*mean)/n)
}

// TestArithmeticVote measures the vote that is weighted by wrong equations against the
// majority: never below it by more than 0.2 points, and 1.5 above on the pool of the
// generator whose training samples gave the weights.
func TestArithmeticVote(t *testing.T) {
	const g05 = "pools/gsm8k-test-qwen2.5-coder-0.5b"
	for _, name := range []string{
		g05, "demo/pool-test-qwen2.5-coder-0.5b", "demo/pool-test-qwen2.5-coder-1.5b", "pools/gsm8k-test300-llama3.1-8b-sft",
		"pools/gsm8k-test300-llama-prompted", "pools/gsm8k-test-gpt3-6b-175b", "pools/gsm8k-test-faithfulcot-cot-ltm", "pools/gsm8k-test-rho-1",
		"pools/gsm8k-test-re2-gpt", "pools/gsm8k-test-zeroeval-greedy", "pools/math-math500-qwen2.5-coder-0.5b", "pools/math-math500-rho-1",
		"pools/math-test100-qwen2.5-math", "pools/math-test-l5-zeroeval-greedy",
	} {
		t.Run(name, func(t *testing.T) {
			all := ballots(t, name)
			var line strings.Builder
			for _, k := range []int{4, 8, 16} {
				majority, points, se := gain(all, k, signal.ArithmeticScore)
				if math.IsNaN(points) {
					continue
				}
				fmt.Fprintf(&line, "  k=%d: %.1f %+.2f ± %.2f", k, majority, points, 1.96*se)
				if points < -0.2 {
					t.Errorf("k = %d: vote − majority = %+.2f points, want at least -0.2", k, points)
				}
				if name == g05 && k == 16 && points < 1.5 {
					t.Errorf("k = %d: vote − majority = %+.2f points, want at least +1.5", k, points)
				}
			}
			t.Log("majority, vote − majority:", line.String())
		})
	}
}
