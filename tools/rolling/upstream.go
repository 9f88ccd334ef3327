package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

const (
	pieces = 10                    // of a stream
	pause  = 50 * time.Millisecond // before each of them, and before an answer
)

// startUpstream starts a language model whose answers take a while.
func startUpstream() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"object":"list","data":[{"id":"m","object":"model"}]}`)
	})
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			N      int
			Stream bool
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&request); err != nil {
			http.Error(w, `{"error":{"message":"bad request"}}`, http.StatusBadRequest)
			return
		}
		if request.Stream {
			stream(w)
			return
		}
		time.Sleep(pause)
		var choices []string
		for i := range max(request.N, 1) {
			choices = append(choices, fmt.Sprintf(`{"index":%d,"finish_reason":"stop","message":{"role":"assistant","content":"The answer is 42."}}`, i))
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[%s],"usage":{"prompt_tokens":5,"completion_tokens":5,"total_tokens":10}}`, strings.Join(choices, ","))
	})
	return httptest.NewServer(mux)
}

func stream(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i := range pieces {
		time.Sleep(pause)
		finish := "null"
		if i == pieces-1 {
			finish = `"stop"`
		}
		fmt.Fprintf(w, "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word \"},\"finish_reason\":%s}]}\n\n", finish)
		_ = http.NewResponseController(w).Flush() // the reader may be gone
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}
