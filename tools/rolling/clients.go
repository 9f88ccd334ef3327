package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// clients ask at a fixed rate, however long the answers take; every fourth wants a stream.
type clients struct {
	url    string
	http   *http.Client
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu       sync.Mutex
	answers  int
	streams  int
	together int // of the streams, whose pieces came at once
	failures []error
}

func startClients(url string, rate float64) *clients {
	ctx, cancel := context.WithCancel(context.Background())
	c := &clients{url: url, cancel: cancel, http: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	c.group.Go(func() {
		tick := time.NewTicker(time.Duration(float64(time.Second) / rate))
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				c.group.Go(func() { c.ask(n%4 == 0) })
			}
		}
	})
	return c
}

// stop waits for the answers that are under way.
func (c *clients) stop() {
	c.cancel()
	c.group.Wait()
}

func (c *clients) String() string {
	return fmt.Sprintf("%d answers and %d streams arrived whole, %d streams in one piece, %d requests failed", c.answers, c.streams, c.together, len(c.failures))
}

// err is the first failure. The pieces of a few streams come together when the machine is
// busy, and those of all behind a proxy that buffers.
func (c *clients) err() error {
	switch {
	case len(c.failures) > 0:
		return fmt.Errorf("%d requests failed; the first: %w", len(c.failures), c.failures[0])
	case 10*c.together > c.streams:
		return fmt.Errorf("%d of %d streams came in one piece: they are buffered", c.together, c.streams)
	}
	return nil
}

// ask asks, and counts what comes of it.
func (c *clients) ask(stream bool) {
	together, err := c.request(stream)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.failures = append(c.failures, err)
	case stream:
		c.streams++
		if together {
			c.together++
		}
	default:
		c.answers++
	}
}

func (c *clients) request(stream bool) (together bool, err error) {
	body := fmt.Sprintf(`{"model":"m","stream":%t,"messages":[{"role":"user","content":"How many?"}]}`, stream)
	request, err := http.NewRequest(http.MethodPost, c.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", "application/json")
	if stream {
		request.Header.Set("X-RCVAE-K", "1")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 300)) // for the message
		return false, fmt.Errorf("status %d: %s", response.StatusCode, text)
	}
	if stream {
		return readStream(response.Body)
	}
	text, err := io.ReadAll(response.Body)
	if err == nil && !strings.Contains(string(text), "42") {
		err = fmt.Errorf("the answer is %.100s", text)
	}
	return false, err
}

// readStream is an error unless the stream is whole; together tells that its pieces came
// at once.
func readStream(r io.Reader) (together bool, err error) {
	var first time.Time
	scanner := bufio.NewScanner(r)
	for scanner.Scan() {
		switch line := scanner.Text(); {
		case line == "data: [DONE]":
			return time.Since(first) < pieces*pause/2, nil
		case first.IsZero() && strings.HasPrefix(line, "data: "):
			first = time.Now()
		}
	}
	if err := scanner.Err(); err != nil {
		return false, err
	}
	return false, errors.New("a stream ended early")
}
