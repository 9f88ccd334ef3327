package encoder

// mistralFamily is Mistral: Llama with a window, as in E5-Mistral. Jiang et al.,
// "Mistral 7B" (2023). Its GGUF files are Llama's, and tell no window.
var mistralFamily = family{
	types: []string{"mistral"}, prefixes: []string{"model."}, words: "embed_tokens", build: mistral, rename: decoderGGUF,
}

func mistral(raw []byte, c *config) (builder, error) {
	c.RMSEpsilon, c.Activation, c.RopeTheta = 1e-6, "silu", 10000
	return c.build(raw, func(w *weights) (*network, error) {
		return decoderLayers(w, c, decoder{causal: true, window: func(int) int { return behind(c.Window) }})
	})
}

// behind returns how many tokens before a token a causal window of n tokens has; 0, all,
// for no window.
func behind(n int) int {
	if n == 1 {
		n = 2 // a window that holds nothing else is no model's
	}
	return max(0, n-1)
}
