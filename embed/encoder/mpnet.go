package encoder

import (
	"encoding/json"

	"rcvae/embed/encoder/internal/block"
)

// mpnetFamily is MPNet: all-mpnet-base-v2. BERT with a table of positions and a bias by
// distance that all layers share. Song et al., "MPNet: Masked and Permuted Pre-training
// for Language Understanding" (2020).
var mpnetFamily = family{
	types: []string{"mpnet"}, prefixes: []string{"mpnet."}, words: "embeddings.word_embeddings", build: mpnet,
}

func mpnet(raw []byte, c *config) (builder, error) {
	c.LayerEpsilon, c.Activation, c.Pad = 1e-12, "gelu", 1
	return c.build(raw, func(w *weights) (*network, error) {
		own := struct {
			Buckets int `json:"relative_attention_num_buckets"`
		}{32}
		if err := json.Unmarshal(raw, &own); err != nil {
			return nil, err
		}
		return mpnetLayers(w, c, own.Buckets)
	})
}

func mpnetLayers(w *weights, c *config, buckets int) (*network, error) {
	act, err := block.ParseActivation(c.Activation)
	if err != nil {
		return nil, err
	}
	eps := float32(c.LayerEpsilon)
	relative, err := block.NewRelativeBias(buckets, c.Heads, w.values("encoder.relative_attention_bias.weight", buckets, c.Heads))
	if err != nil {
		return nil, err
	}
	n := &network{embeddings: tableEmbeddings(w, c, c.Pad+1, 0)}
	n.layers = stackLayers(c.Layers, func(i int) layer {
		p := layerName("encoder.layer", i)
		attention := c.attention(w, true, p+"attention.attn.o", true,
			part{name: p + "attention.attn.q", out: c.queries()}, part{name: p + "attention.attn.k", out: c.keys()}, part{name: p + "attention.attn.v", out: c.keys()})
		attention.Relative = relative
		return &postNorm{
			attention:     attention,
			attentionNorm: w.layerNorm(p+"attention.LayerNorm", c.Hidden, true, eps),
			feedForward: &block.FeedForward{
				Up: w.linear(p+"intermediate.dense", c.Intermediate, c.Hidden, true), Down: w.linear(p+"output.dense", c.Hidden, c.Intermediate, true), Activation: act,
			},
			outputNorm: w.layerNorm(p+"output.LayerNorm", c.Hidden, true, eps),
		}
	})
	return n, nil
}
