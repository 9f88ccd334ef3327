package lm_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"rcvae"
	"rcvae/dataset"
	"rcvae/embed/encoder"
	"rcvae/embed/lm"
	"rcvae/internal/demo"
	"rcvae/internal/gguf"
	"rcvae/internal/tokenizer"
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

// BenchmarkQuestion embeds 16 candidates of 270 tokens or a little more, all at once or one
// after the other as they arrive. Each time it is another question, which nobody knows.
func BenchmarkQuestion(b *testing.B) {
	m, err := lm.Open(base(b))
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	for _, c := range []struct {
		name   string
		atOnce int
	}{{"together", 17}, {"arriving", 1}} {
		b.Run(c.name, func(b *testing.B) {
			texts, tokens := longQuestion(b)
			question := texts[0].Text
			for i := 0; b.Loop(); i++ {
				for j := range texts {
					texts[j].Question = fmt.Sprint(i, c.name, question)
				}
				texts[0].Text, texts[0].Question = texts[1].Question, ""
				for from := 0; from < len(texts); from += c.atOnce {
					if _, err := m.Embed(b.Context(), texts[from:min(len(texts), from+c.atOnce)]); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/question")
			b.ReportMetric(float64(tokens), "tokens")
		})
	}
}

// longQuestion returns a bundled question and 16 candidates, each several bundled
// solutions long, and how many tokens the candidates have.
func longQuestion(b *testing.B) (texts []rcvae.Text, tokens int) {
	data, err := os.ReadFile(base(b))
	if err != nil {
		b.Fatal(err)
	}
	file, err := gguf.Decode(data)
	if err != nil {
		b.Fatal(err)
	}
	words, err := tokenizer.FromGGUF(file.Metadata)
	if err != nil {
		b.Fatal(err)
	}
	questions, err := demo.Questions(dataset.Pool(demo.Test(), "bundled test pool"))
	if err != nil {
		b.Fatal(err)
	}
	texts, next := []rcvae.Text{{Text: questions[0].Question}}, 0
	for range 16 {
		t := rcvae.Text{Role: rcvae.RoleSolution}
		for n := 0; n < 270; n = len(words.Encode(t.Text)) {
			line := questions[next/8].Candidates[next%8].Text
			t.Text += line[:min(len(line), 150)] + "\n"
			next++
		}
		texts, tokens = append(texts, t), tokens+len(words.Encode(t.Text))
	}
	return texts, tokens
}
