package encoder

import (
	"errors"

	"rcvae/embed/encoder/internal/block"
)

// llamaFamily is Llama: root-mean-square norms before the sublayers, rotary positions,
// grouped queries, gated feed-forward layers, causal. Touvron et al., "LLaMA: Open and
// Efficient Foundation Language Models" (2023).
var llamaFamily = family{
	types: []string{"llama"}, gguf: []string{"llama"}, prefixes: []string{"model."}, words: "embed_tokens", build: llama, rename: decoderGGUF,
}

func llama(raw []byte, c *config) (builder, error) {
	c.RMSEpsilon, c.Activation, c.RopeTheta = 1e-6, "silu", 10000
	return c.build(raw, func(w *weights) (*network, error) {
		return decoderLayers(w, c, decoder{causal: true, neighbours: c.fromGGUF})
	})
}

// decoderGGUF are llama.cpp's names of the modules of Llama and those like it.
var decoderGGUF = map[string]string{
	"embed_tokens": "token_embd", "norm": "output_norm",
	"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
	"self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
	"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
	"mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}

// decoder is in what the architectures like Llama differ.
type decoder struct {
	causal     bool
	normPlus   float32 // is added to the stored scales of the heads' norms
	qkvBias    bool
	window     func(i int) int // of a layer; nil: none
	neighbours bool            // the weights of queries and keys turn neighbours, see [config.halves]
	outBias    bool            // of the attention's output
	mlpBias    bool
}

func decoderLayers(w *weights, c *config, d decoder) (*network, error) {
	act, err := block.ParseActivation(c.Activation)
	if err != nil {
		return nil, err
	}
	if d.causal && c.Causal != nil && !*c.Causal {
		return nil, errors.New("is_causal is false: language models that see all tokens are not supported")
	}
	rotary, err := c.rotary("")
	if err != nil {
		return nil, err
	}
	h, f, eps := c.Hidden, c.Intermediate, float32(c.RMSEpsilon)
	n := &network{
		embeddings: block.Embeddings{Hidden: h, Words: w.table("embed_tokens", c.Vocabulary, h), Scale: 1},
		final:      w.rmsNorm("norm", h, 0, eps), causal: d.causal,
	}
	n.layers = stackLayers(c.Layers, func(i int) layer {
		p := layerName("layers", i)
		attention := d.attention(w, c, p)
		attention.Rotary, attention.Causal = rotary, d.causal
		if d.window != nil {
			attention.Window = d.window(i)
		}
		gated, biases := w.stack(h, d.mlpBias, part{name: p + "mlp.gate_proj", out: f}, part{name: p + "mlp.up_proj", out: f})
		return &preNorm{
			attentionNorm: w.rmsNorm(p+"input_layernorm", h, 0, eps), attention: attention,
			feedForwardNorm: w.rmsNorm(p+"post_attention_layernorm", h, 0, eps),
			feedForward:     &block.FeedForward{Up: w.pack(2*f, h, gated, biases), Down: w.linear(p+"mlp.down_proj", h, f, d.mlpBias), Activation: act, Gated: true},
		}
	})
	return n, nil
}

func (d decoder) attention(w *weights, c *config, p string) *block.Attention {
	attention := c.attention(w, d.qkvBias, p+"self_attn.o_proj", d.outBias,
		part{name: p + "self_attn.q_proj", out: c.queries(), neighbours: d.headsIf(c.Heads)},
		part{name: p + "self_attn.k_proj", out: c.keys(), neighbours: d.headsIf(c.KVHeads)},
		part{name: p + "self_attn.v_proj", out: c.keys()})
	if c.normed {
		c.headNorms(w, attention, p, d.normPlus)
	}
	return attention
}

func (d decoder) headsIf(n int) int {
	if d.neighbours {
		return n
	}
	return 0
}
