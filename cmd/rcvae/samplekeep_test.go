package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"rcvae/rcvaetest"
)

// files returns the contents of the pool and what stands beside it.
func (s sampling) files(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, end := range []string{"", ".run.json", ".sha256", ".partial"} {
		if data, err := os.ReadFile(s.out + end); err == nil {
			out[end] = string(data)
		}
	}
	return out
}

func sameFiles(a, b map[string]string) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

// TestAnIdleRunChangesNothing: a second run has nothing to draw, and what the first saw of
// the server stays in the sidecar.
func TestAnIdleRunChangesNothing(t *testing.T) {
	s := newSampling(t, rcvaetest.Script{Server: rcvaetest.Ollama}, "pool.jsonl")
	if got := rcvaeRun(t, "", s.args()...); got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	before := s.files(t)
	if s.record(t).Server.Mode != "fan-out" {
		t.Fatal("the first run saw nothing of the server: the test is void")
	}
	got := rcvaeRun(t, "", s.args()...)
	if got.code != exitOK || !strings.Contains(got.stdout, "6 questions") {
		t.Errorf("exit code %d, output %q", got.code, got.stdout)
	}
	if after := s.files(t); !sameFiles(before, after) {
		t.Errorf("the idle run changed\n%v\nto\n%v", before, after)
	}
}

// TestALaterRunKeepsWhatIsKnownOfTheServer: it draws one problem more, from a server that
// takes fields which the first one refused.
func TestALaterRunKeepsWhatIsKnownOfTheServer(t *testing.T) {
	s := newSampling(t, rcvaetest.Script{Server: rcvaetest.Ollama, Fault: refusing(rcvaetest.Fault{Status: 422, Message: "not this one"}, 4)}, "pool.jsonl")
	if got := rcvaeRun(t, "", s.args("--keep-going")...); got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	r := s.record(t)
	r.Server.Refused = []string{"top_k"}
	data, err := json.Marshal(r)
	if err == nil {
		err = os.WriteFile(s.out+".run.json", data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, s.url = rcvaetest.StartOpenAI(t, rcvaetest.Script{Server: rcvaetest.Ollama})
	if got := rcvaeRun(t, "", s.args()...); got.code != exitOK || !strings.Contains(got.stderr, "was drawn from "+r.Server.URL+" so far") {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	if after := s.record(t); len(after.Server.Refused) != 1 || len(after.Runs) != 2 || after.Server.URL != s.url || after.Runs[0].Server != r.Server.URL || after.Runs[1].Server != s.url {
		t.Errorf("the sidecar has %+v, want top_k still unsent, two runs and the new address", after)
	}
}

// TestStartingAnewRemovesNothingBeforeAnAnswer: the server is away, refuses the key, or
// fails every problem.
func TestStartingAnewRemovesNothingBeforeAnAnswer(t *testing.T) {
	s := newSampling(t, rcvaetest.Script{}, "pool.jsonl")
	if got := rcvaeRun(t, "", s.args()...); got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	before := s.files(t)
	for name, fault := range map[string]*rcvaetest.Fault{"away": nil, "key": {Status: 401}, "every problem": {Status: 422}} {
		t.Run(name, func(t *testing.T) {
			failing := s
			failing.url = "http://127.0.0.1:1"
			if fault != nil {
				_, failing.url = rcvaetest.StartOpenAI(t, rcvaetest.Script{Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
					if c.Method != http.MethodPost {
						return nil
					}
					return fault
				}})
			}
			got := rcvaeRun(t, "", failing.args("--resume=false", "--temperature", "1")...)
			if got.code != exitFailure || !strings.Contains(got.stderr, "once the server has answered") {
				t.Errorf("exit code %d, error %q", got.code, got.stderr)
			}
			if after := s.files(t); !sameFiles(before, after) {
				t.Errorf("files are now %v, want them as they were", after)
			}
		})
	}
	if got := rcvaeRun(t, "", s.args("--resume=false", "--temperature", "1")...); got.code != exitOK {
		t.Fatalf("with a server: exit code %d\n%s", got.code, got.stderr)
	}
	s.pool(t, 4)
	if r := s.record(t); r.Plan.Settings.Temperature != 1 || len(r.Runs) != 1 {
		t.Errorf("the sidecar is %+v, want that of the new pool alone", r)
	}
}

// TestTokensOfAKilledRunAreCounted: a sidecar whose last run did not come to its end.
func TestTokensOfAKilledRunAreCounted(t *testing.T) {
	s := newSampling(t, rcvaetest.Script{Server: rcvaetest.Ollama}, "pool.jsonl")
	if got := rcvaeRun(t, "", s.args()...); got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	r := s.record(t)
	drawn := r.Runs[0].Tokens
	r.Summary, r.Runs[0].Tokens, r.Runs[0].Seconds = nil, 0, 0
	data, err := json.Marshal(r)
	if err == nil {
		err = os.WriteFile(s.out+".run.json", data, 0o644)
	}
	if err == nil {
		err = os.Rename(s.out, s.out+".partial")
	}
	if err != nil || drawn == 0 {
		t.Fatal(drawn, err)
	}
	if got := rcvaeRun(t, "", s.args()...); got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	if after := s.record(t); after.Runs[0].Tokens != drawn || !after.Runs[0].Killed || after.Runs[1].Tokens != 0 {
		t.Errorf("the sidecar has the runs %+v, want %d tokens of the first, which was killed", after.Runs, drawn)
	}
}
