package eval_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rcvae"
	"rcvae/dataset"
	"rcvae/eval"
	"rcvae/selector"
)

// pool reads the candidates of one sampler from a pool of the shared data; "" is all.
func pool(t testing.TB, name, sampler string) []rcvae.Question {
	t.Helper()
	root := os.Getenv("RCVAE_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	path := filepath.Join(root, "data", name+".jsonl.gz")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no shared data (set RCVAE_SHARED to its folder): %v", err)
	}
	questions, err := dataset.LoadPool(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range questions {
		if sampler != "" {
			questions[i] = dataset.WithSampler(q, sampler)
		}
	}
	return questions
}

// The figures of the shared data's README. It let candidates vote that were cut at
// the token limit before their answer; clearing Finish makes them vote here too.
func TestPublishedFigures(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		mean, majority, pass float64 // percent; of all 1,319 questions for gsm8k-test, of which half are here
		tolerance            float64
	}{
		{"demo/pool-test-qwen2.5-coder-0.5b", 25.7, 39.4, 70.7, 0.0501},
		{"demo/pool-test-qwen2.5-coder-1.5b", 56.5, 75.4, 92.7, 0.0501},
		{"pools/gsm8k-test-qwen2.5-coder-0.5b", 24.5, 36.9, 65.5, 0.5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			questions := pool(t, tt.name, "top_p")
			c := config()
			c.Selectors = []string{"majority"}
			strict := run(t, c, questions, selector.Sources{})
			for _, q := range questions {
				for i := range q.Candidates {
					q.Candidates[i].Finish = ""
				}
			}
			loose := run(t, c, questions, selector.Sources{})
			for _, x := range []struct {
				name      string
				got, want float64
			}{{"mean@1", loose.MeanAt1, tt.mean}, {"majority", loose.Majority, tt.majority}, {"pass@16", loose.PassAtK, tt.pass}} {
				if math.Abs(100*x.got-x.want) > tt.tolerance {
					t.Errorf("%s = %.2f, want %v", x.name, 100*x.got, x.want)
				}
			}
			t.Logf("mean@1 %.2f, pass@16 %.2f, majority %.2f; without the votes of candidates that were cut %.2f", 100*loose.MeanAt1, 100*loose.PassAtK, 100*loose.Majority, 100*strict.Majority)
		})
	}
}

// Part of a real pool, with every rule; the models are fakes that know nothing.
func TestRealPool(t *testing.T) {
	questions := pool(t, "pools/gsm8k-test-qwen2.5-coder-0.5b", "top_p")[:200]
	c := eval.DefaultConfig()
	c.Pool, c.Sampler, c.Grader = "gsm8k-test-qwen2.5-coder-0.5b", "top_p", "gsm8k"
	start := time.Now()
	r, err := eval.Run(t.Context(), c, questions, sources(1, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d questions, %d selectors: %v", len(questions), len(r.Pools[0].Selectors), time.Since(start))
	p := r.Pools[0]
	if got := find(t, p, "logprob"); got.VsMean.Diff < 0.02 || got.AUROC == nil || *got.AUROC < 0.55 {
		t.Errorf("logprob = %+v, want clearly above a random candidate", got)
	}
	for i, at := range p.ByK[1:] {
		if at.Majority <= p.ByK[i].Majority {
			t.Errorf("majority falls from k = %d to %d: %v, %v", p.ByK[i].K, at.K, p.ByK[i].Majority, at.Majority)
		}
	}
}
