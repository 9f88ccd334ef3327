package minilm_test

import (
	"os"
	"testing"

	"rcvae/internal/tokenizer"
)

// BenchmarkTokenize counts tokens of the golden texts under the real vocabulary.
func BenchmarkTokenize(b *testing.B) {
	vocabulary, err := os.ReadFile("vocab.txt")
	if err != nil {
		b.Fatal(err)
	}
	words, err := tokenizer.FromVocabulary(vocabulary, true)
	if err != nil {
		b.Fatal(err)
	}
	all := readGolden(b)
	tokens := 0
	for b.Loop() {
		for _, g := range all {
			tokens += len(words.Encode(g.Text))
		}
	}
	b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
}
