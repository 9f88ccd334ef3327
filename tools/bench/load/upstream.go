package main

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// sentences make a paragraph of about 80 words, the length of a short solution.
var sentences = []string{
	"First write down what is known and give each quantity a name so that nothing is counted twice.",
	"The first part adds up to %d, because every box holds the same number of pieces.",
	"Then take away what was sold during the morning, which leaves %d pieces on the table.",
	"In the afternoon the number doubles, and half of the new pieces go to the neighbour.",
	"Checking the sum once more in the other order gives the same result as before.",
	"So the total is %d, and the answer is %d.",
}

// upstream answers every completion at once: the model "paragraph" with paragraphs that
// depend on the question, so that no cache knows them, and every other model with a
// short text, whatever n is.
func upstream() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, []byte(`{"object":"list","data":[{"id":"paragraph","object":"model","created":1700000000,"owned_by":"load"}]}`))
	})
	short := completion([]string{"The answer is 42."})
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		var request struct {
			Model    string
			N        int
			Messages json.RawMessage
		}
		if err != nil || json.Unmarshal(body, &request) != nil {
			http.Error(w, `{"error":{"message":"bad request","type":"invalid_request_error"}}`, http.StatusBadRequest)
			return
		}
		if request.Model != "paragraph" {
			answer(w, short)
			return
		}
		texts := make([]string, max(request.N, 1))
		for i := range texts {
			texts[i] = paragraph(request.Messages, i)
		}
		answer(w, completion(texts))
	})
	return mux
}

func answer(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client may be gone
}

func paragraph(question []byte, choice int) string {
	h := fnv.New64a()
	h.Write(question) // never fails
	x := int(h.Sum64()%1_000_000) + choice
	var text []string
	for _, s := range sentences {
		if n := strings.Count(s, "%d"); n > 0 {
			s = fmt.Sprintf(s, []any{x, x / 7}[:n]...)
		}
		text = append(text, s)
	}
	return strings.Join(text, " ")
}

// completion encodes a response.
func completion(texts []string) []byte {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	type choice struct {
		Index   int     `json:"index"`
		Message message `json:"message"`
		Finish  string  `json:"finish_reason"`
	}
	response := map[string]any{"id": "cmpl-1", "object": "chat.completion", "created": 1700000000, "model": "scripted"}
	var choices []choice
	for i, text := range texts {
		choices = append(choices, choice{i, message{"assistant", text}, "stop"})
	}
	tokens := 90 * len(texts)
	response["choices"] = choices
	response["usage"] = map[string]int{"prompt_tokens": 20, "completion_tokens": tokens, "total_tokens": 20 + tokens}
	body, err := json.Marshal(response)
	if err != nil { // strings and numbers always encode
		panic(err)
	}
	return body
}
