package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// serveUnderFire asks a gateway whose server fails and disappears, beside clients that say
// nothing, half a request, or leave. Answers with status 200 are those of their question,
// and a signal ends it in order.
func serveUnderFire(ctx context.Context, w *world, rng *rand.Rand, dir string) (string, error) {
	own, err := startServer()
	if err != nil {
		return "", err
	}
	defer own.close()
	own.failing.Store(20)
	cmd := exec.CommandContext(ctx, w.binary, "serve", "--listen", "127.0.0.1:0", "--model", "none", "--selector", "consensus", "--upstream", own.url, "-k", "3",
		"--cache", "cache.sqlite", "--cache-size", "1", "--decisions", "decisions.sqlite", "--retry-for", "1s", "--drain-timeout", "20s")
	cmd.Dir, cmd.SysProcAttr = dir, apart()
	pipe, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", err
	}
	log := bufio.NewReader(pipe)
	address, err := listens(log)
	if err != nil {
		return "", errors.Join(err, cmd.Process.Kill())
	}
	go func() { _, _ = io.Copy(io.Discard, log) }() // it ends with the process
	answered, wrong := underFire(ctx, rng, address, own)
	end := errors.Join(cmd.Process.Signal(syscall.SIGTERM), waited(cmd))
	what := fmt.Sprintf("%d answers", answered)
	if wrong > 0 {
		return what, fmt.Errorf("%d answers were those of another question, or not whole", wrong)
	}
	if end != nil {
		return what, fmt.Errorf("after SIGTERM: %w", end)
	}
	if info, err := os.Stat(dir + "/cache.sqlite"); err != nil || info.Size() > 3<<20 {
		return what, fmt.Errorf("the cache of at most 1 MiB: %v, %w", info, err)
	}
	return what, nil
}

// listens reads the address off the log, whose lines are JSON.
func listens(log *bufio.Reader) (string, error) {
	for {
		line, err := log.ReadString('\n')
		var started struct{ Listen string }
		if err == nil {
			err = json.Unmarshal([]byte(line), &started)
		}
		if err != nil {
			return "", fmt.Errorf("serve said %q: %w", line, err)
		}
		if started.Listen != "" {
			return started.Listen, nil
		}
	}
}

func waited(cmd *exec.Cmd) error {
	timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() }) // then the exit code tells
	defer timer.Stop()
	return cmd.Wait()
}

// underFire asks for some seconds.
func underFire(ctx context.Context, rng *rand.Rand, address string, own *server) (answered, wrong int64) {
	var good, bad atomic.Int64
	var group sync.WaitGroup
	until, enough := context.WithTimeout(ctx, 4*time.Second)
	defer enough()
	for i := range 6 {
		group.Go(func() {
			client := &http.Client{Timeout: 30 * time.Second}
			for n := i; until.Err() == nil; n += 6 {
				ask(client, address, question(n), &good, &bad)
			}
		})
	}
	for range 4 {
		seed := rng.Uint64()
		group.Go(func() { impolite(until, rand.New(rand.NewPCG(seed, 0)), address) })
	}
	pause(ctx, 2*time.Second)
	own.failing.Store(100) // it is lost for a while
	pause(ctx, time.Second)
	own.failing.Store(10)
	group.Wait()
	return good.Load(), bad.Load()
}

func ask(client *http.Client, address, text string, good, bad *atomic.Int64) {
	body, _ := json.Marshal(map[string]any{"model": "m", "messages": []map[string]string{{"role": "user", "content": text}}}) // strings always encode
	response, err := client.Post("http://"+address+"/v1/chat/completions", "application/json", bytes.NewReader(body))
	if err != nil {
		bad.Add(1) // the gateway is there all the time
		return
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	var answer struct {
		Choices []struct{ Message struct{ Content string } }
		Error   *struct{ Message string }
	}
	switch broken := errors.Join(err, json.Unmarshal(data, &answer)); {
	case broken != nil:
		bad.Add(1)
	case response.StatusCode == http.StatusOK && len(answer.Choices) == 1 && strings.Contains(answer.Choices[0].Message.Content, marker(text)):
		good.Add(1)
	case (response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests) && answer.Error != nil: // said in order
	default:
		fmt.Printf("status %d for %q: %.300s\n", response.StatusCode, text, data)
		bad.Add(1)
	}
}

// impolite opens connections and does not use them as one should.
func impolite(until context.Context, rng *rand.Rand, address string) {
	for until.Err() == nil {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			continue
		}
		switch rng.IntN(4) {
		case 0: // says nothing
		case 1:
			_, _ = io.WriteString(c, "GET / HT") // half a line
		case 2:
			_, _ = io.WriteString(c, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{\"model\":")
		default:
			_, _ = io.WriteString(c, strings.Repeat("\x00\xff{", 1000))
		}
		pause(until, time.Duration(rng.IntN(200))*time.Millisecond)
		_ = c.Close()
	}
}
