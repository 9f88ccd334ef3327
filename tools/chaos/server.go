package main

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// server is a language model behind the OpenAI API whose answers are functions of question
// and seed. It fails as often as it is told to.
type server struct {
	url     string
	http    *http.Server
	calls   atomic.Uint64
	failing atomic.Uint64 // of 100 calls
}

func startServer() (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{url: "http://" + listener.Addr().String() + "/v1"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"object":"list","data":[{"id":"m","object":"model"}]}`)
	})
	mux.HandleFunc("POST /v1/chat/completions", s.complete)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.http.Serve(listener) }() // it ends with close
	return s, nil
}

func (s *server) close() { _ = s.http.Close() }

// fails breaks a call in one of six ways.
func (s *server) fails(w http.ResponseWriter) bool {
	n := s.calls.Add(1)
	h := fnv.New64a()
	fmt.Fprint(h, n)
	roll := h.Sum64()
	if roll%100 >= s.failing.Load() {
		return false
	}
	switch roll / 100 % 6 {
	case 0:
		http.Error(w, `{"error":{"message":"overloaded"}}`, http.StatusServiceUnavailable)
	case 1:
		w.Header().Set("Retry-After", "0")
		http.Error(w, `{"error":{"message":"slow down"}}`, http.StatusTooManyRequests)
	case 2:
		panic(http.ErrAbortHandler) // the connection is reset
	case 3:
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"choices":[{"message":{"content":"half`)
	case 4:
		fmt.Fprint(w, "no JSON")
	default:
		time.Sleep(300 * time.Millisecond)
		return false
	}
	return true
}

func (s *server) complete(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Messages []struct{ Content string }
		N        int
		Seed     *uint64
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.Messages) == 0 {
		http.Error(w, `{"error":{"message":"no messages"}}`, http.StatusBadRequest)
		return
	}
	time.Sleep(20 * time.Millisecond)
	if s.fails(w) {
		return
	}
	seed := uint64(0)
	if body.Seed != nil {
		seed = *body.Seed
	}
	var choices []map[string]any
	for i := range max(body.N, 1) {
		h := fnv.New64a()
		fmt.Fprint(h, body.Messages[len(body.Messages)-1].Content, seed+uint64(i))
		text := fmt.Sprintf("%s After some thought: the answer is %d.", marker(body.Messages[len(body.Messages)-1].Content), h.Sum64()%5)
		choices = append(choices, map[string]any{"index": i, "finish_reason": "stop", "message": map[string]string{"role": "assistant", "content": text}})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client may be gone
		"id": "c", "object": "chat.completion", "model": "m", "choices": choices,
		"usage": map[string]int{"prompt_tokens": 10, "completion_tokens": 9 * len(choices), "total_tokens": 10 + 9*len(choices)},
	})
}

// marker tells whose answer a text is.
func marker(question string) string {
	h := fnv.New64a()
	fmt.Fprint(h, question)
	return fmt.Sprintf("<%016x>", h.Sum64())
}
