package encoder

import (
	"encoding/json"
	"errors"

	"rcvae/embed/encoder/internal/block"
)

// nomicFamily is nomic-embed-text: BERT with rotary positions, gated feed-forward layers
// and no biases. Nussbaum et al., "Nomic Embed: Training a Reproducible Long Context
// Text Embedder" (2024).
var nomicFamily = family{
	types: []string{"nomic_bert"}, gguf: []string{"nomic-bert"}, prefixes: []string{"bert."}, words: "embeddings.word_embeddings", build: nomic,
	rename: map[string]string{
		"embeddings.word_embeddings": "token_embd", "embeddings.token_type_embeddings": "token_types", "emb_ln": "token_embd_norm",
		"attn.Wqkv": "attn_qkv", "attn.out_proj": "attn_output", "norm1": "attn_output_norm", "norm2": "layer_output_norm",
		"mlp.fc11": "ffn_up", "mlp.fc12": "ffn_gate", "mlp.fc2": "ffn_down",
	},
}

// nomicConfig holds the keys of the first files, which are GPT-2's.
type nomicConfig struct {
	Hidden       int      `json:"n_embd"`
	Heads        int      `json:"n_head"`
	Intermediate int      `json:"n_inner"`
	Layers       int      `json:"n_layer"`
	Positions    int      `json:"n_positions"`
	Base         float64  `json:"rotary_emb_base"`
	Fraction     *float64 `json:"rotary_emb_fraction"`
	Interleaved  bool     `json:"rotary_emb_interleaved"`
	Epsilon      float64  `json:"layer_norm_epsilon"`
	Activation   string   `json:"activation_function"`
	Prenorm      bool     `json:"prenorm"`
	QKVBias      bool     `json:"qkv_proj_bias"`
	UpBias       bool     `json:"mlp_fc1_bias"`
	DownBias     bool     `json:"mlp_fc2_bias"`
	Experts      int      `json:"num_experts"`
}

func nomic(raw []byte, c *config) (builder, error) {
	own := nomicConfig{Base: 10000, Epsilon: 1e-12, Activation: "silu"}
	if err := json.Unmarshal(raw, &own); err != nil {
		return nil, err
	}
	if own.Prenorm || own.QKVBias || own.UpBias || own.DownBias || own.Interleaved || own.Experts > 0 || (own.Fraction != nil && *own.Fraction != 1) {
		return nil, errors.New("this kind of nomic_bert is not supported: want no biases, no prenorm, no experts and rotary positions of whole heads")
	}
	c.Hidden, c.Heads, c.Intermediate, c.Layers, c.Positions = own.Hidden, own.Heads, own.Intermediate, own.Layers, own.Positions
	c.RopeTheta, c.LayerEpsilon, c.Activation, c.Segments = own.Base, own.Epsilon, own.Activation, 2
	return c.build(raw, func(w *weights) (*network, error) { return nomicLayers(w, c) })
}

func nomicLayers(w *weights, c *config) (*network, error) {
	act, err := block.ParseActivation(c.Activation)
	if err != nil {
		return nil, err
	}
	rotary, err := c.rotary("")
	if err != nil {
		return nil, err
	}
	h, f, eps := c.Hidden, c.Intermediate, float32(c.LayerEpsilon)
	n := &network{embeddings: rotaryEmbeddings(w, c, "emb_ln", c.Segments)}
	n.layers = stackLayers(c.Layers, func(i int) layer {
		p := layerName("encoder.layers", i)
		attention := c.attention(w, false, p+"attn.out_proj", false, part{name: p + "attn.Wqkv", out: 3 * h})
		attention.Rotary = rotary
		gated, _ := w.stack(h, false, part{name: p + "mlp.fc12", out: f}, part{name: p + "mlp.fc11", out: f})
		return &postNorm{
			attention:     attention,
			attentionNorm: w.layerNorm(p+"norm1", h, true, eps),
			feedForward:   &block.FeedForward{Up: w.pack(2*f, h, gated, nil), Down: w.linear(p+"mlp.fc2", h, f, false), Activation: act, Gated: true},
			outputNorm:    w.layerNorm(p+"norm2", h, true, eps),
		}
	})
	return n, nil
}

// rotaryEmbeddings are embeddings without positions; segments may be 0.
func rotaryEmbeddings(w *weights, c *config, norm string, segments int) block.Embeddings {
	e := block.Embeddings{Hidden: c.Hidden, Words: w.table("embeddings.word_embeddings", c.Vocabulary, c.Hidden), Scale: 1}
	if segments > 0 {
		e.Segment = w.segment("embeddings.token_type_embeddings", segments, c.Hidden)
	}
	e.Norm = w.layerNorm(norm, c.Hidden, true, float32(c.LayerEpsilon))
	return e
}
