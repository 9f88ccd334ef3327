package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"rcvae/eval"
)

// What eval writes, report draws: the questions with details, a note without.
func TestReport(t *testing.T) {
	f := newFixture(t)
	model := f.train(t, "m.rcvae")
	result, details, page := f.path("result.json"), f.path("details.jsonl.gz"), f.path("report.html")
	if got := rcvaeRun(t, "", "eval", "--pool", f.pool, "--model", model, "--cache", f.cache, "-k", "2,4", "--out", result, "--details", details, "--quiet"); got.code != exitOK {
		t.Fatalf("eval: %s", got.stderr)
	}
	if got := rcvaeRun(t, "", "report", result, "--details", details, "--out", page, "--selector", "entropy"); got.code != exitOK || got.stderr != "" {
		t.Fatalf("report: exit code %d, %s", got.code, got.stderr)
	}
	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(html), "data-c="); n != fixtureQuestions {
		t.Errorf("the page has %d questions, want %d", n, fixtureQuestions)
	}
	for _, want := range []string{"entropy is correct on", "Training curve of m.rcvae", "Latent means by PCA", "What each signal adds", "rcvae eval --"} {
		if !strings.Contains(string(html), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	bare := rcvaeRun(t, "", "report", result, "--out", page)
	if html, _ = os.ReadFile(page); bare.code != exitOK || !strings.Contains(bare.stderr, "has no details") || bytes.Contains(html, []byte("data-c=")) {
		t.Errorf("without details: exit code %d, %q", bare.code, bare.stderr)
	}
}

func TestReportRefuses(t *testing.T) {
	line, _ := json.Marshal(eval.Details{Version: eval.DetailsVersion, Pool: "elsewhere"})
	result := writeFile(t, "result.json", `{"version":2,"pools":[{"pool":"here","questions":1,"k":1}]}`)
	old := writeFile(t, "old.json", `{"version":1}`)
	pool := writeFile(t, "pool.jsonl", `{"id":"1","question":"q","candidates":[]}`)
	details := writeFile(t, "details.jsonl", string(line)+"\n")
	ancient := writeFile(t, "ancient.jsonl", `{"version":0}`+"\n")
	out := writeFile(t, "report.html", "kept")
	for name, test := range map[string]struct {
		code int
		want string
		args []string
	}{
		"no result":        {exitUsage, "at least one result", []string{"--out", out}},
		"no output":        {exitUsage, "--out is missing", []string{result}},
		"too many details": {exitUsage, "2 files of --details stand beside 1 results", []string{result, "--details", details, "--details", details, "--out", out}},
		"a lost file":      {exitFailure, "there is no result lost.json; 'rcvae eval --out lost.json' writes one", []string{"lost.json", "--out", out}},
		"an old result":    {exitFailure, "old.json: result has format version 1", []string{old, "--out", out}},
		"a pool":           {exitFailure, "pool.jsonl: this is no result", []string{pool, "--out", out}},
		"old details":      {exitFailure, "ancient.jsonl:1: details have format version 0", []string{result, "--details", ancient, "--out", out}},
		"others' details":  {exitFailure, `details are of pool "elsewhere"`, []string{result, "--details", details, "--out", out}},
		"an input":         {exitUsage, "", []string{result, "--out", result}},
	} {
		t.Run(name, func(t *testing.T) {
			got := rcvaeRun(t, "", append([]string{"report"}, test.args...)...)
			if got.code != test.code || !strings.Contains(got.stderr, test.want) {
				t.Errorf("exit code %d, error %q, want %d and %q", got.code, got.stderr, test.code, test.want)
			}
		})
	}
	if kept, _ := os.ReadFile(out); string(kept) != "kept" {
		t.Errorf("after failures the page reads %q", kept)
	}
}
