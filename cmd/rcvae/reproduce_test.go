package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"rcvae"
	"rcvae/dataset"
	"rcvae/eval"
	"rcvae/rcvaetest"
	"rcvae/reproduce"
)

// The tiny protocol: so many questions of each suite.
const tableQuestions = 6

// tableProtocol is a folder with questions of both suites and training problems, and a
// scripted server.
type tableProtocol struct {
	folder, url, cache string
	server             *rcvaetest.OpenAI
}

// scriptedSolution answers greedily right on even questions alone; of samples, those of
// odd seeds are right. Every right answer of MATH is written with braces.
func scriptedSolution(p rcvaetest.Prompt) rcvaetest.Reply {
	fields := strings.Fields(p.Question)
	suite, number := fields[0], 0
	_, _ = fmt.Sscan(fields[2], &number) // the questions are ours
	var temperature float64
	_, _ = p.Body.Decode("temperature", &temperature)
	draw := int64(p.Choice) + seedOf(p)
	right := temperature == 0 && number%2 == 0 || temperature != 0 && draw%2 == 1
	answer := number
	if !right {
		answer += 100
	}
	text := fmt.Sprint(answer)
	if suite == "half" {
		text = fmt.Sprintf(`\frac{%d}{7}`, answer)
	}
	return rcvaetest.Reply{Text: fmt.Sprintf("Draw %d of it. So the answer is \\boxed{%s}.", draw, text)}
}

