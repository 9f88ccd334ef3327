package queue

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/llm"
	"rcvae/rcvaetest"
)

// sampler returns a skill that draws from a scripted server.
func sampler(t *testing.T, script rcvaetest.Script) (*rcvaetest.OpenAI, *SampleSkill) {
	t.Helper()
	server, url := rcvaetest.StartOpenAI(t, script)
	o := llm.DefaultOptions(url)
	o.Retries = 0
	upstream, err := llm.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := llm.NewSampler(upstream, llm.DefaultSettings("m"))
	if err != nil {
		t.Fatal(err)
	}
	return server, &SampleSkill{Sampler: s, Model: "m"}
}

func sampleJobs(t *testing.T, n int) (jobs []Job) {
	t.Helper()
	for i := range n {
		job, err := SampleJob{ID: fmt.Sprint("p", i), Question: fmt.Sprintf("What is %d times 1?", i), K: 3, Greedy: true, Settings: llm.DefaultSettings("m")}.Job()
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, job)
	}
	return jobs
}

func (b *bench) sampleCoordinator() *Coordinator {
	b.t.Helper()
	c, err := NewCoordinator(b.t.Context(), b.server, Access{}, SampleSpec("m", Run("sample"), testBuild), quick())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	return c
}

// TestWorkersSample draws with two workers. One question is refused by the server: it is a
// result like others, with the reason.
func TestWorkersSample(t *testing.T) {
	b := newBench(t)
	c := b.sampleCoordinator()
	refused := func(call rcvaetest.Call) *rcvaetest.Fault {
		if call.Question == "What is 3 times 1?" {
			return &rcvaetest.Fault{Status: 400}
		}
		return nil
	}
	var servers []*rcvaetest.OpenAI
	for range 2 {
		server, skill := sampler(t, rcvaetest.Script{Fault: refused})
		servers = append(servers, server)
		b.skilled(skill)
	}
	results := map[string]SampleResult{}
	commit := func(_ string, data []byte) error {
		r, err := DecodeSample(data)
		results[r.Question.ID] = r
		return err
	}
	faulty, err := c.Do(t.Context(), Work{Jobs: sampleJobs(t, 20), Commit: commit})
	if err != nil || len(faulty) > 0 || len(results) != 20 {
		t.Fatalf("%d results, %v failed, error %v, want 20", len(results), faulty, err)
	}
	for id, r := range results {
		if id == "p3" {
			if r.Error == "" || len(r.Question.Candidates) > 0 {
				t.Errorf("the refused question: %+v, want the reason and no candidates", r)
			}
			continue
		}
		calls := slices.Concat(servers[0].CallsOf(r.Question.Question), servers[1].CallsOf(r.Question.Question))
		if len(r.Question.Candidates) != 4 || r.Question.Candidates[0].Sampler != "greedy" || r.Error != "" || r.Tokens < 4 || len(calls) != 2 {
			t.Errorf("%s: %+v after %d calls, want a greedy and three sampled candidates after two calls", id, r, len(calls))
		}
	}
}

// TestAWorkerWithoutItsServer gives its jobs back: another worker does them.
func TestAWorkerWithoutItsServer(t *testing.T) {
	b := newBench(t)
	c := b.sampleCoordinator()
	o := llm.DefaultOptions("http://127.0.0.1:1/v1") // nobody listens there
	o.Retries = 0
	upstream, err := llm.New(o)
	if err != nil {
		t.Fatal(err)
	}
	away, err := llm.NewSampler(upstream, llm.DefaultSettings("m"))
	if err != nil {
		t.Fatal(err)
	}
	b.skilled(&SampleSkill{Sampler: away, Model: "m"})
	_, skill := sampler(t, rcvaetest.Script{})
	b.skilled(skill)
	done := 0
	commit := func(_ string, data []byte) error {
		r, err := DecodeSample(data)
		if err == nil && r.Error == "" {
			done++
		}
		return err
	}
	faulty, err := c.Do(t.Context(), Work{Jobs: sampleJobs(t, 10), Commit: commit})
	if err != nil || len(faulty) > 0 || done != 10 {
		t.Errorf("%d questions drawn, %v failed, error %v, want all 10", done, faulty, err)
	}
}

// TestAResultThatCannotBeStored stays in the queue: the next run has it, and nothing is
// drawn again.
func TestAResultThatCannotBeStored(t *testing.T) {
	b := newBench(t)
	c := b.sampleCoordinator()
	server, skill := sampler(t, rcvaetest.Script{})
	b.skilled(skill)
	full := errors.New("no space left")
	jobs := sampleJobs(t, 5)
	if _, err := c.Do(t.Context(), Work{Jobs: jobs, Commit: func(string, []byte) error { return full }}); !errors.Is(err, full) {
		t.Fatalf("Do: %v, want the error of the commit", err)
	}
	c.Close()
	c = b.sampleCoordinator()
	stored := map[string]bool{}
	commit := func(id string, data []byte) error {
		_, err := DecodeSample(data)
		stored[id] = true
		return err
	}
	left, err := c.Recover(t.Context(), commit)
	if err != nil {
		t.Fatal(err)
	}
	work := Work{Commit: commit}
	for _, l := range left {
		if !stored[l.ID] {
			work.Adopt = append(work.Adopt, l)
		}
	}
	for _, j := range jobs {
		there := slices.ContainsFunc(left, func(l Left) bool { return l.ID == j.ID })
		if !stored[j.ID] && !there {
			work.Jobs = append(work.Jobs, j)
		}
	}
	if _, err := c.Do(t.Context(), work); err != nil || len(stored) != len(jobs) {
		t.Errorf("%d results, %v, want %d", len(stored), err, len(jobs))
	}
	for i := range jobs {
		if n := len(server.CallsOf(fmt.Sprintf("What is %d times 1?", i))); n != 2 {
			t.Errorf("question %d: %d calls, want the 2 of one draw", i, n)
		}
	}
}

// TestSampleResults: what a worker draws is what a pool holds, but for answers and verdicts,
// and what is no result is damaged.
func TestSampleResults(t *testing.T) {
	want := SampleResult{Tokens: 7, Warning: "few", Question: rcvae.Question{
		Problem:    rcvae.Problem{ID: "p", Question: "1 < 2 & \u2028?"},
		Candidates: []rcvae.Candidate{{Text: "<b>yes</b>\n", Model: "m", Sampler: "top_p", Finish: "stop", Tokens: 7, LogProb: &rcvae.LogProb{Sum: -1.25, Tail: -0.1, MinWindow: -3}}},
	}}
	data, err := want.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeSample(data)
	if err != nil {
		t.Fatal(err)
	}
	c, d := got.Question.Candidates[0], want.Question.Candidates[0]
	if got.Tokens != want.Tokens || got.Warning != want.Warning || got.Question.Question != want.Question.Question || c.Text != d.Text || *c.LogProb != *d.LogProb || c.Verdict != rcvae.Ungraded {
		t.Errorf("read %+v, want %+v", got, want)
	}
	for _, bad := range [][]byte{nil, []byte("text"), data[:len(data)/2], []byte(strings.Repeat("\x00", 100))} {
		if _, err := DecodeSample(bad); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %v, want ErrDamaged", bad, err)
		}
	}
}
