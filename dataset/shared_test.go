package dataset_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rcvae"
	"rcvae/dataset"
)

// shared returns the path of a file of the shared data folder, see
// data/README.md there.
func shared(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("RCVAE_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	path := filepath.Join(root, "data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("the shared data folder is absent; set RCVAE_SHARED to it")
	}
	return path
}

func TestSharedProblems(t *testing.T) {
	for name, want := range map[string]int{
		"gsm8k/train.jsonl.gz":              7473,
		"gsm8k/test.jsonl.gz":               1319,
		"gsm8k/train-extra-gpt5.1.jsonl.gz": 986,
		"math/train.jsonl.gz":               7500,
		"math/test.jsonl.gz":                5000,
		"math/math500.jsonl.gz":             500,
		"demo/train.jsonl":                  1500,
		"demo/test.jsonl":                   300,
	} {
		problems, err := dataset.LoadProblems(shared(t, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if len(problems) != want {
			t.Errorf("%s: %d problems, want %d", name, len(problems), want)
		}
		unknown := 0
		for _, p := range problems {
			if strings.HasPrefix(name, "math") && (p.Level < 1 || p.Level > 5) {
				unknown++
			}
			if p.Answer == "" || strings.Contains(p.ID, ":line-") {
				t.Errorf("%s: problem %q has answer %q", name, p.ID, p.Answer)
			}
		}
		if unknown > 2 {
			t.Errorf("%s: %d problems of unknown level, want at most 2", name, unknown)
		}
	}
}

func TestSharedPools(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("reads 300,000 candidates")
	}
	for name, want := range map[string][2]int{ // items, candidates
		"pools/gsm8k-test300-llama3.1-8b-sft":        {150, 6000},
		"pools/gsm8k-test300-llama-prompted":         {150, 2250},
		"pools/gsm8k-test-gpt3-6b-175b":              {638, 2552},
		"pools/gsm8k-test-faithfulcot-cot-ltm":       {638, 7656},
		"pools/gsm8k-test-rho-1":                     {638, 2552},
		"pools/gsm8k-test-re2-gpt":                   {638, 7656},
		"pools/gsm8k-test-zeroeval-greedy":           {638, 27774},
		"pools/math-test-l5-zeroeval-greedy":         {365, 15531},
		"pools/math-math500-rho-1":                   {239, 956},
		"pools/math-test100-qwen2.5-math":            {51, 408},
		"pools/math-math500first10-llama3.2-1b":      {8, 320},
		"pools/gsm8k-test-qwen2.5-coder-0.5b":        {638, 21054},
		"pools/math-math500-qwen2.5-coder-0.5b":      {239, 7887},
		"train-pools/gsm8k-train-qwen2.5-coder-0.5b": {7473, 59784},
		"train-pools/gsm8k-train-qwen2.5-coder-1.5b": {7473, 59784},
		"train-pools/math-train-qwen2.5-coder-0.5b":  {7500, 30000},
		"demo/pool-train-qwen2.5-coder-0.5b":         {1500, 12000},
		"demo/pool-test-qwen2.5-coder-0.5b":          {300, 9900},
		"demo/pool-test-qwen2.5-coder-1.5b":          {300, 5100},
	} {
		file, err := os.Open(shared(t, name+".jsonl.gz"))
		if err != nil {
			t.Fatal(err)
		}
		items, candidates := 0, 0
		for item, err := range dataset.Pool(file, name) {
			if err != nil {
				t.Fatal(err)
			}
			items++
			candidates += len(item.Candidates)
			checkCandidates(t, name, item)
		}
		if got := [2]int{items, candidates}; got != want {
			t.Errorf("%s: %d items and candidates, want %d", name, got, want)
		}
		_ = file.Close()
	}
}

func checkCandidates(t *testing.T, name string, item rcvae.Question) {
	t.Helper()
	ours := strings.Contains(name, "coder")
	for i, s := range item.Candidates {
		if s.Verdict == rcvae.Ungraded || ours && (s.LogProb == nil || s.Tokens == 0 || s.Sampler == "" || s.Finish == "") {
			t.Errorf("%s: %s candidate %d lacks a field: %+v", name, item.ID, i+1, s)
		}
	}
}

// Reading and writing real pools changes nothing, and no verdict, answer or unknown
// field is lost.
func TestSharedPoolRoundTrip(t *testing.T) {
	for _, name := range []string{"pools/math-math500first10-llama3.2-1b", "demo/pool-test-qwen2.5-coder-1.5b", "pools/math-test100-qwen2.5-math"} {
		items, err := dataset.LoadPool(shared(t, name+".jsonl.gz"))
		if err != nil {
			t.Fatal(err)
		}
		again, err := readPool(write(t, items))
		if err != nil || !reflect.DeepEqual(again, items) {
			t.Errorf("%s: a round trip changes the pool: %v", name, err)
		}
		if c := items[0].Candidates[0]; strings.HasPrefix(name, "pools/") && len(c.Extra["rm_score"]) == 0 {
			t.Errorf("%s: rm_score is lost: %v", name, c.Extra)
		}
	}
}

func BenchmarkLoadPool(b *testing.B) {
	path := shared(b, "pools/gsm8k-test-qwen2.5-coder-0.5b.jsonl.gz")
	candidates := 0
	for b.Loop() {
		items, err := dataset.LoadPool(path)
		if err != nil {
			b.Fatal(err)
		}
		for _, it := range items {
			candidates += len(it.Candidates)
		}
	}
	b.ReportMetric(float64(candidates)/b.Elapsed().Seconds(), "candidates/s")
}
