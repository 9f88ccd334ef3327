package rcvaetest

import (
	"encoding/json"
	"net/http"

	"rcvae/internal/openaiapi"
)

// stream writes the answers as server-sent events, a token a chunk, the choices in
// turn.
func (o *OpenAI) stream(w http.ResponseWriter, r *http.Request, call Call, answers []answer) {
	w.Header().Set("Content-Type", "text/event-stream")
	flusher, _ := w.(http.Flusher)
	send := func(choices []any, usage any) bool {
		chunk := o.envelope(call, "chat.completion.chunk", "text_completion")
		chunk["choices"] = choices
		if usage != nil {
			chunk["usage"] = usage
		}
		data, err := json.Marshal(chunk)
		if err != nil { // maps of strings and numbers always encode
			panic(err)
		}
		if _, err = w.Write(openaiapi.AppendEvent(nil, "", data)); err != nil {
			return false
		}
		if flusher != nil {
			flusher.Flush()
		}
		return r.Context().Err() == nil
	}
	for i, a := range answers {
		for _, delta := range o.deltas(call, a) {
			delta["index"] = i
			if !send([]any{delta}, nil) {
				return
			}
		}
	}
	var options struct {
		IncludeUsage bool `json:"include_usage"`
	}
	_, _ = call.Body.Decode("stream_options", &options) // another type is not scripted
	if options.IncludeUsage && !send([]any{}, o.usage(call, answers)) {
		return
	}
	_, _ = w.Write(openaiapi.AppendEvent(nil, "", []byte(openaiapi.Done))) // the client may be gone
}

// deltas returns the choices of an answer's chunks, without their index.
func (o *OpenAI) deltas(call Call, a answer) []map[string]any {
	chat := call.Path == "/chat/completions"
	var deltas []map[string]any
	add := func(delta map[string]any, token string) {
		choice := map[string]any{"finish_reason": nil}
		if chat {
			choice["delta"] = delta
		} else {
			choice["text"] = token
		}
		if token != "" {
			choice["logprobs"] = o.logProbs(call, answer{tokens: []string{token}})
		}
		deltas = append(deltas, choice)
	}
	if chat {
		add(map[string]any{"role": "assistant", "content": ""}, "")
	}
	for _, token := range a.tokens {
		add(map[string]any{"content": token}, token)
	}
	for i, tool := range a.ToolCalls {
		add(map[string]any{"tool_calls": []any{map[string]any{"index": i, "id": tool.ID, "type": tool.Type, "function": tool.Function}}}, "")
	}
	add(map[string]any{}, "")
	deltas[len(deltas)-1]["finish_reason"] = a.Finish
	return deltas
}
