package encoder

import (
	"fmt"
	"slices"

	"rcvae/embed/encoder/internal/block"
	"rcvae/internal/gemm"
)

// bertFamily is BERT: MiniLM, BGE, E5, GTE of the first kind. Devlin et al., "BERT:
// Pre-training of Deep Bidirectional Transformers for Language Understanding" (2019).
var bertFamily = family{
	types: []string{"bert"}, gguf: []string{"bert"}, prefixes: []string{"bert."},
	words: "embeddings.word_embeddings", build: bert, rename: bertGGUF,
}

func bert(raw []byte, c *config) (builder, error) {
	c.LayerEpsilon, c.Activation, c.Segments = 1e-12, "gelu", 2
	return c.build(raw, func(w *weights) (*network, error) { return bertLayers(w, c, 0) })
}

// bertGGUF are llama.cpp's names of BERT's modules.
var bertGGUF = map[string]string{
	"embeddings.word_embeddings": "token_embd", "embeddings.position_embeddings": "position_embd",
	"embeddings.token_type_embeddings": "token_types", "embeddings.LayerNorm": "token_embd_norm",
	"attention.self.query": "attn_q", "attention.self.key": "attn_k", "attention.self.value": "attn_v",
	"attention.output.dense": "attn_output", "attention.output.LayerNorm": "attn_output_norm",
	"intermediate.dense": "ffn_up", "output.dense": "ffn_down", "output.LayerNorm": "layer_output_norm",
}

// bertLayers is BERT with a table of positions that starts at row offset.
func bertLayers(w *weights, c *config, offset int) (*network, error) {
	act, err := block.ParseActivation(c.Activation)
	if err != nil {
		return nil, err
	}
	eps := float32(c.LayerEpsilon)
	n := &network{embeddings: tableEmbeddings(w, c, offset, c.Segments)}
	n.layers = stackLayers(c.Layers, func(i int) layer {
		p := layerName("encoder.layer", i)
		return &postNorm{
			attention: c.attention(w, true, p+"attention.output.dense", true,
				part{name: p + "attention.self.query", out: c.queries()}, part{name: p + "attention.self.key", out: c.keys()}, part{name: p + "attention.self.value", out: c.keys()}),
			attentionNorm: w.layerNorm(p+"attention.output.LayerNorm", c.Hidden, true, eps),
			feedForward: &block.FeedForward{
				Up: w.linear(p+"intermediate.dense", c.Intermediate, c.Hidden, true), Down: w.linear(p+"output.dense", c.Hidden, c.Intermediate, true), Activation: act,
			},
			outputNorm: w.layerNorm(p+"output.LayerNorm", c.Hidden, true, eps),
		}
	})
	return n, nil
}

// tableEmbeddings are embeddings with a table of positions and, unless segments is 0, of
// segments, normalised.
func tableEmbeddings(w *weights, c *config, offset, segments int) block.Embeddings {
	h := c.Hidden
	if offset < 0 || offset >= c.Positions {
		w.note(fmt.Errorf("positions start behind pad_token_id %d, but max_position_embeddings is %d", c.Pad, c.Positions))
		return block.Embeddings{}
	}
	positions := w.values("embeddings.position_embeddings.weight", c.Positions, h)
	if w.failed() {
		return block.Embeddings{}
	}
	positions = slices.Clone(positions[offset*h:])
	if segments > 0 {
		segment := w.segment("embeddings.token_type_embeddings", segments, h)
		for p := 0; p < len(positions); p += h {
			gemm.AddBias(positions[p:p+h], segment)
		}
	}
	return block.Embeddings{
		Hidden: h, Words: w.table("embeddings.word_embeddings", c.Vocabulary, h), Scale: 1, Positions: positions,
		Norm: w.layerNorm("embeddings.LayerNorm", h, true, float32(c.LayerEpsilon)),
	}
}
