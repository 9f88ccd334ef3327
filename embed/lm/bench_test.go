package lm_test

import (
	"math/rand/v2"
	"os"
	"testing"

	"rcvae"
	"rcvae/dataset"
	"rcvae/embed/encoder"
	"rcvae/embed/lm"
	"rcvae/internal/demo"
)

// base returns the path of the real base.
func base(tb testing.TB) string {
	tb.Helper()
	path := os.Getenv("RCVAE_QWEN_GGUF")
	if path == "" {
		tb.Skip("RCVAE_QWEN_GGUF does not name the GGUF file of Qwen2.5-Coder-0.5B-Instruct")
	}
	return path
}

// BenchmarkPrompt runs 512 tokens through the base, as llama-bench -p 512 does.
func BenchmarkPrompt(b *testing.B) {
	m, err := encoder.Open(base(b), encoder.Options{Pooling: encoder.PoolMean, MaxTokens: 512, TokensOnly: true})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	ids := make([]int32, 512)
	for i := range ids {
		ids[i] = rng.Int32N(150000)
	}
	for b.Loop() {
		if _, err := m.EmbedTokens(b.Context(), rcvae.RoleSolution, [][]int32{ids}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(ids))/b.Elapsed().Seconds(), "tokens/s")
}

// BenchmarkQuestion embeds 16 candidates of a bundled question, all at once or one after
// the other as they arrive. Each time it is another question, whose tokens nobody knows.
func BenchmarkQuestion(b *testing.B) {
	m, err := lm.Open(base(b))
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	questions, err := demo.Questions(dataset.Pool(demo.Test(), "bundled test pool"))
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		atOnce int
	}{{"together", 17}, {"arriving", 1}} {
		b.Run(c.name, func(b *testing.B) {
			i := 0
			for b.Loop() {
				q := questions[i%len(questions)]
				i++
				q.Candidates = q.Candidates[:16]
				texts := q.Texts()
				for from := 0; from < len(texts); from += c.atOnce {
					if _, err := m.Embed(b.Context(), texts[from:min(len(texts), from+c.atOnce)]); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/question")
		})
	}
}
