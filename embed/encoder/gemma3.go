package encoder

import (
	"encoding/json"
	"maps"
	"math"

	"rcvae/embed/encoder/internal/block"
)

// gemmaFamily is Gemma 3 and EmbeddingGemma: norms before and after the sublayers, norms
// of each head, and a window in five layers of six. Gemma Team, "Gemma 3 Technical
// Report" (2025); Schechter Vera et al., "EmbeddingGemma" (2025).
var gemmaFamily = family{
	types: []string{"gemma3_text"}, gguf: []string{"gemma-embedding", "gemma3"}, prefixes: []string{"model."}, words: "embed_tokens", build: gemma3,
	rename: func() map[string]string {
		m := maps.Clone(decoderGGUF)
		m["post_attention_layernorm"] = "post_attention_norm"
		m["pre_feedforward_layernorm"], m["post_feedforward_layernorm"] = "ffn_norm", "post_ffw_norm"
		return m
	}(),
}

type gemmaConfig struct {
	Activation    string  `json:"hidden_activation"`
	ScaleBase     float64 `json:"query_pre_attn_scalar"`
	Pattern       int     `json:"sliding_window_pattern"`
	OldPattern    int     `json:"_sliding_window_pattern"`
	LocalBase     float64 `json:"rope_local_base_freq"`
	Bidirectional bool    `json:"use_bidirectional_attention"`
}

func gemma3(raw []byte, c *config) (builder, error) {
	own := gemmaConfig{Activation: "gelu_pytorch_tanh", ScaleBase: 256, LocalBase: 10000}
	if err := json.Unmarshal(raw, &own); err != nil {
		return nil, err
	}
	c.RMSEpsilon, c.RopeTheta, c.Width, c.Window = 1e-6, 1e6, 256, 4096
	return c.build(raw, func(w *weights) (*network, error) { return gemmaLayers(w, c, own) })
}

func gemmaLayers(w *weights, c *config, own gemmaConfig) (*network, error) {
	act, err := block.ParseActivation(own.Activation)
	if err != nil {
		return nil, err
	}
	global, err := c.rotary("full_attention")
	if err != nil {
		return nil, err
	}
	local, err := c.localRotary(own.LocalBase)
	if err != nil {
		return nil, err
	}
	c.normed, c.scale = true, 1/math.Sqrt(own.ScaleBase)
	h, f, eps, plus := c.Hidden, c.Intermediate, float32(c.RMSEpsilon), float32(1)
	if c.fromGGUF {
		plus = 0 // llama.cpp has added it
	}
	n := &network{
		embeddings: block.Embeddings{Hidden: h, Words: w.table("embed_tokens", c.Vocabulary, h), Scale: float32(math.Sqrt(float64(h)))},
		final:      w.rmsNorm("norm", h, plus, eps), causal: !own.Bidirectional,
	}
	n.layers = stackLayers(c.Layers, func(i int) layer {
		p := layerName("layers", i)
		attention := decoder{normPlus: plus}.attention(w, c, p)
		attention.Causal, attention.Rotary = !own.Bidirectional, global
		if c.sliding(i, own.sliding) {
			attention.Rotary, attention.Window = local, own.window(c.Window)
		}
		gated, _ := w.stack(h, false, part{name: p + "mlp.gate_proj", out: f}, part{name: p + "mlp.up_proj", out: f})
		return &sandwich{
			beforeAttention: w.rmsNorm(p+"input_layernorm", h, plus, eps), attention: attention,
			afterAttention:    w.rmsNorm(p+"post_attention_layernorm", h, plus, eps),
			beforeFeedForward: w.rmsNorm(p+"pre_feedforward_layernorm", h, plus, eps),
			feedForward:       &block.FeedForward{Up: w.pack(2*f, h, gated, nil), Down: w.linear(p+"mlp.down_proj", h, f, false), Activation: act, Gated: true},
			afterFeedForward:  w.rmsNorm(p+"post_feedforward_layernorm", h, plus, eps),
		}
	})
	return n, nil
}

// localRotary returns the rotary positions of the layers with a window, which older
// files give a base of their own and never a scaling.
func (c *config) localRotary(base float64) (*block.Rotary, error) {
	local := *c
	local.RopeTheta, local.RopeScaling = base, block.RotaryScaling{}
	return local.rotary("sliding_attention")
}

// sliding tells which layers have a window where layer_types is missing.
func (g gemmaConfig) sliding(i int) bool {
	pattern := 6
	for _, n := range []int{g.OldPattern, g.Pattern} {
		if n > 0 {
			pattern = n
		}
	}
	return (i+1)%pattern != 0
}

// window returns how far a token sees in a layer with a window of n tokens.
func (g gemmaConfig) window(n int) int {
	if g.Bidirectional {
		return max(1, n/2)
	}
	return behind(n)
}
