package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"rcvae/dataset"
	"rcvae/rcvaetest"
)

// refusing answers the problems at the places with a fault, every time.
func refusing(fault rcvaetest.Fault, places ...int) func(rcvaetest.Call) *rcvaetest.Fault {
	return func(c rcvaetest.Call) *rcvaetest.Fault {
		for _, i := range places {
			if c.Question == problemText(i) {
				return &fault
			}
		}
		return nil
	}
}

// TestAFaultOfOneProblemIsThatProblems: whatever status a server has for it, the others
// are drawn, and --keep-going finishes the pool and lists it.
func TestAFaultOfOneProblemIsThatProblems(t *testing.T) {
	for _, status := range []int{400, 403, 404, 413, 422, 429, 500} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := newSampling(t, rcvaetest.Script{Server: rcvaetest.Ollama, Fault: refusing(rcvaetest.Fault{Status: status, Message: "not this one"}, 1, 4)}, "pool.jsonl")
			got := rcvaeRun(t, "", s.args()...)
			for _, part := range []string{"p1, p4", "not this one", "4 of 6", "--keep-going"} {
				if got.code != exitFailure || !strings.Contains(got.stderr, part) {
					t.Errorf("exit code %d, error %q, want 1 and %q", got.code, got.stderr, part)
				}
			}
			drawn := len(s.server.Calls())
			got = rcvaeRun(t, "", s.args("--keep-going")...)
			if got.code != exitOK || !strings.Contains(got.stderr, "without 2 of 6 problems: p1, p4") {
				t.Fatalf("exit code %d, error %q, want 0 and the list", got.code, got.stderr)
			}
			for _, c := range s.server.Calls()[drawn:] {
				if c.Method == http.MethodPost && c.Question != problemText(1) && c.Question != problemText(4) {
					t.Errorf("%q was drawn again", c.Question)
				}
			}
			pool, err := os.ReadFile(s.out)
			if err != nil || strings.Count(string(pool), "\n") != 4 || strings.Contains(string(pool), `"p1"`) {
				t.Errorf("the pool, %v, is\n%s", err, pool)
			}
			runs := s.record(t).Runs
			if last := runs[len(runs)-1]; last.Failed != 2 || len(last.Failures) != 2 || last.Failures[1].ID != "p4" || !strings.Contains(last.Failures[1].Error, "not this one") {
				t.Errorf("the sidecar has %+v, want both problems and why", last)
			}
		})
	}
}

// TestNothingSucceeds: a wrong name of the model fails for all, and is not asked for a
// thousand times.
func TestNothingSucceeds(t *testing.T) {
	var lines strings.Builder
	for i := range 100 {
		fmt.Fprintf(&lines, "{\"id\":\"p%d\",\"question\":%q,\"answer\":\"1\"}\n", i, problemText(i))
	}
	s := newSampling(t, rcvaetest.Script{Models: []string{"another"}}, "pool.jsonl")
	s.problems = writeFile(t, "many.jsonl", lines.String())
	got := rcvaeRun(t, "", s.args("--keep-going", "--concurrency", "1")...)
	if got.code != exitFailure || !strings.Contains(got.stderr, "does not exist") || !strings.Contains(got.stderr, "0 of 100") {
		t.Errorf("exit code %d, error %q", got.code, got.stderr)
	}
	if calls := len(s.server.Calls()); calls > 3*maxFailedProblems {
		t.Errorf("%d calls, want the run to stop", calls)
	}
}

// TestARestartDoesNotEndTheRun: the server is away for a while in its middle.
func TestARestartDoesNotEndTheRun(t *testing.T) {
	var left atomic.Int64
	left.Store(3)
	s := newSampling(t, rcvaetest.Script{Server: rcvaetest.Ollama, Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		if c.Question == problemText(2) && left.Add(-1) >= 0 {
			return &rcvaetest.Fault{Reset: true}
		}
		return nil
	}}, "pool.jsonl")
	if got := rcvaeRun(t, "", s.args()...); got.code != exitOK {
		t.Fatalf("exit code %d, error %q", got.code, got.stderr)
	}
	s.pool(t, 4)
}

