package openaiapi

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// chunkText is about how many bytes of text a chunk holds.
const chunkText = 80

var null = json.RawMessage("null")

// Chunks returns the choices of the chunks in which a stream sends one choice of a
// complete answer. Those of a chat have the role and the message's other fields first,
// then the text in pieces, the tool calls, and the finish reason; those of a raw completion
// the text in pieces and the finish reason.
func Chunks(choice Body, chat bool) ([]json.RawMessage, error) {
	if chat {
		return chatChunks(choice)
	}
	return textChunks(choice), nil
}

func chatChunks(choice Body) ([]json.RawMessage, error) {
	raw, _ := choice.Get("message")
	message, err := ParseBody(raw)
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	calls, err := indexedCalls(message)
	if err != nil {
		return nil, err
	}
	content, first := message.Text("content"), message.Clone()
	first.Delete("tool_calls")
	if content != "" {
		first.SetRaw("content", quote(""))
	}
	chunks := []json.RawMessage{deltaOf(choice, first, null).Bytes()}
	logProbs := null
	if choice.Has("logprobs") {
		logProbs, _ = choice.Get("logprobs")
	}
	for _, text := range pieces(content, !choice.Has("logprobs")) {
		var piece Body
		piece.SetRaw("content", quote(text))
		chunks = append(chunks, deltaOf(choice, piece, logProbs).Bytes())
	}
	if len(calls) > 0 { // some servers send a list without calls
		var piece Body
		piece.SetList("tool_calls", calls)
		chunks = append(chunks, deltaOf(choice, piece, null).Bytes())
	}
	last := deltaOf(choice, Body{}, null)
	for key, value := range choice.All() { // what is no chunk's comes with the finish reason
		if key != "message" && key != "index" && key != "logprobs" {
			last.SetRaw(key, value)
		}
	}
	return append(chunks, last.Bytes()), nil
}

// deltaOf returns the choice with a delta in place of its message, and without what comes
// last.
func deltaOf(choice, delta Body, logProbs json.RawMessage) (chunk Body) {
	index, _ := choice.Get("index")
	chunk.SetRaw("index", index)
	chunk.SetRaw("delta", delta.Bytes())
	chunk.SetRaw("logprobs", logProbs)
	chunk.SetRaw("finish_reason", null)
	return chunk
}

// indexedCalls returns the message's tool calls with the index that chunks need.
func indexedCalls(message Body) ([]json.RawMessage, error) {
	calls := message.List("tool_calls")
	for i, raw := range calls {
		call, err := ParseBody(raw)
		if err != nil {
			return nil, fmt.Errorf("tool call: %w", err)
		}
		call.SetRaw("index", []byte(strconv.Itoa(i)))
		calls[i] = call.Bytes()
	}
	return calls, nil
}

func textChunks(choice Body) (chunks []json.RawMessage) {
	texts := append(pieces(choice.Text("text"), !choice.Has("logprobs")), "")
	for i, text := range texts {
		chunk := choice.Clone()
		chunk.SetRaw("text", quote(text))
		if i > 0 || !choice.Has("logprobs") {
			chunk.SetRaw("logprobs", null)
		}
		if i < len(texts)-1 || !choice.Has("finish_reason") {
			chunk.SetRaw("finish_reason", null)
		}
		chunks = append(chunks, chunk.Bytes())
	}
	return chunks
}

func quote(text string) json.RawMessage {
	raw, _ := encode(text) // a string always encodes
	return raw
}

// pieces cuts a text into pieces of about chunkText bytes, between characters, or leaves
// it whole: log-probabilities belong to all of it.
func pieces(text string, may bool) []string {
	if text == "" {
		return nil
	}
	if !may {
		return []string{text}
	}
	var list []string
	start := 0
	for i := range text {
		if i-start >= chunkText {
			list, start = append(list, text[start:i]), i
		}
	}
	return append(list, text[start:])
}
