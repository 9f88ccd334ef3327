package llm_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rcvae/llm"
	"rcvae/rcvaetest"
)

// firstCalls plays the fault for the first n calls about the test's question.
func firstCalls(n int, fault rcvaetest.Fault) func(rcvaetest.Call) *rcvaetest.Fault {
	var mu sync.Mutex
	return func(c rcvaetest.Call) *rcvaetest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if c.Question != question || n == 0 {
			return nil
		}
		n--
		return &fault
	}
}

// warm lets the upstream find out how the server gives several choices.
func warm(t *testing.T, u *llm.Upstream) {
	t.Helper()
	if _, err := u.Draw(t.Context(), chat(t, "another question", "")); err != nil {
		t.Fatal(err)
	}
}

func TestPassingFaultsAreRetried(t *testing.T) {
	for name, fault := range map[string]rcvaetest.Fault{
		"429": {Status: 429}, "500": {Status: 500}, "502": {Status: 502}, "503": {Status: 503}, "504": {Status: 504},
		"520": {Status: 520}, "522": {Status: 522}, "524": {Status: 524}, "529": {Status: 529},
		"half a body": {Half: true}, "no JSON": {Garbage: true}, "connection reset": {Reset: true},
	} {
		for _, server := range []rcvaetest.Server{rcvaetest.VLLM, rcvaetest.Ollama} {
			t.Run(name+"/"+string(server), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, u := inMemory(t, rcvaetest.Script{Server: server, Fault: firstCalls(2, fault)}, func(o *llm.Options) { o.RepeatCut = true })
					r := chat(t, question, "")
					r.Body = seeded(r.Body, 0)
					draw, err := u.Draw(t.Context(), r)
					if err != nil {
						t.Fatal(err)
					}
					checkChoices(t, draw, 8, 0)
					want := map[rcvaetest.Server]int{rcvaetest.VLLM: 3, rcvaetest.Ollama: 10}[server]
					if got := len(s.CallsOf(question)); got != want {
						t.Errorf("%d calls, want %d", got, want)
					}
				})
			})
		}
	}
}

// TestFaultsOnTheWire plays the faults that only a real connection has.
func TestFaultsOnTheWire(t *testing.T) {
	for name, fault := range map[string]rcvaetest.Fault{"half a body": {Half: true}, "connection reset": {Reset: true}} {
		t.Run(name, func(t *testing.T) {
			_, u := start(t, rcvaetest.Script{Fault: firstCalls(1, fault)}, func(o *llm.Options) { o.RepeatCut = true })
			r := chat(t, question, "")
			r.Body = seeded(r.Body, 0)
			draw, err := u.Draw(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			checkChoices(t, draw, 8, 0)
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for _, tt := range []struct {
		name     string
		header   func() string
		from, to time.Duration
	}{
		{"seconds", func() string { return "7" }, 7 * time.Second, 7 * time.Second},
		{"date", func() string { return time.Now().Add(10 * time.Second).UTC().Format(http.TimeFormat) }, 10 * time.Second, 10 * time.Second},
		{"a date in the past", func() string { return "Sat, 02 Jan 1999 15:04:05 GMT" }, 200 * time.Millisecond, 300 * time.Millisecond},
		{"nonsense", func() string { return "soon" }, 200 * time.Millisecond, 300 * time.Millisecond},
		{"none", func() string { return "" }, 200 * time.Millisecond, 300 * time.Millisecond},
	} {
		for _, status := range []int{429, 503} {
			t.Run(tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					fault := rcvaetest.Fault{Status: status, RetryAfter: tt.header()}
					_, u := inMemory(t, rcvaetest.Script{Fault: firstCalls(1, fault)}, nil)
					begin := time.Now()
					if _, err := u.Draw(t.Context(), chat(t, question, "")); err != nil {
						t.Fatal(err)
					}
					if took := time.Since(begin); took < tt.from || took > tt.to {
						t.Errorf("retried after %v, want %v to %v", took, tt.from, tt.to)
					}
				})
			})
		}
	}
}

func TestWhatIsNotRetried(t *testing.T) {
	for name, fault := range map[string]rcvaetest.Fault{
		"400": {Status: 400, Message: "messages are empty"}, "401": {Status: 401}, "404": {Status: 404},
		"501": {Status: 501}, "500 about n": {Status: 500, Message: "Only one completion choice is allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			server, u := start(t, rcvaetest.Script{Fault: firstCalls(100, fault)}, nil)
			r := chat(t, question, "")
			r.K = 1
			_, err := u.Draw(t.Context(), r)
			status, ok := errors.AsType[*llm.StatusError](err)
			if !ok || status.Status != fault.Status {
				t.Fatalf("Draw = %v, want a StatusError %d", err, fault.Status)
			}
			if calls := len(server.CallsOf(question)); calls != 1 {
				t.Errorf("%d calls, want 1", calls)
			}
		})
	}
}

func TestAllFailedNamesServerAndFirstCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, u := inMemory(t, rcvaetest.Script{Server: rcvaetest.Ollama, Fault: firstCalls(1000, rcvaetest.Fault{Status: 500, Message: "out of memory"})},
			func(o *llm.Options) { o.Retries = 1; o.Concurrency = 1 })
		warm(t, u)
		r := chat(t, question, "")
		r.K = 2
		draw, err := u.Draw(t.Context(), r)
		if err == nil {
			t.Fatalf("Draw = %+v, want an error", draw)
		}
		for _, part := range []string{"http://scripted.test/v1", "500", "out of memory", "2 choices"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("error %q, want %q in it", err, part)
			}
		}
		if status, ok := errors.AsType[*llm.StatusError](err); !ok || status.Detail.Message != "out of memory" {
			t.Errorf("the cause is %v, want the server's", status)
		}
		if calls := len(s.CallsOf(question)); calls != 4 {
			t.Errorf("%d calls for 2 choices and one retry each, want 4", calls)
		}
	})
}

