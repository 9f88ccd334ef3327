package encoder

import (
	"encoding/json"
	"errors"

	"rcvae/embed/encoder/internal/block"
)

// modernbertFamily is ModernBERT: norms before the sublayers, gated feed-forward layers,
// and a window in two layers of three. Warner et al., "Smarter, Better, Faster, Longer"
// (2024).
var modernbertFamily = family{
	types: []string{"modernbert"}, gguf: []string{"modern-bert"}, prefixes: []string{"model."}, words: "embeddings.tok_embeddings", build: modernbert,
	rename: map[string]string{
		"embeddings.tok_embeddings": "token_embd", "embeddings.norm": "token_embd_norm", "final_norm": "output_norm",
		"attn.Wqkv": "attn_qkv", "attn.Wo": "attn_output", "attn_norm": "attn_norm", "mlp_norm": "ffn_norm", "mlp.Wi": "ffn_up", "mlp.Wo": "ffn_down",
	},
}

type modernbertConfig struct {
	Activation    string  `json:"hidden_activation"`
	Epsilon       float64 `json:"norm_eps"`
	Window        int     `json:"local_attention"`
	Every         int     `json:"global_attn_every_n_layers"`
	GlobalBase    float64 `json:"global_rope_theta"`
	LocalBase     float64 `json:"local_rope_theta"`
	AttentionBias bool    `json:"attention_bias"`
	MLPBias       bool    `json:"mlp_bias"`
	NormBias      bool    `json:"norm_bias"`
}

func modernbert(raw []byte, c *config) (builder, error) {
	own := modernbertConfig{Activation: "gelu", Epsilon: 1e-5, Window: 128, Every: 3, GlobalBase: 160000, LocalBase: 10000}
	if err := json.Unmarshal(raw, &own); err != nil {
		return nil, err
	}
	if own.AttentionBias || own.MLPBias || own.NormBias || own.Every < 1 || own.Window < 2 {
		return nil, errors.New("this kind of modernbert is not supported: want no biases, a window and every n-th layer global")
	}
	c.LayerEpsilon = own.Epsilon
	return c.build(raw, func(w *weights) (*network, error) { return modernbertLayers(w, c, own) })
}

func modernbertLayers(w *weights, c *config, own modernbertConfig) (*network, error) {
	act, err := block.ParseActivation(own.Activation)
	if err != nil {
		return nil, err
	}
	c.RopeTheta = own.GlobalBase
	global, err := c.rotary("full_attention")
	if err != nil {
		return nil, err
	}
	c.RopeTheta = own.LocalBase
	local, err := c.rotary("sliding_attention")
	if err != nil {
		return nil, err
	}
	h, f, eps := c.Hidden, c.Intermediate, float32(own.Epsilon)
	n := &network{
		embeddings: block.Embeddings{
			Hidden: h, Words: w.table("embeddings.tok_embeddings", c.Vocabulary, h), Scale: 1, Norm: w.layerNorm("embeddings.norm", h, false, eps),
		},
		final: w.layerNorm("final_norm", h, false, eps),
	}
	n.layers = stackLayers(c.Layers, func(i int) layer {
		p := layerName("layers", i)
		l := &preNorm{
			attention:       c.attention(w, false, p+"attn.Wo", false, part{name: p + "attn.Wqkv", out: 3 * h}),
			feedForwardNorm: w.layerNorm(p+"mlp_norm", h, false, eps),
			feedForward:     &block.FeedForward{Up: w.linear(p+"mlp.Wi", 2*f, h, false), Down: w.linear(p+"mlp.Wo", h, f, false), Activation: act, Gated: true},
		}
		if i > 0 { // the first layer reads the normalised embeddings
			l.attentionNorm = w.layerNorm(p+"attn_norm", h, false, eps)
		}
		l.attention.Rotary = global
		if c.sliding(i, func(i int) bool { return i%own.Every != 0 }) {
			l.attention.Rotary, l.attention.Window = local, own.Window/2
		}
		return l
	})
	return n, nil
}
