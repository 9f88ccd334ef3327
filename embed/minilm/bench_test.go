package minilm_test

import (
	"cmp"
	"slices"
	"testing"

	"rcvae/rcvaetest"
)

// BenchmarkCall embeds what one call of a small program has: one text of 276 tokens or
// so, and eight short ones.
func BenchmarkCall(b *testing.B) {
	all := readGolden(b)
	slices.SortStableFunc(all, func(x, y golden) int { return cmp.Compare(len(x.IDs), len(y.IDs)) })
	middle := slices.IndexFunc(all, func(g golden) bool { return len(g.IDs) >= 276 })
	short := slices.IndexFunc(all, func(g golden) bool { return len(g.IDs) >= 40 })
	for _, c := range []struct {
		name  string
		texts []golden
	}{{"one", all[middle : middle+1]}, {"eight", all[short : short+8]}} {
		b.Run(c.name, func(b *testing.B) {
			e, tokens, texts := newEmbedder(b), 0, []string(nil)
			for _, g := range c.texts {
				tokens, texts = tokens+len(g.IDs), append(texts, g.Text)
			}
			for b.Loop() {
				if _, err := e.Embed(b.Context(), rcvaetest.Texts(texts...)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*tokens)/b.Elapsed().Seconds(), "tokens/s")
			b.ReportMetric(float64(tokens), "tokens")
		})
	}
}