// TestADeadServerIsToldAtOnce, and one that stays away ends the run and not a problem.
func TestADeadServerIsToldAtOnce(t *testing.T) {
	s := newSampling(t, rcvaetest.Script{}, "pool.jsonl")
	dead := s
	dead.url = "http://127.0.0.1:1"
	got := rcvaeRun(t, "", dead.args()...)
	if got.code != exitFailure || !strings.Contains(got.stderr, "ask the server") || !strings.Contains(got.stderr, "refused") {
		t.Errorf("exit code %d, error %q", got.code, got.stderr)
	}
	away := newSampling(t, rcvaetest.Script{Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		if c.Method == http.MethodPost && c.Question != problemText(0) {
			return &rcvaetest.Fault{Status: 503}
		}
		return nil
	}}, "pool.jsonl")
	got = rcvaeRun(t, "", away.args("--retry-for", "1ms", "--concurrency", "1", "--keep-going")...)
	if got.code != exitFailure || !strings.Contains(got.stderr, "503") || !strings.Contains(got.stderr, "1 of 6") || !strings.Contains(got.stderr, "continue") {
		t.Errorf("exit code %d, error %q, want the run to stop", got.code, got.stderr)
	}
	if _, err := os.Stat(away.out); err == nil {
		t.Error("a run that stopped wrote a pool")
	}
}

// TestASecondProcessIsTold: two runs on one pool would mix their k.
func TestASecondProcessIsTold(t *testing.T) {
	release, started := make(chan struct{}), make(chan struct{}, 100)
	s := newSampling(t, rcvaetest.Script{Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		if c.Method != http.MethodPost {
			return nil
		}
		started <- struct{}{}
		return &rcvaetest.Fault{Wait: release}
	}}, "pool.jsonl")
	first := make(chan result, 1)
	go func() { first <- rcvaeRun(t, "", s.args()...) }()
	<-started // nothing is finished yet
	for _, more := range [][]string{nil, {"-k", "2"}, {"--resume=false"}} {
		if got := rcvaeRun(t, "", s.args(more...)...); got.code != exitFailure || !strings.Contains(got.stderr, "another process") {
			t.Errorf("%v: exit code %d, error %q, want it told", more, got.code, got.stderr)
		}
	}
	close(release)
	if got := <-first; got.code != exitOK {
		t.Fatalf("the first: exit code %d, error %q", got.code, got.stderr)
	}
	s.pool(t, 4)
	if k := s.record(t).Plan.K; k != 4 {
		t.Errorf("the sidecar says k = %d, the pool has 4", k)
	}
	if got := rcvaeRun(t, "", s.args("-k", "2")...); got.code != exitFailure || !strings.Contains(got.stderr, "k was 4, is 2") {
		t.Errorf("another k afterwards: exit code %d, error %q", got.code, got.stderr)
	}
	if got := rcvaeRun(t, "", s.args()...); got.code != exitOK {
		t.Errorf("the same afterwards: exit code %d, error %q", got.code, got.stderr)
	}
	s.pool(t, 4)
}

// TestModelsThatRefuseSampling: o-series models take no temperature, Mistral no seed.
func TestModelsThatRefuseSampling(t *testing.T) {
	s := newSampling(t, rcvaetest.Script{Reject: []string{"temperature", "top_p", "seed", "top_k", "min_p"}}, "pool.jsonl")
	got := rcvaeRun(t, "", s.args()...)
	if got.code != exitFailure || !strings.Contains(got.stderr, "--omit") {
		t.Errorf("exit code %d, error %q, want a hint", got.code, got.stderr)
	}
	if got := rcvaeRun(t, "", s.args("--omit", "seed,temperature,top_p,top_k,min_p")...); got.code != exitOK {
		t.Fatalf("exit code %d, error %q", got.code, got.stderr)
	}
	s.pool(t, 4)
	if plan := s.record(t).Plan.Settings; plan.Temperature != 1 || plan.TopP != 1 || len(plan.Omit) != 5 {
		t.Errorf("the sidecar has %+v, want the neutral values and what was left out", plan)
	}
}

