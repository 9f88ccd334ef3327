package llm_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"rcvae/llm"
	"rcvae/rcvaetest"
)

// TestARestartIsSatOut: a server that is away for a minute costs time and nothing else.
func TestARestartIsSatOut(t *testing.T) {
	for name, fault := range map[string]rcvaetest.Fault{"503": {Status: 503}, "502": {Status: 502}, "521": {Status: 521}, "reset": {Reset: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				back := time.Now().Add(time.Minute)
				_, u := inMemory(t, rcvaetest.Script{Fault: func(rcvaetest.Call) *rcvaetest.Fault {
					if time.Now().Before(back) {
						return &fault
					}
					return nil
				}}, func(o *llm.Options) { o.Retries, o.RetryFor = 0, 5*time.Minute })
				if draw, err := u.Draw(t.Context(), chat(t, question, "")); err != nil || len(draw.Choices) != 8 {
					t.Errorf("%d choices, %v", len(draw.Choices), err)
				}
			})
		})
	}
}

// TestAwayForGood ends within the time that was allowed, and says so.
func TestAwayForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, u := inMemory(t, rcvaetest.Script{Fault: func(rcvaetest.Call) *rcvaetest.Fault { return &rcvaetest.Fault{Status: 503} }},
			func(o *llm.Options) { o.Retries, o.RetryFor = 0, time.Minute })
		begin := time.Now()
		_, err := u.Draw(t.Context(), chat(t, question, ""))
		if took := time.Since(begin); !llm.Away(err) || took > time.Minute || took < 30*time.Second {
			t.Errorf("Draw = %v after %v, want the server away after about a minute", err, took)
		}
	})
}

// TestLongWaitsAreTheCallers: a server that asks for more patience than is allowed is
// not asked again, neither the first time nor when the waits add up.
func TestLongWaitsAreTheCallers(t *testing.T) {
	for name, tt := range map[string]struct {
		header string
		calls  int
		took   time.Duration
	}{"too long": {"60", 1, 0}, "adds up": {"2", 2, 2 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, u := inMemory(t, rcvaetest.Script{Fault: firstCalls(9, rcvaetest.Fault{Status: 429, RetryAfter: tt.header})},
					func(o *llm.Options) { o.LongestWait = 3 * time.Second })
				begin := time.Now()
				_, err := u.Draw(t.Context(), chat(t, question, ""))
				status, ok := errors.AsType[*llm.StatusError](err)
				if !ok || status.Status != 429 || status.RetryAfter == 0 {
					t.Fatalf("Draw = %v, want the 429 with its Retry-After", err)
				}
				if took, calls := time.Since(begin), len(server.Calls()); took != tt.took || calls != tt.calls {
					t.Errorf("%d calls in %v, want %d in %v", calls, took, tt.calls, tt.took)
				}
			})
		})
	}
}

// TestHalfAnAnswerIsNotAskedForAgain: it was billed. Who says so gets it repeated.
func TestHalfAnAnswerIsNotAskedForAgain(t *testing.T) {
	for _, repeat := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			server, u := inMemory(t, rcvaetest.Script{Fault: firstCalls(1, rcvaetest.Fault{Half: true})}, func(o *llm.Options) { o.RepeatCut, o.RetryFor = repeat, time.Hour })
			r := chat(t, question, "")
			r.K = 1
			_, err := u.Draw(t.Context(), r)
			if calls := len(server.Calls()); (err == nil) != repeat || calls != map[bool]int{false: 1, true: 2}[repeat] {
				t.Errorf("repeat %v: %d calls, %v", repeat, calls, err)
			}
			if !repeat && llm.CauseOf(err) != llm.CauseCut {
				t.Errorf("the cause is %q, want cut", llm.CauseOf(err))
			}
		})
	}
}

func TestCauses(t *testing.T) {
	u, err := llm.New(llm.Options{URL: "http://127.0.0.1:1", Concurrency: 1, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Draw(t.Context(), chat(t, question, "")); llm.CauseOf(err) != llm.CauseRefused || !llm.Away(err) {
		t.Errorf("nobody listens: %q (%v), want refused", llm.CauseOf(err), err)
	}
	for want, fault := range map[llm.Cause]rcvaetest.Fault{llm.CauseStatus: {Status: 500}, llm.CauseFormat: {Garbage: true}, llm.CauseReset: {Reset: true}, llm.CauseCut: {Half: true}} {
		_, u := start(t, rcvaetest.Script{Fault: firstCalls(9, fault)}, func(o *llm.Options) { o.Retries = 0 })
		draw, err := u.Draw(t.Context(), chat(t, question, ""))
		if llm.CauseOf(err) != want || draw.Failed[want] == 0 {
			t.Errorf("%+v: cause %q, counted %v, want %q", fault, llm.CauseOf(err), draw.Failed, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		_, u := inMemory(t, rcvaetest.Script{Fault: firstCalls(9, rcvaetest.Fault{Silent: true})}, nil)
		if _, err := u.Draw(t.Context(), chat(t, question, "")); llm.CauseOf(err) != llm.CauseTimeout {
			t.Errorf("silence: %q (%v), want timeout", llm.CauseOf(err), err)
		}
	})
}

// TestAPanicInOnChoiceReachesTheCaller: it must not end the process from a goroutine
// that nobody guards, and no call may be left running.
func TestAPanicInOnChoiceReachesTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, u := inMemory(t, rcvaetest.Script{Server: rcvaetest.Ollama, Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
			if seed, _ := c.Body.Get("seed"); string(seed) > "3" && c.Question == question {
				return &rcvaetest.Fault{Silent: true}
			}
			return nil
		}}, nil)
		warm(t, u)
		r := chat(t, question, `,"seed":0`)
		r.OnChoice = func(llm.Choice) {
			synctest.Wait() // until all calls are under way
			panic("a bug of the caller")
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic did not reach the caller")
				}
			}()
			_, _ = u.Draw(t.Context(), r)
		}()
		synctest.Wait()
		if server.Cancelled() != 4 {
			t.Errorf("%d silent calls were cancelled, want 4", server.Cancelled())
		}
	})
}
