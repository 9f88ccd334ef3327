package block_test

import (
	"math"
	"math/rand/v2"
	"slices"
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
			b.BeginAfter(texts, after, nil, hidden)
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

// TestTextsGoOnFromPasts: a text has, to the bit, behind the past of another one what it
// has behind that one in the same batch.
func TestTextsGoOnFromPasts(t *testing.T) {
	for _, c := range []attentionCase{
		{name: "causal", causal: true, rotary: true}, {name: "window", causal: true, rotary: true, window: 4},
		{name: "relative", causal: true, relative: true},
	} {
		rng := rand.New(rand.NewPCG(3, 4))
		a, _, _, _ := c.attention(t, rng)
		pool := gemm.NewPool(2)
		b := block.NewBatch(pool)
		texts := [][]int32{make([]int32, 5), make([]int32, 290), make([]int32, 3), make([]int32, 280), make([]int32, 2)}
		b.BeginAfter(texts, []int{-1, 0, -1, 2, 0}, nil, hidden)
		first, second := b.Keep(0), b.Keep(2)
		for i := range b.X {
			b.X[i] = float32(rng.NormFloat64())
		}
		row := func(x []float32, from, to int) []float32 { return slices.Clone(x[from*hidden : to*hidden]) }
		y := make([]float32, len(b.X))
		a.Apply(b, b.X, y)
		var x, want []float32
		for _, text := range []int{4, 3, 1} {
			x, want = append(x, row(b.X, b.Starts[text], b.Starts[text+1])...), append(want, row(y, b.Starts[text], b.Starts[text+1])...)
		}
		b.BeginAfter([][]int32{texts[4], texts[3], texts[1]}, []int{4, 3, 4}, []*block.Past{second, first}, hidden)
		copy(b.X, x)
		got := make([]float32, len(b.X))
		a.Apply(b, b.X, got)
		pool.Close()
		if !slices.Equal(got, want) {
			t.Errorf("%s: behind pasts the texts have other values", c.name)
		}
		if first.Bytes() == 0 || first.Bytes()*3 != second.Bytes()*5 {
			t.Errorf("%s: pasts of 5 and 3 tokens take %d and %d bytes", c.name, first.Bytes(), second.Bytes())
		}
	}
}
