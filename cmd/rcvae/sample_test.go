package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"rcvae"
	"rcvae/dataset"
	"rcvae/rcvaetest"
)

// sampling is a folder with problems and a scripted server.
type sampling struct {
	problems, out, url string
	server             *rcvaetest.OpenAI
}

const sampledProblems = 6

// seedOf returns the seed of a choice; a probe has none.
func seedOf(p rcvaetest.Prompt) int64 {
	if p.Seed == nil {
		return 0
	}
	return *p.Seed
}

func problemText(i int) string { return fmt.Sprintf("What is %d times 1?", i) }

func newSampling(t *testing.T, script rcvaetest.Script, out string) sampling {
	t.Helper()
	var lines strings.Builder
	for i := range sampledProblems {
		fmt.Fprintf(&lines, "{\"id\":\"p%d\",\"question\":%q,\"answer\":\"%d\"}\n", i, problemText(i), i)
	}
	problems := writeFile(t, "problems.jsonl", lines.String())
	server, url := rcvaetest.StartOpenAI(t, script)
	return sampling{problems, filepath.Join(filepath.Dir(problems), out), url, server}
}

func (s sampling) args(more ...string) []string {
	return append([]string{"sample", "--problems", s.problems, "--upstream", s.url, "--llm", "m", "-k", "4", "--out", s.out, "--retries", "0"}, more...)
}

// pool reads the pool and checks that it holds every problem once, in order, with
// candidates of its own question.
func (s sampling) pool(t *testing.T, candidates int) []rcvae.Question {
	t.Helper()
	items, err := dataset.LoadPool(s.out)
	if err != nil {
		t.Fatal(err)
	}
	if len(items) != sampledProblems {
		t.Fatalf("the pool holds %d problems, want %d", len(items), sampledProblems)
	}
	for i, item := range items {
		if item.ID != fmt.Sprintf("p%d", i) || item.Question != problemText(i) || len(item.Candidates) != candidates {
			t.Errorf("line %d holds %s with %d candidates, want p%d with %d", i+1, item.ID, len(item.Candidates), i, candidates)
		}
		for _, c := range item.Candidates {
			if !strings.Contains(c.Text, rcvaetest.Marker(item.Question)) {
				t.Errorf("%s has a candidate of another question: %q", item.ID, c.Text)
			}
		}
	}
	if _, err := os.Stat(s.out + ".partial"); err == nil {
		t.Error("the partial pool of a finished run is still there")
	}
	return items
}