// TestTheKeyIsInNoFile: it is sent as the environment has it, spaces and all, and a line
// break in it is refused before anything is.
func TestTheKeyIsInNoFile(t *testing.T) {
	const key = "sk- secret key"
	s := newSampling(t, rcvaetest.Script{Server: rcvaetest.Ollama, Key: key, Fault: refusing(rcvaetest.Fault{Status: 422, Message: "not with Bearer " + key}, 1)}, "pool.jsonl")
	t.Setenv(upstreamKey, key+"\n")
	if got := rcvaeRun(t, "", s.args()...); got.code != exitUsage || !strings.Contains(got.stderr, "line break") || len(s.server.Calls()) != 0 {
		t.Errorf("exit code %d, error %q, %d calls", got.code, got.stderr, len(s.server.Calls()))
	}
	t.Setenv(upstreamKey, key)
	got := rcvaeRun(t, "", s.args("--keep-going")...)
	if got.code != exitOK {
		t.Fatalf("exit code %d, error %q", got.code, got.stderr)
	}
	for end, text := range s.files(t) {
		if strings.Contains(text, "secret") {
			t.Errorf("pool.jsonl%s holds the key", end)
		}
	}
	if strings.Contains(got.stderr+got.stdout, "secret") {
		t.Errorf("the key is printed: %q", got.stderr)
	}
}

// TestThinkingIsInThePool: beside the text, and in it where the server does not tell the
// two apart; a model that was cut while it thought has no answer.
func TestThinkingIsInThePool(t *testing.T) {
	s := newSampling(t, rcvaetest.Script{Server: rcvaetest.Ollama, Reply: func(p rcvaetest.Prompt) rcvaetest.Reply {
		mark := rcvaetest.Marker(p.Question)
		return []rcvaetest.Reply{
			{Text: mark + " The answer is 1.", Reasoning: "Is it 9?"},
			{Text: "<think>The answer is 9.</think>" + mark + " The answer is 1."},
			{Text: "<think>" + mark + " The answer is 1", Finish: "length"},
			{Reasoning: "The answer is 1", Finish: "length"},
		}[(seedOf(p)-1)%4]
	}}, "pool.jsonl")
	if got := rcvaeRun(t, "", s.args("--seed", "1")...); got.code != exitOK || !strings.Contains(got.stdout, "cut at the token limit") {
		t.Fatalf("exit code %d, %q\n%s", got.code, got.stdout, got.stderr)
	}
	pool, err := dataset.LoadPool(s.out)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range pool {
		var answers []string
		for _, c := range q.Candidates {
			answers = append(answers, c.Answer)
		}
		if strings.Join(answers, ",") != "1,1,," || string(q.Candidates[0].Extra["reasoning_content"]) != `"Is it 9?"` || !strings.Contains(q.Candidates[1].Text, "<think>") {
			t.Errorf("answers %q of %+v, want the thinking kept and not read", answers, q.Candidates)
		}
	}
	if summary := s.record(t).Summary; summary.Cut != 2*sampledProblems || summary.NoAnswer != 2*sampledProblems {
		t.Errorf("the sidecar counts %+v, want two of each problem cut and without an answer", summary)
	}
}

// TestARunThatCannotWriteSaysHowFarItCame.
func TestARunThatCannotWriteSaysHowFarItCame(t *testing.T) {
	var s sampling
	s = newSampling(t, rcvaetest.Script{Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		if c.Question == problemText(5) {
			_ = os.Remove(s.out + ".run.json")
			_ = os.MkdirAll(s.out+".run.json/in the way", 0o755)
		}
		return nil
	}}, "pool.jsonl")
	got := rcvaeRun(t, "", s.args("--concurrency", "1")...)
	for _, part := range []string{"6 of 6 problems are drawn", s.out + ".partial", "continue"} {
		if got.code != exitFailure || !strings.Contains(got.stderr, part) {
			t.Errorf("exit code %d, error %q, want 1 and %q", got.code, got.stderr, part)
		}
	}
	if err := os.RemoveAll(s.out + ".run.json"); err != nil {
		t.Fatal(err)
	}
}
