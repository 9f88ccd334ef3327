package openaiapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"rcvae/internal/openaiapi"
)

// TestChunksAddUp: what a client joins from the chunks is the choice, whose finish reason
// and own fields come with the last alone.
func TestChunksAddUp(t *testing.T) {
	text := strings.Repeat("<é> ", 100)
	for name, choice := range map[string]string{
		"text":      `{"index":3,"message":{"role":"assistant","content":` + quoted(text) + `,"reasoning_content":"so"},"finish_reason":"stop","stop_reason":7}`,
		"no text":   `{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[]}}`,
		"log-probs": `{"index":0,"message":{"role":"assistant","content":` + quoted(text) + `},"logprobs":{"content":[]},"finish_reason":"length"}`,
		"calls":     `{"index":1,"message":{"role":"assistant","content":"","tool_calls":[{"id":"a","function":{"name":"f"}},{"id":"b"}]},"finish_reason":"tool_calls"}`,
		"raw":       `{"index":2,"text":` + quoted(text) + `,"finish_reason":"stop"}`,
	} {
		t.Run(name, func(t *testing.T) {
			whole := parse(t, choice)
			chunks, err := openaiapi.Chunks(whole, whole.Has("message"))
			if err != nil {
				t.Fatal(err)
			}
			var joined strings.Builder
			var calls []json.RawMessage
			for i, raw := range chunks {
				chunk := parse(t, string(raw))
				part := chunk
				if delta, ok := chunk.Get("delta"); ok {
					part = parse(t, string(delta))
				}
				joined.WriteString(part.Text("content") + part.Text("text"))
				calls = append(calls, part.List("tool_calls")...)
				last := i == len(chunks)-1
				if chunk.Text("finish_reason") != "" != (last && whole.Has("finish_reason")) || chunk.Has("stop_reason") != (last && whole.Has("stop_reason")) {
					t.Errorf("chunk %d of %d is %s", i+1, len(chunks), raw)
				}
			}
			message := whole
			if raw, ok := whole.Get("message"); ok {
				message = parse(t, string(raw))
			}
			if want := message.Text("content") + message.Text("text"); joined.String() != want {
				t.Errorf("the text is %q, want %q", joined.String(), want)
			}
			if want := message.List("tool_calls"); len(calls) != len(want) {
				t.Errorf("the calls are %s, want %s", calls, want)
			}
		})
	}
}

func quoted(text string) string {
	raw, _ := json.Marshal(text)
	return string(raw)
}
