package llm_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"rcvae/llm"
	"rcvae/rcvaetest"
)

// TestBreaker checks that a server in trouble is left alone and then tried again.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, u := inMemory(t, rcvaetest.Script{Fault: firstCalls(10, rcvaetest.Fault{Reset: true})}, func(o *llm.Options) { o.Retries = 0 })
		r := chat(t, question, "")
		r.K = 1
		for i := range 15 {
			_, err := u.Draw(t.Context(), r)
			if open := errors.Is(err, llm.ErrUnavailable); err == nil || open != (i >= 10) {
				t.Errorf("call %d: %v; want it let through: %v", i+1, err, i < 10)
			}
		}
		if calls := len(s.CallsOf(question)); calls != 10 {
			t.Errorf("the server got %d calls, want 10", calls)
		}
		time.Sleep(6 * time.Second) // of the bubble's clock
		for range 2 {
			if _, err := u.Draw(t.Context(), r); err != nil {
				t.Errorf("after the pause: %v", err)
			}
		}
	})
}

func TestRefusalsDoNotBreakTheCircuit(t *testing.T) {
	_, u := start(t, rcvaetest.Script{Fault: firstCalls(30, rcvaetest.Fault{Status: 400, Message: "too long"})}, nil)
	r := chat(t, question, "")
	r.K = 1
	for range 30 {
		if _, err := u.Draw(t.Context(), r); errors.Is(err, llm.ErrUnavailable) {
			t.Fatalf("Draw = %v after errors that are the caller's", err)
		}
	}
	if _, err := u.Draw(t.Context(), r); err != nil {
		t.Error(err)
	}
}
