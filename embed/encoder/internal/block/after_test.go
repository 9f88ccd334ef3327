package block_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"rcvae/embed/encoder/internal/block"
	"rcvae/internal/gemm"
)

// TestTextsGoOnFromOthers: what a text has behind another one is what it has at the end
// of both in one.
func TestTextsGoOnFromOthers(t *testing.T) {
	for _, c := range []attentionCase{
		{name: "causal", causal: true, rotary: true}, {name: "window", causal: true, rotary: true, window: 4},
		{name: "relative", causal: true, relative: true},
	} {
		for _, workers := range []int{1, 2} {
			rng := rand.New(rand.NewPCG(1, 2))
			a, qkv, out, table := c.attention(t, rng)
			pool := gemm.NewPool(workers)
			b := block.NewBatch(pool)
			var texts [][]int32
			after := []int{3, -1, 1, -1, 3, 3} // before and behind what they go on from
			for _, n := range []int{3, 5, 290, 270, 1, 7} {
				texts = append(texts, make([]int32, n))
			}
			b.BeginAfter(texts, after, hidden)
			for i := range b.X {
				b.X[i] = float32(rng.NormFloat64())
			}
			y := make([]float32, len(b.X))
			a.Apply(b, b.X, y)
			pool.Close()
			for i, from := range after {
				var x [][]float64
				for _, text := range []int{from, i} {
					for r := 0; text >= 0 && r < len(texts[text]); r++ {
						row := b.Starts[text] + r
						x = append(x, widen(b.X[row*hidden:(row+1)*hidden]))
					}
				}
				want := c.reference(x, qkv, out, table)
				want = want[len(want)-len(texts[i]):]
				for r := range want {
					for j, w := range want[r] {
						if got := float64(y[(b.Starts[i]+r)*hidden+j]); math.Abs(got-w) > 2e-5 {
							t.Fatalf("%s: text %d, token %d, value %d = %v, want %v", c.name, i, r, j, got, w)
						}
					}
				}
			}
		}
	}
}
