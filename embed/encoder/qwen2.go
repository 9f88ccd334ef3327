package encoder

import "encoding/json"

// qwen2Family is Qwen2: Llama with biases of queries, keys and values. Yang et al.,
// "Qwen2 Technical Report" (2024).
var qwen2Family = family{
	types: []string{"qwen2"}, gguf: []string{"qwen2"}, prefixes: []string{"model."}, words: "embed_tokens", build: qwen2, rename: decoderGGUF,
}

func qwen2(raw []byte, c *config) (builder, error) {
	c.RMSEpsilon, c.Activation, c.RopeTheta = 1e-6, "silu", 10000
	return c.build(raw, func(w *weights) (*network, error) {
		window, err := qwenWindow(raw, c)
		if err != nil {
			return nil, err
		}
		return decoderLayers(w, c, decoder{causal: true, qkvBias: true, window: window})
	})
}

// qwenWindow returns the window of each layer: none, unless the file switches it on.
func qwenWindow(raw []byte, c *config) (func(i int) int, error) {
	own := struct {
		Use  bool `json:"use_sliding_window"`
		From int  `json:"max_window_layers"` // the first layer with a window
	}{From: 28}
	if err := json.Unmarshal(raw, &own); err != nil {
		return nil, err
	}
	return func(i int) int {
		if own.Use && c.sliding(i, func(i int) bool { return i >= own.From }) {
			return behind(c.Window)
		}
		return 0
	}, nil
}