func newTableProtocol(t *testing.T, script rcvaetest.Script) tableProtocol {
	t.Helper()
	p := tableProtocol{folder: t.TempDir()}
	p.cache = filepath.Join(p.folder, "cache.sqlite")
	script.Reply = scriptedSolution
	p.server, p.url = rcvaetest.StartOpenAI(t, script)
	var gsm, math, train strings.Builder
	for i := range tableQuestions {
		fmt.Fprintf(&gsm, "{\"id\":\"g%d\",\"question\":\"whole number %d of things?\",\"answer\":\"%d\"}\n", i, i+1, i+1)
		fmt.Fprintf(&math, "{\"id\":\"m%d\",\"question\":\"half number %d of things?\",\"answer\":\"\\\\frac{%d}{7}\"}\n", i, i+1, i+1)
	}
	for i := range 24 {
		fmt.Fprintf(&train, "{\"id\":\"t%d\",\"question\":\"training number %d\",\"solution\":\"It is %d.\",\"answer\":\"%d\"}\n", i, i, i, i)
	}
	for name, text := range map[string]string{"gsm8k.jsonl": gsm.String(), "math.jsonl": math.String(), "train.jsonl": train.String()} {
		if err := os.WriteFile(p.path(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p tableProtocol) path(name string) string { return filepath.Join(p.folder, name) }

// common are the flags of all runs.
func (p tableProtocol) common(out string, more ...string) []string {
	return append([]string{
		"reproduce", "--llm", "tiny", "-k", "4", "--problems", p.path("train.jsonl"), "--seeds", "1,2", "--epochs", "2",
		"--cache", p.cache, "--out", p.path(out), "--json",
	}, more...)
}

func (p tableProtocol) args(out string, more ...string) []string {
	return p.common(out, append([]string{
		"--upstream", p.url, "--test", "gsm8k=" + p.path("gsm8k.jsonl"), "--test", "math=" + p.path("math.jsonl"),
		"--retries", "0", "--retry-for", "1ms", "--concurrency", "1",
	}, more...)...)
}

// table runs the command and returns the table that it prints.
func (p tableProtocol) table(t *testing.T, args []string) (table reproduce.Table) {
	t.Helper()
	got := rcvaeRun(t, "", args...)
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	if err := json.Unmarshal([]byte(got.stdout), &table); err != nil {
		t.Fatal(err)
	}
	return table
}

// accuracies returns the cells by row, suite and way of grading.
func accuracies(table reproduce.Table) map[string]float64 {
	flat := map[string]float64{}
	for _, row := range table.Rows {
		for suite, cells := range row.Cells {
			for match, cell := range cells {
				flat[row.Name+"|"+suite+"|"+match] = cell.Accuracy
			}
		}
	}
	return flat
}

// TestReproduceTheTable runs the whole protocol against the scripted server, whose
// accuracies are known.
func TestReproduceTheTable(t *testing.T) {
	p := newTableProtocol(t, rcvaetest.Script{})
	got := accuracies(p.table(t, p.args("out", "--gold", "authors", "--max-tokens", "256"))) // of a solution, and not of the embedder
	for cell, want := range map[string]float64{
		"greedy, T = 0|gsm8k|honest":                     0.5, // even questions
		"greedy, T = 0|math|honest":                      0.5,
		"greedy of the released code, T = 1|math|honest": 1, // the first seed is odd
		"top-k 32, one sample|gsm8k|honest":              0.5,
		"top-p 0.9, one sample|math|honest":              0.5,
		"top-p 0.9, majority|math|honest":                0.5, // two against two
		"oracle (pass@k)|gsm8k|honest":                   1,
		"oracle (pass@k)|gsm8k|strict":                   0, // no answer stands behind ####
		"oracle (pass@k)|math|strict":                    0, // the reference is cut at its first brace
	} {
		if accuracy, ok := got[cell]; !ok || accuracy != want {
			t.Errorf("%s: %v, %v, want %v", cell, accuracy, ok, want)
		}
	}
	for _, row := range []string{"R-CVAE of the text: lowest entropy", "R-CVAE of the code: smallest ‖μ‖", "ours: `vote:entropy`"} {
		if _, ok := got[row+"|math|honest"]; !ok {
			t.Errorf("the table has no row %q", row)
		}
	}
	p.checkSettings(t)
	p.checkFiles(t)
}

// checkSettings checks which settings the server was asked with.
func (p tableProtocol) checkSettings(t *testing.T) {
	t.Helper()
	drawn := map[string]int{}
	for _, c := range p.server.Calls() {
		if c.Method != http.MethodPost {
			continue
		}
		var temperature, topP, topK float64
		for name, to := range map[string]*float64{"temperature": &temperature, "top_p": &topP, "top_k": &topK} {
			if _, err := c.Body.Decode(name, to); err != nil {
				t.Fatal(err)
			}
		}
		drawn[fmt.Sprintf("%g %g %g", temperature, topP, topK)] += c.N
	}
	const both = 2 * tableQuestions
	for settings, least := range map[string]int{"0 1 -1": both, "1 1 -1": both, "0.7 1 32": 4 * both, "0.7 0.9 -1": 4 * both} {
		if drawn[settings] < least || drawn[settings] > least+1 { // one more measures the server's speed
			t.Errorf("%d solutions with %s, want %d", drawn[settings], settings, least)
		}
	}
}

func (p tableProtocol) checkFiles(t *testing.T) {
	t.Helper()
	result, err := readResult(p.path("out/result.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, suite := range reproduce.Suites() {
		if !slices.ContainsFunc(result.Pools, func(pool eval.Pool) bool { return pool.Pool == reproduce.MainPool(suite) }) {
			t.Errorf("the result lacks %s", reproduce.MainPool(suite))
		}
	}
	for name, parts := range map[string][]string{
		"table.md":      {"| the paper: SmolLM2-1.7B, GSM8K | 23.4 | 37.2 | 40.7 | 43.2 |", "| the paper: Llama-3.2-1B, MATH | 10.8 | 18.2 | 19.8 | 21.7 |", "cut at the first closing brace"},
		"report.html":   {"gsm8k top_p ours honest"},
		"protocol.json": {`"cut_gold": true`, `"g5"`},
	} {
		data, err := os.ReadFile(p.path(filepath.Join("out", name)))
		for _, part := range parts {
			if err != nil || !bytes.Contains(data, []byte(part)) {
				t.Errorf("%s, %v, lacks %q", name, err, part)
			}
		}
	}
}

// TestAnInterruptedReproductionGivesTheSameTable, draws nothing twice, and samples that
// are there give it too.
func TestAnInterruptedReproductionGivesTheSameTable(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stopped atomic.Bool
	p := newTableProtocol(t, rcvaetest.Script{Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		var topK float64
		_, _ = c.Body.Decode("top_k", &topK)
		if topK == 32 && strings.HasPrefix(c.Question, "half number 3") && stopped.CompareAndSwap(false, true) {
			cancel()
			return &rcvaetest.Fault{Silent: true}
		}
		return nil
	}})
	var stderr bytes.Buffer
	if code := run(ctx, p.args("out"), strings.NewReader(""), &bytes.Buffer{}, &stderr); code != exitFailure || !strings.Contains(stderr.String(), "math, top_k") || !strings.Contains(stderr.String(), "continue") {
		t.Fatalf("exit code %d, error %q, want it interrupted and how to go on", code, stderr.String())
	}
	before := len(p.server.Calls())
	resumed := accuracies(p.table(t, p.args("out")))
	for _, c := range p.server.Calls()[before+2:] { // after the one that measures the speed, and the list of models
		if strings.HasPrefix(c.Question, "whole") {
			t.Errorf("%q was drawn again", c.Question)
		}
	}
	whole := accuracies(p.table(t, p.args("whole")))
	checkSame(t, "resumed", resumed, whole)
	again := len(p.server.Calls())
	checkSame(t, "finished", accuracies(p.table(t, p.args("whole"))), whole)
	if more := len(p.server.Calls()) - again; more > 0 {
		t.Errorf("%d calls for samples that are there", more)
	}
	args := p.common("pooled", "--from-pool", "gsm8k="+p.joined(t, "gsm8k"), "--from-pool", "math="+p.joined(t, "math"))
	p.server = nil
	pooled := accuracies(p.table(t, args))
	for cell := range whole { // a pool of this form has no arm of the released code's greedy
		if _, ok := pooled[cell]; !ok && strings.HasPrefix(cell, "greedy of the released") {
			delete(whole, cell)
		}
	}
	checkSame(t, "from pools", pooled, whole)
}

func checkSame(t *testing.T, name string, got, want map[string]float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d cells, want %d", name, len(got), len(want))
	}
	for cell, accuracy := range want {
		if got[cell] != accuracy {
			t.Errorf("%s: %s is %v, want %v", name, cell, got[cell], accuracy)
		}
	}
}

// joined writes the samples of all arms of a suite as one pool.
func (p tableProtocol) joined(t *testing.T, suite string) string {
	t.Helper()
	var questions []rcvae.Question
	for _, arm := range []string{reproduce.Greedy, reproduce.TopK, reproduce.TopP} {
		list, err := dataset.LoadPool(p.path("whole/samples/" + suite + "-" + arm + ".jsonl.gz"))
		if err != nil {
			t.Fatal(err)
		}
		if questions == nil {
			questions = list
			continue
		}
		for i := range list {
			questions[i].Candidates = append(questions[i].Candidates, list[i].Candidates...)
		}
	}
	path := p.path(suite + "-joined.jsonl")
	if err := dataset.SavePool(path, questions); err != nil {
		t.Fatal(err)
	}
	return path
}
