package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"rcvae/gateway/edge"
	"rcvae/internal/openaiapi"
)

// sendChunks sends the best choices as chunks: the role first, the text in pieces, the
// tool calls, the finish reason, at last the usage and the end.
func sendChunks(out *eventWriter, parts []part) error {
	place := 0
	for n, p := range parts {
		best := p.best()
		for a, i := range best {
			last := n == len(parts)-1 && a == len(best)-1
			if err := sendChoice(out, parts, p, i, place, last); err != nil {
				return err
			}
			place++
		}
	}
	first := parts[0]
	if first.call.includeUsage {
		chunk, err := chunkOf(first, nil)
		if err != nil {
			return err
		}
		if err := chunk.Set("usage", usageOf(parts)); err != nil {
			return err
		}
		out.send(openaiapi.AppendEvent(nil, "", chunk.Bytes()))
	}
	out.send(openaiapi.AppendEvent(nil, "", []byte(openaiapi.Done)))
	return nil
}

// sendChoice sends choice i of a part. The last chunk of all has the block.
func sendChoice(out *eventWriter, parts []part, p part, i, place int, last bool) error {
	choice, err := choiceBody(p.call, p.choice(i).Raw, place)
	if err != nil {
		return err
	}
	pieces, err := piecesOf(p.call, choice)
	if err != nil {
		return err
	}
	for a, piece := range pieces {
		chunk, err := chunkOf(parts[0], piece)
		if err != nil {
			return err
		}
		if last && a == len(pieces)-1 {
			if err := setBlock(&chunk, parts); err != nil {
				return err
			}
		}
		out.send(openaiapi.AppendEvent(nil, "", chunk.Bytes()))
	}
	return nil
}

// chunkOf puts a piece of a choice into the envelope; nil is a chunk without choices.
func chunkOf(p part, piece json.RawMessage) (openaiapi.Body, error) {
	chunk := p.envelope.Clone()
	if p.call.chat() {
		if err := chunk.Set("object", "chat.completion.chunk"); err != nil {
			return chunk, err
		}
	}
	choices := []json.RawMessage{piece}
	if piece == nil {
		choices = nil
	}
	chunk.SetRaw("choices", joinRaw(choices))
	return chunk, nil
}

// pieceSize is about how many bytes of text a chunk holds.
const pieceSize = 80

// piecesOf cuts a choice into the choices of its chunks.
func piecesOf(c *call, choice openaiapi.Body) ([]json.RawMessage, error) {
	finish, _ := choice.Get("finish_reason")
	logProbs := json.RawMessage("null")
	if raw, ok := choice.Get("logprobs"); ok {
		logProbs = raw
	}
	if !c.chat() {
		return piecesOfText(choice, logProbs, finish)
	}
	raw, _ := choice.Get("message")
	message, err := openaiapi.ParseBody(raw)
	if err != nil {
		return nil, edge.Errorf(http.StatusBadGateway, "the upstream's message: %v", err)
	}
	message = message.Clone()
	content, calls := message.Text("content"), json.RawMessage(nil)
	if message.Has("tool_calls") {
		if calls, err = indexedCalls(message); err != nil {
			return nil, err
		}
	}
	message.Delete("tool_calls")
	if content != "" {
		message.SetRaw("content", []byte(`""`))
	}
	// The first delta has all other fields, such as the role and reasoning_content.
	pieces := []json.RawMessage{deltaPiece(choice, message.Bytes(), []byte("null"), nil)}
	for i, text := range cut(content, string(logProbs) == "null") {
		delta, err := json.Marshal(map[string]string{"content": text})
		if err != nil {
			return nil, err
		}
		probs := json.RawMessage("null")
		if i == 0 {
			probs = logProbs
		}
		pieces = append(pieces, deltaPiece(choice, delta, probs, nil))
	}
	if calls != nil {
		pieces = append(pieces, deltaPiece(choice, fmt.Appendf(nil, `{"tool_calls":%s}`, calls), []byte("null"), nil))
	}
	return append(pieces, deltaPiece(choice, []byte("{}"), []byte("null"), finish)), nil
}

// deltaPiece returns the choice with a delta in place of its message.
func deltaPiece(choice openaiapi.Body, delta, logProbs, finish json.RawMessage) json.RawMessage {
	index, _ := choice.Get("index")
	var piece openaiapi.Body
	piece.SetRaw("index", index)
	piece.SetRaw("delta", delta)
	piece.SetRaw("logprobs", logProbs)
	if finish == nil {
		piece.SetRaw("finish_reason", []byte("null"))
		return piece.Bytes()
	}
	// The last piece has the fields of the choice that are no chunk's.
	for key, value := range choice.All() {
		if key != "message" && key != "index" && key != "logprobs" {
			piece.SetRaw(key, value)
		}
	}
	return piece.Bytes()
}

// indexedCalls returns the tool calls with the index that chunks need.
func indexedCalls(message openaiapi.Body) (json.RawMessage, error) {
	var raws []json.RawMessage
	if _, err := message.Decode("tool_calls", &raws); err != nil {
		return nil, edge.Errorf(http.StatusBadGateway, "the upstream's tool calls: %v", err)
	}
	for i, raw := range raws {
		call, err := openaiapi.ParseBody(raw)
		if err != nil {
			return nil, edge.Errorf(http.StatusBadGateway, "the upstream's tool call: %v", err)
		}
		call = call.Clone()
		call.SetRaw("index", []byte(strconv.Itoa(i)))
		raws[i] = call.Bytes()
	}
	if len(raws) == 0 { // some servers send a list without calls
		return nil, nil
	}
	return joinRaw(raws), nil
}

// piecesOfText cuts a choice of a raw completion.
func piecesOfText(choice openaiapi.Body, logProbs, finish json.RawMessage) ([]json.RawMessage, error) {
	texts := append(cut(choice.Text("text"), string(logProbs) == "null"), "")
	pieces := make([]json.RawMessage, len(texts))
	for i, text := range texts {
		piece := choice.Clone()
		if err := piece.Set("text", text); err != nil {
			return nil, err
		}
		piece.SetRaw("logprobs", []byte("null"))
		piece.SetRaw("finish_reason", []byte("null"))
		if i == 0 {
			piece.SetRaw("logprobs", logProbs)
		}
		if i == len(texts)-1 && finish != nil {
			piece.SetRaw("finish_reason", finish)
		}
		pieces[i] = piece.Bytes()
	}
	return pieces, nil
}

// cut cuts a text into pieces of about pieceSize bytes, between characters, or leaves
// it whole: log-probabilities belong to all of it.
func cut(text string, may bool) []string {
	if text == "" {
		return nil
	}
	if !may {
		return []string{text}
	}
	var pieces []string
	start := 0
	for i := range text {
		if i-start >= pieceSize {
			pieces, start = append(pieces, text[start:i]), i
		}
	}
	return append(pieces, text[start:])
}
