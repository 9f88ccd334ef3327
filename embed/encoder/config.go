package encoder

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"rcvae/embed/encoder/internal/block"
)

// config is what the architectures have in common of Hugging Face's config.json. An
// architecture fills in its defaults before it is read, and what it calls by other names
// after.
type config struct {
	Vocabulary   int     `json:"vocab_size"`
	Positions    int     `json:"max_position_embeddings"`
	Hidden       int     `json:"hidden_size"`
	Layers       int     `json:"num_hidden_layers"`
	Heads        int     `json:"num_attention_heads"`
	KVHeads      int     `json:"num_key_value_heads"` // 0: as many as heads
	Width        int     `json:"head_dim"`            // 0: Hidden / Heads
	Intermediate int     `json:"intermediate_size"`
	Activation   string  `json:"hidden_act"`
	LayerEpsilon float64 `json:"layer_norm_eps"`
	RMSEpsilon   float64 `json:"rms_norm_eps"`
	Pad          int     `json:"pad_token_id"`
	Segments     int     `json:"type_vocab_size"`

	Window     int      `json:"sliding_window"` // null: none
	LayerTypes []string `json:"layer_types"`    // "full_attention", "sliding_attention"

	RopeTheta      float64             `json:"rope_theta"`
	RopeScaling    block.RotaryScaling `json:"rope_scaling"`
	RopeParameters json.RawMessage     `json:"rope_parameters"` // of newer files: one, or one by layer type

	Causal *bool `json:"is_causal"` // false: a language model that was trained to see all tokens

	factors  []float32 // of the rotary frequencies, of GGUF files; nil: none
	fromGGUF bool      // llama.cpp stores some weights in another form
	normed   bool      // heads have norms, which take the factor of the scores
	scale    float64   // of the attention's scores; 0: 1/√Width
}

// builder makes an architecture of its weights.
type builder func(w *weights) (*network, error)

// build reads a config.json over the defaults, checks the sizes and returns layers, which
// uses them.
func (c *config) build(raw []byte, layers builder) (builder, error) {
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, err
	}
	if err := c.finish(); err != nil {
		return nil, err
	}
	return layers, nil
}

// Limits on sizes, so that a damaged file is an error and not an attempt to reserve all
// memory.
const (
	maxWidth  = 1 << 17
	maxLayers = 1 << 10
)

// finish fills in sizes that follow from others and reports every bad one.
func (c *config) finish() error {
	if c.KVHeads == 0 {
		c.KVHeads = c.Heads
	}
	if c.Width == 0 && c.Heads > 0 {
		c.Width = c.Hidden / c.Heads
	}
	var errs []error
	for _, f := range []struct {
		name       string
		value, top int
	}{
		{"vocab_size", c.Vocabulary, 1 << 24}, {"max_position_embeddings", c.Positions, 1 << 24}, {"hidden_size", c.Hidden, maxWidth},
		{"num_hidden_layers", c.Layers, maxLayers}, {"num_attention_heads", c.Heads, 1 << 12}, {"num_key_value_heads", c.KVHeads, 1 << 12},
		{"head_dim", c.Width, maxWidth}, {"intermediate_size", c.Intermediate, 1 << 20},
	} {
		if f.value < 1 || f.value > f.top {
			errs = append(errs, fmt.Errorf("%s is %d, want 1 to %d", f.name, f.value, f.top))
		}
	}
	if c.KVHeads > 0 && c.Heads%c.KVHeads != 0 {
		errs = append(errs, fmt.Errorf("num_attention_heads %d is not a multiple of num_key_value_heads %d", c.Heads, c.KVHeads))
	}
	for name, v := range map[string]float64{"layer_norm_eps": c.LayerEpsilon, "rms_norm_eps": c.RMSEpsilon} {
		if !(v > 0) || math.IsInf(v, 0) {
			errs = append(errs, fmt.Errorf("%s is %v, want a positive number", name, v))
		}
	}
	if c.Window < 0 || c.Segments < 0 || c.Segments > 1<<12 || (len(c.LayerTypes) > 0 && len(c.LayerTypes) != c.Layers) {
		errs = append(errs, errors.New("sliding_window, type_vocab_size or layer_types is out of range"))
	}
	return errors.Join(errs...)
}

// queries returns the rows of all query heads.
func (c *config) queries() int { return c.Heads * c.Width }

// keys returns the rows of all key heads.
func (c *config) keys() int { return c.KVHeads * c.Width }

// sliding tells whether layer i has the window; uniform is the answer where the file
// does not say.
func (c *config) sliding(i int, uniform func(i int) bool) bool {
	if len(c.LayerTypes) > 0 {
		return c.LayerTypes[i] == "sliding_attention"
	}
	return uniform(i)
}

// rotary returns the rotary positions of layers of a type ("" where there is but one).
func (c *config) rotary(layerType string) (*block.Rotary, error) {
	base, scaling := c.RopeTheta, c.RopeScaling
	if len(c.RopeParameters) > 0 && string(c.RopeParameters) != "null" {
		var byType map[string]json.RawMessage
		raw := c.RopeParameters
		if json.Unmarshal(raw, &byType) == nil && byType[layerType] != nil {
			raw = byType[layerType]
		}
		p := struct {
			Theta float64 `json:"rope_theta"`
			block.RotaryScaling
			Fraction *float64 `json:"partial_rotary_factor"`
		}{Theta: base}
		if err := json.Unmarshal(raw, &p); err != nil {
			return nil, fmt.Errorf("rope_parameters: %w", err)
		}
		if p.Fraction != nil && *p.Fraction != 1 {
			return nil, fmt.Errorf("partial_rotary_factor %v is not supported", *p.Fraction)
		}
		base, scaling = p.Theta, p.RotaryScaling
	}
	if scaling.Original == 0 {
		scaling.Original = float64(c.Positions)
	}
	r, err := block.NewRotary(c.Width, base, scaling)
	if err == nil && c.factors != nil {
		err = r.Divide(c.factors)
	}
	return r, err
}

// attention composes attention from stacked queries, keys and values.
func (c *config) attention(w *weights, bias bool, out string, outBias bool, parts ...part) *block.Attention {
	rows := c.queries() + 2*c.keys()
	weight, biases := w.stack(c.Hidden, bias, parts...)
	if !w.failed() && !c.normed {
		weight.scaleRows(c.scoreScale(), c.queries(), biases)
	}
	return &block.Attention{
		Heads: c.Heads, KVHeads: c.KVHeads, Width: c.Width,
		QKV: w.pack(rows, c.Hidden, weight, biases), Out: w.linear(out, c.Hidden, c.queries(), outBias),
	}
}

// scoreScale returns the factor of the attention's scores.
func (c *config) scoreScale() float32 {
	if c.scale != 0 {
		return float32(c.scale)
	}
	return float32(1 / math.Sqrt(float64(c.Width)))
}