func (s sampling) record(t *testing.T) (r runRecord) {
	t.Helper()
	data, err := os.ReadFile(s.out + ".run.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSampleWritesAGradedPool(t *testing.T) {
	for _, out := range []string{"pool.jsonl", "pool.jsonl.gz", "pool.jsonl.zst"} {
		t.Run(out, func(t *testing.T) {
			t.Setenv("RCVAE_UPSTREAM_KEY", "secret-key")
			s := newSampling(t, rcvaetest.Script{Server: rcvaetest.Ollama, Key: "secret-key", Reply: func(p rcvaetest.Prompt) rcvaetest.Reply {
				r := rcvaetest.DefaultReply(p)
				r.Text = rcvaetest.Marker(p.Question) + " Seed " + fmt.Sprint(seedOf(p)) + ". The answer is " + strings.Fields(p.Question)[2] + "."
				if seedOf(p) == 8 {
					r.Text = rcvaetest.Marker(p.Question) + " The answer is 77."
				}
				return r
			}}, out)
			got := rcvaeRun(t, "", s.args("--greedy", "--seed", "7", "--template", "{question}", "--json")...)
			if got.code != exitOK {
				t.Fatalf("exit code %d\n%s", got.code, got.stderr)
			}
			for _, item := range s.pool(t, 5) {
				var samplers []string
				for j, c := range item.Candidates {
					samplers = append(samplers, c.Sampler)
					want := rcvae.Correct
					if j == 2 { // the candidate of seed 8
						want = rcvae.Incorrect
					}
					if c.Verdict != want || c.AnswerFrom == "" || c.Model != "m" || c.Tokens == 0 || c.LogProb == nil {
						t.Errorf("%s, candidate %d: %+v, want it graded %v", item.ID, j, c, want)
					}
				}
				if want := []string{"greedy", "top_p", "top_p", "top_p", "top_p"}; !slices.Equal(samplers, want) {
					t.Errorf("%s has candidates of %v, want %v", item.ID, samplers, want)
				}
			}
			var summary sampleSummary
			if err := json.Unmarshal([]byte(got.stdout), &summary); err != nil || summary.Candidates != 30 || summary.Correct != 24 || summary.Graded != 30 {
				t.Errorf("summary %+v, %v", summary, err)
			}
			r := s.record(t)
			if r.Server.Mode != "fan-out" || r.Plan.K != 4 || r.Plan.Settings.Template != "{question}" || r.Summary == nil || *r.Summary != summary {
				t.Errorf("sidecar %+v", r)
			}
			if sidecar, _ := os.ReadFile(s.out + ".run.json"); bytes.Contains(sidecar, []byte("secret-key")) {
				t.Error("the sidecar shows the key")
			}
		})
	}
}

func TestDrawnPoolCanBeEvaluated(t *testing.T) {
	s := newSampling(t, rcvaetest.Script{}, "pool.jsonl")
	if got := rcvaeRun(t, "", s.args()...); got.code != exitOK {
		t.Fatalf("sample: exit code %d\n%s", got.code, got.stderr)
	}
	got := rcvaeRun(t, "", "eval", "--pool", s.out, "--selector", "majority", "--selector", "logprob")
	if got.code != exitOK || !strings.Contains(got.stdout, "majority") {
		t.Errorf("eval: exit code %d, output %q\n%s", got.code, got.stdout, got.stderr)
	}
}

// TestKilledRunResumes interrupts a run when some problems are finished, tears the end
// of its file as a kill could, and checks that the second run draws only what is missing.
func TestKilledRunResumes(t *testing.T) {
	for name, tail := range map[string]string{"torn line": `{"id": "p5", "question": "Wh`, "zeros": "\x00\x00\x00\n", "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var mu sync.Mutex
			killed := false
			s := newSampling(t, rcvaetest.Script{Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
				mu.Lock()
				defer mu.Unlock()
				if c.Question == problemText(3) && !killed {
					killed = true
					cancel()
					return &rcvaetest.Fault{Silent: true}
				}
				return nil
			}}, "pool.jsonl.gz")
			var stderr bytes.Buffer
			code := run(ctx, s.args("--concurrency", "1"), strings.NewReader(""), &bytes.Buffer{}, &stderr)
			if code != exitFailure || !strings.Contains(stderr.String(), "interrupted; 3 of 6") || !strings.Contains(stderr.String(), "continue") {
				t.Fatalf("exit code %d, error %q, want 1, what is done and how to go on", code, stderr.String())
			}
			if _, err := os.Stat(s.out); err == nil {
				t.Error("an interrupted run left a pool")
			}
			partial, err := os.OpenFile(s.out+".partial", os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := partial.WriteString(tail); err != nil {
				t.Fatal(err)
			}
			partial.Close()
			before := len(s.server.Calls())
			if got := rcvaeRun(t, "", s.args()...); got.code != exitOK {
				t.Fatalf("resume: exit code %d\n%s", got.code, got.stderr)
			}
			s.pool(t, 4)
			for _, c := range s.server.Calls()[before:] {
				if slices.Contains([]string{problemText(0), problemText(1), problemText(2)}, c.Question) {
					t.Errorf("%q was drawn again", c.Question)
				}
			}
			if runs := s.record(t).Runs; len(runs) != 2 {
				t.Errorf("the sidecar tells of %d runs, want 2", len(runs))
			}
		})
	}
}

func TestResumeWithOtherSettingsNamesTheDifference(t *testing.T) {
	s := newSampling(t, rcvaetest.Script{}, "pool.jsonl")
	if got := rcvaeRun(t, "", s.args()...); got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	calls := len(s.server.Calls())
	for _, tt := range []struct{ args, want []string }{
		{[]string{"--temperature", "1"}, []string{"temperature was 0.7, is 1", "--resume=false"}},
		{[]string{"--template", "Q: {question}"}, []string{`template was "{question}", is "Q: {question}"`}},
		{[]string{"-k", "5", "--greedy"}, []string{"k was 4, is 5", "greedy was false, is true"}},
		{[]string{"--stop", "Q:"}, []string{`stop was not set, is ["Q:"]`}},
		{[]string{"--max-questions", "2"}, []string{"not among the problems"}},
	} {
		got := rcvaeRun(t, "", s.args(tt.args...)...)
		for _, part := range tt.want {
			if got.code != exitFailure || !strings.Contains(got.stderr, part) {
				t.Errorf("%v: exit code %d, error %q, want 1 and %q", tt.args, got.code, got.stderr, part)
			}
		}
	}
	if got := rcvaeRun(t, "", s.args()...); got.code != exitOK {
		t.Errorf("the same command again: exit code %d\n%s", got.code, got.stderr)
	}
	if now := len(s.server.Calls()); now != calls {
		t.Errorf("%d calls for a pool that was finished", now-calls)
	}
	if got := rcvaeRun(t, "", s.args("--temperature", "1", "--resume=false")...); got.code != exitOK {
		t.Errorf("starting anew: exit code %d\n%s", got.code, got.stderr)
	}
	s.pool(t, 4)
	if got := s.record(t).Plan.Settings.Temperature; got != 1 {
		t.Errorf("the sidecar has the temperature %v, want 1", got)
	}
}

