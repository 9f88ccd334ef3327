package gateway

import (
	"encoding/json"
	"net/http"

	"rcvae/gateway/edge"
	"rcvae/internal/openaiapi"
)

// sendChunks sends the best choices in chunks, of which the last has the block, at last
// the usage and the end.
func sendChunks(out *eventWriter, parts []part) error {
	choices, err := bestChoices(parts)
	if err != nil {
		return err
	}
	first := parts[0]
	for n, choice := range choices {
		pieces, err := openaiapi.Chunks(choice, first.call.chat())
		if err != nil {
			return edge.Errorf(http.StatusBadGateway, "the upstream's choice: %v", err)
		}
		for i, piece := range pieces {
			chunk := chunkOf(first, piece)
			if n == len(choices)-1 && i == len(pieces)-1 {
				if err := setBlock(&chunk, parts); err != nil {
					return err
				}
			}
			out.send(openaiapi.AppendEvent(nil, "", chunk.Bytes()))
		}
	}
	if first.call.includeUsage {
		chunk := chunkOf(first)
		if err := chunk.Set("usage", usageOf(parts)); err != nil {
			return err
		}
		out.send(openaiapi.AppendEvent(nil, "", chunk.Bytes()))
	}
	out.send(openaiapi.AppendEvent(nil, "", []byte(openaiapi.Done)))
	return nil
}

// chunkOf puts pieces of choices into the envelope.
func chunkOf(p part, choices ...json.RawMessage) openaiapi.Body {
	chunk := p.draw.Envelope.Clone()
	if p.call.chat() {
		chunk.SetRaw("object", []byte(`"chat.completion.chunk"`))
	}
	chunk.SetList("choices", choices)
	return chunk
}
