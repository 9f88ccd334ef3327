package encoder

import (
	"encoding/json"

	"rcvae/embed/encoder/internal/block"
)

// distilbertFamily is DistilBERT: BERT without segments, under names of its own. Sanh et
// al., "DistilBERT, a distilled version of BERT" (2019).
var distilbertFamily = family{
	types: []string{"distilbert"}, prefixes: []string{"distilbert."}, words: "embeddings.word_embeddings", build: distilbert,
}

func distilbert(raw []byte, c *config) (builder, error) {
	own := struct {
		Hidden       int    `json:"dim"`
		Layers       int    `json:"n_layers"`
		Heads        int    `json:"n_heads"`
		Intermediate int    `json:"hidden_dim"`
		Activation   string `json:"activation"`
	}{Activation: "gelu"}
	if err := json.Unmarshal(raw, &own); err != nil {
		return nil, err
	}
	c.LayerEpsilon = 1e-12
	c.Hidden, c.Layers, c.Heads, c.Intermediate, c.Activation = own.Hidden, own.Layers, own.Heads, own.Intermediate, own.Activation
	return c.build(raw, func(w *weights) (*network, error) { return distilbertLayers(w, c) })
}

func distilbertLayers(w *weights, c *config) (*network, error) {
	act, err := block.ParseActivation(c.Activation)
	if err != nil {
		return nil, err
	}
	eps := float32(c.LayerEpsilon)
	n := &network{embeddings: tableEmbeddings(w, c, 0, 0)}
	n.layers = stackLayers(c.Layers, func(i int) layer {
		p := layerName("transformer.layer", i)
		return &postNorm{
			attention: c.attention(w, true, p+"attention.out_lin", true,
				part{name: p + "attention.q_lin", out: c.queries()}, part{name: p + "attention.k_lin", out: c.keys()}, part{name: p + "attention.v_lin", out: c.keys()}),
			attentionNorm: w.layerNorm(p+"sa_layer_norm", c.Hidden, true, eps),
			feedForward: &block.FeedForward{
				Up: w.linear(p+"ffn.lin1", c.Intermediate, c.Hidden, true), Down: w.linear(p+"ffn.lin2", c.Hidden, c.Intermediate, true), Activation: act,
			},
			outputNorm: w.layerNorm(p+"output_layer_norm", c.Hidden, true, eps),
		}
	})
	return n, nil
}