func TestForeignPoolIsNotOverwritten(t *testing.T) {
	s := newSampling(t, rcvaetest.Script{}, "pool.jsonl")
	const foreign = `{"id":"a","question":"q","candidates":[{"text":"t"}]}` + "\n"
	if err := os.WriteFile(s.out, []byte(foreign), 0o644); err != nil {
		t.Fatal(err)
	}
	got := rcvaeRun(t, "", s.args()...)
	if left, _ := os.ReadFile(s.out); got.code != exitFailure || string(left) != foreign || !strings.Contains(got.stderr, "--resume=false") {
		t.Errorf("exit code %d, error %q, the file holds %q", got.code, got.stderr, left)
	}
}

func TestDamagedLineInTheMiddleIsAnError(t *testing.T) {
	s := newSampling(t, rcvaetest.Script{}, "pool.jsonl")
	if got := rcvaeRun(t, "", s.args()...); got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	pool, err := os.ReadFile(s.out)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.out+".partial", append([]byte("oops\n"), pool...), 0o644); err != nil {
		t.Fatal(err)
	}
	got := rcvaeRun(t, "", s.args()...)
	if got.code != exitFailure || !strings.Contains(got.stderr, "pool.jsonl.partial:1:") {
		t.Errorf("exit code %d, error %q, want 1 and the line", got.code, got.stderr)
	}
}

func TestFailedProblemsAreLeftForTheNextRun(t *testing.T) {
	var mu sync.Mutex
	broken := true
	s := newSampling(t, rcvaetest.Script{Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if c.Question == problemText(2) && broken {
			return &rcvaetest.Fault{Status: 400, Message: "the prompt is too long"}
		}
		return nil
	}}, "pool.jsonl")
	got := rcvaeRun(t, "", s.args()...)
	for _, part := range []string{"problem p2", "too long", s.url, "5 of 6"} {
		if got.code != exitFailure || !strings.Contains(got.stderr, part) {
			t.Errorf("exit code %d, error %q, want 1 and %q", got.code, got.stderr, part)
		}
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	if got := rcvaeRun(t, "", s.args()...); got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	s.pool(t, 4)
}

func TestMissingCandidatesAreTold(t *testing.T) {
	s := newSampling(t, rcvaetest.Script{Server: rcvaetest.Ollama, Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		if seed, _ := c.Body.Get("seed"); string(seed) == "3" && c.Question == problemText(1) {
			return &rcvaetest.Fault{Status: 400, Message: "no"}
		}
		return nil
	}}, "pool.jsonl")
	got := rcvaeRun(t, "", s.args()...)
	if got.code != exitOK || !strings.Contains(got.stderr, "p1: 3 of 4 candidates") {
		t.Errorf("exit code %d, error %q, want 0 and a warning", got.code, got.stderr)
	}
	if w := s.record(t).Runs[0].Warnings; len(w) != 1 {
		t.Errorf("the sidecar has the warnings %q, want one", w)
	}
}

func TestSampleStopsWhenTheServerIsHopeless(t *testing.T) {
	s := newSampling(t, rcvaetest.Script{Key: "k"}, "pool.jsonl")
	got := rcvaeRun(t, "", s.args("--concurrency", "1")...)
	if got.code != exitFailure || !strings.Contains(got.stderr, "401") || !strings.Contains(got.stderr, "0 of 6") {
		t.Errorf("exit code %d, error %q, want 1 and the server's 401", got.code, got.stderr)
	}
	if calls := len(s.server.Calls()); calls > 3 {
		t.Errorf("%d calls with a wrong key, want the run to stop", calls)
	}
}
