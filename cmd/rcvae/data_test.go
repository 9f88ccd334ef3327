package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae"
	"rcvae/dataset"
	"rcvae/eval"
)

func TestChooseSampler(t *testing.T) {
	greedy := dataset.SamplerCount{Name: "greedy", Candidates: 9, Questions: 9}
	topP := dataset.SamplerCount{Name: "top_p", Candidates: 16, Questions: 1}
	topK := dataset.SamplerCount{Name: "top_k", Candidates: 16, Questions: 1}
	unnamed := dataset.SamplerCount{Candidates: 20, Questions: 10}
	for name, tt := range map[string]struct {
		asked  string
		counts []dataset.SamplerCount
		want   string
		whole  bool
	}{
		"the most samples":      {"", []dataset.SamplerCount{greedy, topP}, "top_p", false},
		"the first of equals":   {"", []dataset.SamplerCount{greedy, topK, topP}, "top_k", false},
		"one was lost":          {"", []dataset.SamplerCount{greedy, {Name: "top_p", Candidates: 479}, {Name: "top_k", Candidates: 480}}, "top_p", false},
		"a group without names": {"", []dataset.SamplerCount{topP, unnamed}, "", false},
		"only without names":    {"", []dataset.SamplerCount{unnamed}, "", true},
		"only one":              {"", []dataset.SamplerCount{greedy}, "greedy", true},
		"no samples":            {"", nil, "", true},
		"asked for":             {"greedy", []dataset.SamplerCount{greedy, topP}, "greedy", false},
		"all":                   {"all", []dataset.SamplerCount{greedy, topP}, "all", true},
		"all of one":            {"all", []dataset.SamplerCount{greedy}, "greedy", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got, whole := chooseSampler(tt.asked, tt.counts); got != tt.want || whole != tt.whole {
				t.Errorf("chooseSampler() = %q, %t, want %q, %t", got, whole, tt.want, tt.whole)
			}
		})
	}
}

// mixedPool writes a pool of 8 questions with 1 greedy, 3 top_p and 3 top_k samples
// each; the ninth has a greedy one only.
func mixedPool(t *testing.T) string {
	t.Helper()
	var lines strings.Builder
	for q := range 9 {
		fmt.Fprintf(&lines, `{"id":"q%d","question":"q%d","answer":"1","candidates":[{"text":"greedy","answer":"1","correct":true,"sampler":"greedy"}`, q, q)
		for s := 0; s < 6 && q < 8; s++ {
			fmt.Fprintf(&lines, `,{"text":"%d","answer":"%d","correct":%t,"sampler":"%s"}`, s, s%2, s%2 == 1, []string{"top_p", "top_k"}[s/3])
		}
		lines.WriteString("]}\n")
	}
	return writeFile(t, "mixed.jsonl", lines.String())
}

func TestEvalTakesOneSampler(t *testing.T) {
	pool := mixedPool(t)
	for _, tt := range []struct {
		name, sampler       string
		used                string
		questions, k, lines int
		notes               []string
	}{
		{"the one with most samples", "", "top_p", 8, 3, 2, []string{
			"eval: warning: mixed: the samplers top_p (24), top_k (24) are tied within 1 %; top_p is used because it is the first in the file",
			"eval: mixed: candidates of 3 samplers; top_p is used (3 per question; 1 questions without any are left out)", "--sampler all",
		}},
		{"asked for", "top_k", "top_k", 8, 3, 0, nil},
		{"all", "all", "all", 9, 7, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"eval", "--pool", pool, "--model", "none", "--selector", "majority", "--json"}
			if tt.sampler != "" {
				args = append(args, "--sampler", tt.sampler)
			}
			got := rcvaeRun(t, "", args...)
			if got.code != exitOK || strings.Count(got.stderr, "samplers") != tt.lines {
				t.Fatalf("exit code %d, standard error %q, want %d lines about samplers", got.code, got.stderr, tt.lines)
			}
			for _, want := range tt.notes {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("standard error %q, want %q in it", got.stderr, want)
				}
			}
			result, err := eval.ReadJSON(strings.NewReader(got.stdout))
			if err != nil {
				t.Fatal(err)
			}
			if p := result.Pools[0]; p.Sampler != tt.used || p.Questions != tt.questions || p.K != tt.k {
				t.Errorf("sampler %q, %d questions, k %d, want %q, %d, %d", p.Sampler, p.Questions, p.K, tt.used, tt.questions, tt.k)
			}
			if quiet := rcvaeRun(t, "", append(args, "--quiet")...); strings.Count(quiet.stderr, "\n") != tt.lines/2 || tt.lines > 0 && !strings.Contains(quiet.stderr, "tied") {
				t.Errorf("with --quiet: %q on standard error, want a tie and nothing else", quiet.stderr)
			}
		})
	}
}

func TestUnknownSamplerNamesThoseThereAre(t *testing.T) {
	got := rcvaeRun(t, "", "eval", "--pool", mixedPool(t), "--model", "none", "--selector", "majority", "--sampler", "beam")
	if got.code != exitFailure || !strings.Contains(got.stderr, "greedy, top_p, top_k") {
		t.Errorf("exit code %d, %q, want 1 and the samplers of the file", got.code, got.stderr)
	}
}

// A real pool has one greedy, 16 top_p and 16 top_k samples a question.
func TestEvalTakesOneSamplerOfARealPool(t *testing.T) {
	shared := os.Getenv("RCVAE_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	pool := filepath.Join(shared, "data", "pools", "gsm8k-test-qwen2.5-coder-0.5b.jsonl.gz")
	if _, err := os.Stat(pool); err != nil {
		t.Skip("the shared data folder is absent; set RCVAE_SHARED to it")
	}
	got := rcvaeRun(t, "", "eval", "--pool", pool, "--model", "none", "--selector", "majority", "-k", "16", "--json")
	result, err := eval.ReadJSON(strings.NewReader(got.stdout))
	if err != nil {
		t.Fatalf("%v\n%s", err, got.stderr)
	}
	if p := result.Pools[0]; p.Sampler != "top_p" || p.K != 16 || p.KMin != 0 || p.ByK[0].N != p.Questions {
		t.Errorf("sampler %s, k %d to %d, want top_p and 16 of every question", p.Sampler, p.KMin, p.K)
	}
}

// someMixed writes the fixture's questions so that a third has right samples only and
// a third wrong ones without an answer.
func (f fixture) someMixed(t *testing.T) string {
	t.Helper()
	path := f.path("some.jsonl")
	var questions []rcvae.Question
	for i := range fixtureQuestions {
		q := fixtureQuestion(i)
		var kept []rcvae.Candidate
		for _, c := range q.Candidates {
			switch {
			case c.Verdict == rcvae.Correct || i%3 == 0:
				kept = append(kept, c)
			case i%3 == 1:
				c.Answer, c.AnswerFrom, c.Text = "", dataset.NoAnswer, "no idea"
				kept = append(kept, c)
			}
		}
		q.Candidates = kept
		questions = append(questions, q)
	}
	if err := dataset.SavePool(path, questions); err != nil {
		t.Fatal(err)
	}
	return path
}
