package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rcvae/rcvaetest"
)

// TestSoak sends many requests at once while a tenth of the upstream's calls fail: each
// answer carries its question's marker, memory stays flat, and no goroutine is left.
func TestSoak(t *testing.T) {
	requests, workers := 10000, 256
	if testing.Short() || raceEnabled {
		requests, workers = 1000, 64
	}
	before := runtime.NumGoroutine()
	t.Run("load", func(t *testing.T) { soak(t, requests, workers) })
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	eventually(t, fmt.Sprintf("no more than %d goroutines", before), func() bool { return runtime.NumGoroutine() <= before })
}

func soak(t *testing.T, requests, workers int) {
	faults := []rcvaetest.Fault{{Status: 500}, {Status: 429, RetryAfter: "0.001"}, {Status: 503}, {Half: true}, {Reset: true}, {Garbage: true}}
	s := start(t, func(s *setup) {
		s.script.Server, s.script.Forget = rcvaetest.Ollama, true // a call a candidate
		s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault {
			if c.Number%10 == 3 && strings.HasPrefix(c.Question, "Question") {
				return &faults[c.Number/10%len(faults)]
			}
			return nil
		}
		s.config.K, s.config.MaxConcurrent, s.config.MaxQueue = 3, workers, workers
		s.llm.Concurrency, s.llm.Retries = 2*workers, 0
		s.parts.Logger = nil
	})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	defer client.CloseIdleConnections()
	var next, bad, failed atomic.Int64
	var peak [2]uint64 // heap after a quarter and at the end
	work := func() {
		for {
			i := next.Add(1)
			if i > int64(requests) {
				return
			}
			if i == int64(requests/4) {
				peak[0] = heap()
			}
			switch ok, err := soakOne(client, s.url, i); {
			case err != nil:
				failed.Add(1)
			case !ok:
				bad.Add(1)
			}
		}
	}
	var group sync.WaitGroup
	start := time.Now()
	for range workers {
		group.Go(work)
	}
	group.Wait()
	peak[1] = heap()
	t.Logf("%d requests, %d at once, in %v: %d failed altogether; heap %d KiB after a quarter, %d KiB at the end",
		requests, workers, time.Since(start).Round(time.Millisecond), failed.Load(), peak[0]>>10, peak[1]>>10)
	if bad.Load() > 0 {
		t.Errorf("%d answers belong to another question", bad.Load())
	}
	// All three candidates of a request fail once in a thousand; an open circuit, after
	// 512 failures in a row, does not occur.
	if limit := int64(requests/100) + 5; failed.Load() > limit {
		t.Errorf("%d requests failed, want at most %d", failed.Load(), limit)
	}
	if peak[1] > peak[0]+16<<20 {
		t.Errorf("the heap grew from %d to %d bytes", peak[0], peak[1])
	}
}

// soakOne asks one question, in one of four ways, and reports whether the answer is to it.
func soakOne(client *http.Client, url string, i int64) (ok bool, err error) {
	question := fmt.Sprintf("Question %d?", i)
	fields := []string{`"n":1`, `"stream":true`, `"rcvae":{"return_candidates":true}`, `"n":2`}[i%4]
	response, err := client.Post(url+chat, "application/json", strings.NewReader(ask(question, fields)))
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return false, err
	}
	if response.StatusCode != http.StatusOK {
		return false, fmt.Errorf("status %d", response.StatusCode)
	}
	text := string(body)
	if i%4 == 1 { // the text comes in pieces
		text = streamedText(text)
	}
	count := strings.Count(text, "marker-")
	return count > 0 && count == strings.Count(text, rcvaetest.Marker(question)), nil
}

// streamedText joins the contents of a stream's chunks.
func streamedText(stream string) string {
	var text strings.Builder
	for part := range strings.SplitSeq(stream, `"delta":{"content":"`) {
		content, _, _ := strings.Cut(part, `"`)
		text.WriteString(content)
	}
	return text.String()
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
