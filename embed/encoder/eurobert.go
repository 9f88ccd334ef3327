package encoder

// eurobertFamily is EuroBERT: Llama whose tokens see all others. Boizard et al.,
// "EuroBERT: Scaling Multilingual Encoders for European Languages" (2025).
var eurobertFamily = family{
	types: []string{"eurobert"}, gguf: []string{"eurobert"}, prefixes: []string{"model."}, words: "embed_tokens", build: eurobert, rename: decoderGGUF,
}

func eurobert(raw []byte, c *config) (builder, error) {
	c.RMSEpsilon, c.Activation, c.RopeTheta = 1e-5, "silu", 250000
	return c.build(raw, func(w *weights) (*network, error) { return decoderLayers(w, c, decoder{}) })
}
