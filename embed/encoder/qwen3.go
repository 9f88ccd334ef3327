package encoder

import (
	"encoding/json"

	"rcvae/embed/encoder/internal/block"
)

// qwen3Family is Qwen3 and Qwen3-Embedding: Llama with norms of each head's queries and
// keys. Yang et al., "Qwen3 Technical Report" (2025).
var qwen3Family = family{
	types: []string{"qwen3"}, gguf: []string{"qwen3"}, prefixes: []string{"model."}, words: "embed_tokens", build: qwen3, rename: decoderGGUF,
}

func qwen3(raw []byte, c *config) (builder, error) {
	c.RMSEpsilon, c.Activation, c.RopeTheta, c.Width = 1e-6, "silu", 10000, 128
	return c.build(raw, func(w *weights) (*network, error) {
		c.normed = true
		own := struct {
			Bias bool `json:"attention_bias"`
		}{}
		if err := json.Unmarshal(raw, &own); err != nil {
			return nil, err
		}
		window, err := qwenWindow(raw, c)
		if err != nil {
			return nil, err
		}
		return decoderLayers(w, c, decoder{causal: true, qkvBias: own.Bias, outBias: own.Bias, window: window})
	})
}

// headNorms sets the norms of each head's queries and keys. The factor of the scores
// belongs behind the queries' norm.
func (c *config) headNorms(w *weights, a *block.Attention, p string, plus float32) {
	eps := float32(c.RMSEpsilon)
	a.QueryNorm = w.rmsNorm(p+"self_attn.q_norm", c.Width, plus, eps).Scale(c.scoreScale())
	a.KeyNorm = w.rmsNorm(p+"self_attn.k_norm", c.Width, plus, eps)
}
