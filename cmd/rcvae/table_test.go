package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"rcvae"
	"rcvae/eval"
)

var update = flag.Bool("update", false, "write testdata/table.txt anew; read it before it is committed")

// tableResult is a made-up result with everything that a table can show.
func tableResult() *eval.Result {
	measured := func(name string, accuracy float64, known bool) eval.Measured {
		m := eval.Measured{Name: name, Accuracy: accuracy, VsMean: eval.Comparison{Diff: accuracy - 0.25}, VsMajority: eval.Comparison{Diff: accuracy - 0.37}}
		if known {
			m.CI95, m.VsMajority.CI95 = &eval.Interval{accuracy - 0.04, accuracy + 0.04}, &eval.Interval{accuracy - 0.38, accuracy - 0.36}
			m.VsMajority.P, m.GapShare.Share = new(0.0005), new((accuracy-0.37)/0.285)
			if accuracy == 0.37 {
				m.VsMajority.P = new(1.0)
			}
		}
		return m
	}
	at := func(k int, known bool) eval.AtK {
		a := eval.AtK{K: k, N: 638, MeanAt1: 0.25, PassAtK: 0.655, Majority: 0.37}
		for _, name := range []string{"vote:entropy", "tiebreak:entropy+logprob"} {
			a.Selectors = append(a.Selectors, measured(name, 0.42, known))
		}
		if !known {
			a.N, a.Warnings = 4, []string{"4 questions: at least 6 are needed for an interval"}
		}
		return a
	}
	p := eval.Pool{
		Pool: "gsm8k-test-qwen2.5-coder-0.5b", Sampler: "top_p", Grader: "gsm8k", Questions: 640, Distinct: 638, K: 16, KMin: 3,
		MeanAt1: 0.25, Majority: 0.37, PassAtK: 0.655, SeedAgreement: new(0.9),
		Warnings: []string{"12 of 10208 candidates could not be graded: they vote, and count as the graded ones with their answer do"},
		ByK:      []eval.AtK{at(2, true), at(4, true), at(8, true), at(16, false)},
	}
	for i, name := range []string{"vote:entropy", "tiebreak:entropy+logprob", "majority"} {
		s := eval.Selector{Measured: measured(name, 0.37+0.05*float64(i), i < 2), N: 640, NoAnswer: 3.5}
		if i < 2 {
			s.AUROC, s.MicrosPerQuestion = new(0.738), 123.4
		}
		p.Selectors = append(p.Selectors, s)
	}
	for _, name := range []string{"one.rcvae", "another.rcvae"} {
		d := rcvae.Diagnostics{Latent: 32, ActiveUnits: 27, KL: 2.34}
		p.Seeds = append(p.Seeds, eval.Seed{Model: name, Selectors: p.Selectors[:1]})
		p.Diagnostics = append(p.Diagnostics, eval.Diagnostic{Model: name, Diagnostics: d})
	}
	p.Diagnostics[0].EntropySD = new(2.8)
	p.Diagnostics[0].OutOfDistribution, p.Diagnostics[0].OutOfDistributionQuestions = new(0.1), new(0.02)
	return &eval.Result{Version: eval.Version, Pools: []eval.Pool{p}}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	if err := writeTable(&b, tableResult()); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > tableWidth {
			t.Errorf("line of %d characters: %s", n, line)
		}
	}
	if note, table := strings.Index(b.String(), "note: 12 of"), strings.Index(b.String(), "\nselector"); note < 0 || note > table {
		t.Errorf("what was left out does not stand above the table:\n%s", b.String())
	}
	path := filepath.Join("testdata", "table.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || b.String() != string(want) {
		t.Errorf("table (%v):\n%swant:\n%s", err, b.String(), want)
	}
}
