package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// clients ask one server over a number of connections.
type clients struct {
	url         string
	model       string
	extra       string
	connections int
	rate        float64
	duration    time.Duration
	warm        time.Duration
	asked       atomic.Int64
}

// result is what the clients saw after the warm-up.
type result struct {
	Requests int     `json:"requests"`
	Errors   int     `json:"errors"`
	Rate     float64 `json:"rate"` // answers a second
	Mean     float64 `json:"mean_ms"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
}

func (c *clients) run() result {
	transport := &http.Transport{MaxIdleConnsPerHost: c.connections, DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	start := time.Now()
	measured := start.Add(c.warm)
	end := measured.Add(c.duration)
	taken, failed := make([][]time.Duration, c.connections), make([]int, c.connections)
	var group sync.WaitGroup
	for w := range c.connections {
		group.Go(func() {
			for turn := 0; ; turn++ {
				if c.rate > 0 { // a worker that is late asks at once
					time.Sleep(time.Until(start.Add(time.Duration(float64(turn*c.connections+w) / c.rate * float64(time.Second)))))
				}
				before := time.Now()
				if before.After(end) {
					return
				}
				err := c.ask(client)
				if took := time.Since(before); err != nil {
					failed[w]++
				} else if !before.Before(measured) {
					taken[w] = append(taken[w], took)
				}
			}
		})
	}
	group.Wait()
	return summary(slices.Concat(taken...), failed, time.Since(measured))
}

func (c *clients) ask(client *http.Client) error {
	body := fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"Question %d of run %d: how many pieces are there?"}]%s}`,
		c.model, c.asked.Add(1), runID, c.extra)
	request, err := http.NewRequest(http.MethodPost, c.url+"/chat/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer load")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}

// runID keeps the questions of two runs apart: embeddings are cached.
var runID = time.Now().UnixNano()

func summary(taken []time.Duration, failed []int, elapsed time.Duration) result {
	r := result{Requests: len(taken)}
	for _, n := range failed {
		r.Errors += n
	}
	if len(taken) == 0 {
		return r
	}
	slices.Sort(taken)
	var sum time.Duration
	for _, d := range taken {
		sum += d
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	r.Rate = float64(len(taken)) / elapsed.Seconds()
	r.Mean, r.P50, r.P99 = ms(sum)/float64(len(taken)), ms(taken[len(taken)/2]), ms(taken[len(taken)*99/100])
	return r
}