func TestSurvivorsOfPartialFailure(t *testing.T) {
	script := rcvaetest.Script{Server: rcvaetest.Ollama, Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		if seed, _ := c.Body.Get("seed"); string(seed) == "102" || string(seed) == "105" {
			return &rcvaetest.Fault{Status: 400, Message: "seed " + string(seed) + " is cursed"}
		}
		return nil
	}}
	_, u := start(t, script, func(o *llm.Options) { o.Concurrency = 1 })
	warm(t, u)
	var heard []int
	r := chat(t, question, `,"seed":100`)
	r.OnChoice = func(c llm.Choice) { heard = append(heard, c.Index) }
	draw, err := u.Draw(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, c := range draw.Choices {
		got = append(got, c.Index)
	}
	slices.Sort(heard)
	if want := []int{0, 1, 3, 4, 6, 7}; !slices.Equal(got, want) || !slices.Equal(heard, want) {
		t.Errorf("choices %v, heard %v, want %v", got, heard, want)
	}
	if draw.Err == nil || !strings.Contains(draw.Err.Error(), "cursed") {
		t.Errorf("first cause %v, want the server's message", draw.Err)
	}
}

// TestSilentCallsTimeOut lets one of eight calls never answer.
func TestSilentCallsTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, u := inMemory(t, rcvaetest.Script{Server: rcvaetest.Ollama, Fault: firstCalls(1, rcvaetest.Fault{Silent: true})},
			func(o *llm.Options) { o.Timeout = time.Minute })
		warm(t, u)
		begin := time.Now()
		draw, err := u.Draw(t.Context(), chat(t, question, ""))
		if err != nil || len(draw.Choices) != 7 {
			t.Fatalf("%d choices, %v, want 7 survivors", len(draw.Choices), err)
		}
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("took %v, want the time limit: no retry of a call that timed out", took)
		}
		if draw.Err == nil || !strings.Contains(draw.Err.Error(), "no answer within 1m0s") {
			t.Errorf("first cause %v, want the time limit", draw.Err)
		}
		synctest.Wait()
		if s.Cancelled() != 1 {
			t.Errorf("%d calls were cancelled at the server, want 1", s.Cancelled())
		}
	})
}

// TestSlowChoiceDoesNotHoldTheOthers releases the slow call only when the others have
// been heard of.
func TestSlowChoiceDoesNotHoldTheOthers(t *testing.T) {
	release := make(chan struct{})
	_, u := start(t, rcvaetest.Script{Server: rcvaetest.Ollama, Fault: firstCalls(1, rcvaetest.Fault{Wait: release})}, nil)
	warm(t, u)
	r := chat(t, question, "")
	heard := 0
	r.OnChoice = func(llm.Choice) {
		if heard++; heard == 7 {
			close(release)
		}
	}
	if draw, err := u.Draw(t.Context(), r); err != nil || len(draw.Choices) != 8 {
		t.Errorf("%d choices, %v, want 8", len(draw.Choices), err)
	}
}

func TestCancelStopsTheUpstreamCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, u := inMemory(t, rcvaetest.Script{Server: rcvaetest.Ollama, Fault: firstCalls(8, rcvaetest.Fault{Silent: true})}, nil)
		warm(t, u)
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() {
			_, err := u.Draw(ctx, chat(t, question, ""))
			result <- err
		}()
		synctest.Wait()
		if calls := len(s.CallsOf(question)); calls != 8 {
			t.Errorf("%d calls under way, want 8", calls)
		}
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("Draw = %v, want context.Canceled", err)
		}
		synctest.Wait()
		if s.Cancelled() != 8 {
			t.Errorf("the server saw %d of 8 calls end", s.Cancelled())
		}
	})
}

// TestCancelReachesTheServer is the same over a real connection.
func TestCancelReachesTheServer(t *testing.T) {
	arrived, ended := make(chan struct{}, 8), make(chan struct{}, 8)
	server := rcvaetest.NewOpenAI(rcvaetest.Script{Server: rcvaetest.Ollama})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(server.Calls()) < 8 { // those that show that the server gives one choice
			server.ServeHTTP(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // the server sees a client leave only after the body
		arrived <- struct{}{}
		<-r.Context().Done()
		ended <- struct{}{}
	})
	u := upstreamOf(t, handler)
	warm(t, u)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for range 8 {
			<-arrived
		}
		cancel()
	}()
	if _, err := u.Draw(ctx, chat(t, question, "")); !errors.Is(err, context.Canceled) {
		t.Errorf("Draw = %v, want context.Canceled", err)
	}
	for range 8 {
		<-ended
	}
}

func TestCancelDuringBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, u := inMemory(t, rcvaetest.Script{Fault: firstCalls(100, rcvaetest.Fault{Status: 429, RetryAfter: "50"})}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		_, err := u.Draw(ctx, chat(t, question, ""))
		if took := time.Since(begin); err == nil || took != time.Second {
			t.Errorf("Draw = %v after %v, want an error at the deadline", err, took)
		}
	})
}
