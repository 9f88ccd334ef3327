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
				c.group.Go(func() { c.count(n%4 == 0, c.ask(n%4 == 0)) })
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

func (c *clients) count(stream bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.failures = append(c.failures, err)
	case stream:
		c.streams++
	default:
		c.answers++
	}
}

func (c *clients) String() string {
	return fmt.Sprintf("%d answers and %d streams arrived whole, %d requests failed", c.answers, c.streams, len(c.failures))
}

func (c *clients) err() error {
	if len(c.failures) == 0 {
		return nil
	}
	return fmt.Errorf("%d requests failed; the first: %w", len(c.failures), c.failures[0])
}

func (c *clients) ask(stream bool) error {
	body := fmt.Sprintf(`{"model":"m","stream":%t,"messages":[{"role":"user","content":"How many?"}]}`, stream)
	request, err := http.NewRequest(http.MethodPost, c.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if stream {
		request.Header.Set("X-RCVAE-K", "1")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 300)) // for the message
		return fmt.Errorf("status %d: %s", response.StatusCode, text)
	}
	if stream {
		return readStream(response.Body)
	}
	text, err := io.ReadAll(response.Body)
	if err == nil && !strings.Contains(string(text), "42") {
		err = fmt.Errorf("the answer is %.100s", text)
	}
	return err
}

// readStream is an error unless the stream is whole and came piece by piece.
func readStream(r io.Reader) error {
	var first time.Time
	scanner := bufio.NewScanner(r)
	for scanner.Scan() {
		switch line := scanner.Text(); {
		case line == "data: [DONE]":
			if time.Since(first) < pieces*pause/2 {
				return errors.New("the pieces of a stream came together: it was buffered")
			}
			return nil
		case first.IsZero() && strings.HasPrefix(line, "data: "):
			first = time.Now()
		}
	}
	if err := scanner.Err(); err != nil {
		return err
	}
	return errors.New("a stream ended early")
}
