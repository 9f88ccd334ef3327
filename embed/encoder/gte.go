package encoder

import (
	"encoding/json"
	"errors"
	"slices"

	"rcvae/embed/encoder/internal/block"
)

// gteFamily is gte-*-v1.5 and gte-multilingual: BERT with rotary positions and gated
// feed-forward layers, whose stored halves are up and gate. Zhang et al., "mGTE" (2024).
var gteFamily = family{
	types: []string{"gte", "new"}, prefixes: []string{"new."}, words: "embeddings.word_embeddings", build: gte,
}

func gte(raw []byte, c *config) (builder, error) {
	var own struct {
		LogN bool   `json:"logn_attention_scale"`
		Pack *bool  `json:"pack_qkv"`
		Norm string `json:"layer_norm_type"`
	}
	if err := json.Unmarshal(raw, &own); err != nil {
		return nil, err
	}
	if own.LogN || (own.Pack != nil && !*own.Pack) || (own.Norm != "" && own.Norm != "layer_norm") {
		return nil, errors.New("this kind of gte is not supported: want layer norms, packed queries, keys and values, and no logn_attention_scale")
	}
	c.LayerEpsilon, c.Activation, c.RopeTheta = 1e-12, "gelu", 10000
	return c.build(raw, func(w *weights) (*network, error) { return gteLayers(w, c) })
}

func gteLayers(w *weights, c *config) (*network, error) {
	act, err := block.ParseActivation(c.Activation)
	if err != nil {
		return nil, err
	}
	rotary, err := c.rotary("")
	if err != nil {
		return nil, err
	}
	h, f, eps := c.Hidden, c.Intermediate, float32(c.LayerEpsilon)
	n := &network{embeddings: rotaryEmbeddings(w, c, "embeddings.LayerNorm", c.Segments)}
	n.layers = stackLayers(c.Layers, func(i int) layer {
		p := layerName("encoder.layer", i)
		attention := c.attention(w, true, p+"attention.o_proj", true, part{name: p + "attention.qkv_proj", out: 3 * h})
		attention.Rotary = rotary
		upGate := w.matrix(p+"mlp.up_gate_proj", 2*f, h)
		half := len(upGate) / 2
		return &postNorm{
			attention:     attention,
			attentionNorm: w.layerNorm(p+"attn_ln", h, true, eps),
			feedForward: &block.FeedForward{
				Up: w.pack(2*f, h, matrix{in: h, values: slices.Concat(upGate[half:], upGate[:half])}, nil), Down: w.linear(p+"mlp.down_proj", h, f, true), Activation: act, Gated: true,
			},
			outputNorm: w.layerNorm(p+"mlp_ln", h, true, eps),
		}
	})
	return n, nil
}
