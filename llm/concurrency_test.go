package llm_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"rcvae/llm"
	"rcvae/rcvaetest"
)

func TestConcurrencyIsBoundedOverAllQuestions(t *testing.T) {
	const limit = 3
	// Each call waits until limit calls are under way: with less concurrency than
	// allowed the test would not end, with more it counts them.
	arrived := make(chan struct{}, 1000)
	full := make(chan struct{})
	var once sync.Once
	script := rcvaetest.Script{Server: rcvaetest.Ollama, Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		if !strings.HasPrefix(c.Question, "question") {
			return nil
		}
		if arrived <- struct{}{}; len(arrived) >= limit {
			once.Do(func() { close(full) })
		}
		return &rcvaetest.Fault{Wait: full}
	}}
	server, u := start(t, script, func(o *llm.Options) { o.Concurrency = limit })
	var group sync.WaitGroup
	for i := range 5 {
		group.Go(func() {
			if _, err := u.Draw(t.Context(), chat(t, fmt.Sprintf("question %d", i), "")); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := server.MostAtOnce(); got != limit {
		t.Errorf("%d calls at once, want %d", got, limit)
	}
}
