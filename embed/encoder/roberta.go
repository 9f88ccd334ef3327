package encoder

// robertaFamily is RoBERTa and XLM-RoBERTa: multilingual E5, BGE-M3. BERT whose
// positions start behind the padding token's id. Liu et al., "RoBERTa" (2019); Conneau
// et al., "Unsupervised Cross-lingual Representation Learning at Scale" (2020).
var robertaFamily = family{
	types: []string{"roberta", "xlm-roberta", "camembert"}, prefixes: []string{"roberta."},
	words: "embeddings.word_embeddings", build: roberta, // GGUF files of it are BERT's: their positions start at 0
}

func roberta(raw []byte, c *config) (builder, error) {
	c.LayerEpsilon, c.Activation, c.Segments, c.Pad = 1e-12, "gelu", 2, 1
	return c.build(raw, func(w *weights) (*network, error) { return bertLayers(w, c, c.Pad+1) })
}
