package block_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"rcvae/embed/encoder/internal/block"
	"rcvae/internal/gemm"
)

// The blocks are compared with their formulas in float64, written out over one text.

// matrix is (rows, columns).
type matrix struct {
	rows, columns int
	values        []float32
}

func random(rng *rand.Rand, rows, columns int) matrix {
	m := matrix{rows, columns, make([]float32, rows*columns)}
	for i := range m.values {
		m.values[i] = float32(rng.NormFloat64()) / float32(math.Sqrt(float64(columns)))
	}
	return m
}

// times returns x·mᵀ.
func (m matrix) times(x []float64) []float64 {
	y := make([]float64, m.rows)
	for i := range y {
		for j, v := range x {
			y[i] += v * float64(m.values[i*m.columns+j])
		}
	}
	return y
}

const (
	hidden, heads, kvHeads, width = 24, 6, 2, 4
	buckets                       = 32
)

// attentionCase is attention with what it may have.
type attentionCase struct {
	name           string
	window         int
	causal, rotary bool
	relative       bool
	lengths        []int
}

// reference is attention over one text in float64.
func (c attentionCase) reference(x [][]float64, qkv, out matrix, table []float32) [][]float64 {
	n := len(x)
	project := func(i int) []float64 { return qkv.times(x[i]) }
	head := func(y []float64, h, position int) []float64 {
		v := append([]float64(nil), y[h*width:(h+1)*width]...)
		if !c.rotary || h >= heads+kvHeads {
			return v
		}
		for i := range width / 2 {
			sin, cos := math.Sincos(float64(position) * math.Pow(10000, -2*float64(i)/width))
			a, b := v[i], v[i+width/2]
			v[i], v[i+width/2] = a*cos-b*sin, b*cos+a*sin
		}
		return v
	}
	projected := make([][]float64, n)
	for i := range x {
		projected[i] = project(i)
	}
	result := make([][]float64, n)
	for i := range x {
		context := make([]float64, heads*width)
		for h := range heads {
			group := h / (heads / kvHeads)
			q := head(projected[i], h, i)
			weights, sum := make([]float64, n), 0.0
			for j := range x {
				if c.causal && j > i || c.window > 0 && (i-j > c.window || j-i > c.window) {
					continue
				}
				score := 0.0
				for k, v := range head(projected[j], heads+group, j) {
					score += q[k] * v
				}
				if c.relative {
					score += float64(table[bucket(j-i)*heads+h])
				}
				weights[j] = math.Exp(score)
				sum += weights[j]
			}
			for j, w := range weights {
				if w > 0 {
					for k, v := range head(projected[j], heads+kvHeads+group, j) {
						context[h*width+k] += w / sum * v
					}
				}
			}
		}
		result[i] = out.times(context)
	}
	return result
}

// bucket is T5's formula of the bucket of a distance, as MPNet's code has it.
func bucket(relative int) int {
	n, result := -relative, 0
	half := buckets / 2
	if n < 0 {
		result, n = half, -n
	}
	exact := half / 2
	if n < exact {
		return result + n
	}
	large := exact + int(math.Log(float64(n)/float64(exact))/math.Log(128/float64(exact))*float64(half-exact))
	return result + min(large, half-1)
}

func TestAttention(t *testing.T) {
	long := []int{1, 300, 7}
	for _, c := range []attentionCase{
		{name: "full", lengths: long}, {name: "causal", causal: true, lengths: long}, {name: "window", window: 5, lengths: long},
		{name: "wide window", window: 270, lengths: long}, {name: "causal window", window: 9, causal: true, lengths: long},
		{name: "rotary", rotary: true, lengths: long}, {name: "relative", relative: true, lengths: long},
		{name: "all", window: 40, causal: true, rotary: true, relative: true, lengths: []int{290, 2}},
	} {
		for _, workers := range []int{1, 2} {
			t.Run(fmt.Sprint(c.name, " on ", workers), func(t *testing.T) { c.run(t, workers) })
		}
	}
}

// attention returns random attention, its weights and its biases by distance.
func (c attentionCase) attention(t *testing.T, rng *rand.Rand) (a *block.Attention, qkv, out matrix, table []float32) {
	t.Helper()
	rows := (heads + 2*kvHeads) * width
	qkv, out = random(rng, rows, hidden), random(rng, hidden, heads*width)
	table = random(rng, buckets, heads).values
	a = &block.Attention{
		Heads: heads, KVHeads: kvHeads, Width: width, Window: c.window, Causal: c.causal,
		QKV: block.NewLinear(rows, hidden, qkv.values, nil), Out: block.NewLinear(hidden, heads*width, out.values, nil),
	}
	var err error
	if c.rotary {
		if a.Rotary, err = block.NewRotary(width, 10000, block.RotaryScaling{}); err != nil {
			t.Fatal(err)
		}
	}
	if c.relative {
		if a.Relative, err = block.NewRelativeBias(buckets, heads, table); err != nil {
			t.Fatal(err)
		}
	}
	return a, qkv, out, table
}

func (c attentionCase) run(t *testing.T, workers int) {
	rng := rand.New(rand.NewPCG(1, 2))
	a, qkv, out, table := c.attention(t, rng)
	pool := gemm.NewPool(workers)
	defer pool.Close()
	b := block.NewBatch(pool)
	var texts [][]int32
	for _, n := range c.lengths {
		texts = append(texts, make([]int32, n))
	}
	b.Begin(texts, hidden)
	for i := range b.X {
		b.X[i] = float32(rng.NormFloat64())
	}
	y := make([]float32, len(b.X))
	a.Apply(b, b.X, y)
	for i := range texts {
		from, to := b.Starts[i], b.Starts[i+1]
		x := make([][]float64, to-from)
		for r := range x {
			x[r] = widen(b.X[(from+r)*hidden : (from+r+1)*hidden])
		}
		for r, want := range c.reference(x, qkv, out, table) {
			for j, w := range want {
				if got := float64(y[(from+r)*hidden+j]); math.Abs(got-w) > 2e-5 {
					t.Fatalf("text %d of %d tokens, token %d, value %d = %v, want %v", i, to-from, r, j, got, w)
				}
			}
		}
	}
}

func widen(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func TestFeedForward(t *testing.T) {
	functions := map[block.Activation]func(x float64) float64{
		block.GELU: func(x float64) float64 { return x * 0.5 * math.Erfc(-x/math.Sqrt2) },
		block.GELUTanh: func(x float64) float64 {
			return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
		},
		block.SiLU: func(x float64) float64 { return x / (1 + math.Exp(-x)) },
		block.ReLU: func(x float64) float64 { return max(0, x) },
	}
	const inner = 40
	for act, f := range functions {
		for _, gated := range []bool{false, true} {
			rng := rand.New(rand.NewPCG(3, 4))
			rows := inner
			if gated {
				rows *= 2
			}
			up, down, bias := random(rng, rows, hidden), random(rng, hidden, inner), random(rng, 1, rows).values
			l := &block.FeedForward{Up: block.NewLinear(rows, hidden, up.values, bias), Down: block.NewLinear(hidden, inner, down.values, nil), Activation: act, Gated: gated}
			pool := gemm.NewPool(0)
			b := block.NewBatch(pool)
			b.Begin([][]int32{make([]int32, 70)}, hidden)
			for i := range b.X {
				b.X[i] = float32(20 * rng.NormFloat64()) // far into both ends
			}
			y := make([]float32, len(b.X))
			l.Apply(b, b.X, y)
			pool.Close()
			for i := range 70 {
				x := widen(b.X[i*hidden : (i+1)*hidden])
				u := up.times(x)
				for j := range u {
					u[j] += float64(bias[j])
				}
				z := make([]float64, inner)
				for j := range z {
					z[j] = f(u[j])
					if gated {
						z[j] *= u[inner+j]
					}
				}
				for j, w := range down.times(z) {
					if got := float64(y[i*hidden+j]); math.Abs(got-w) > 1e-5*(1+scale(z)) {
						t.Fatalf("activation %v, gated %v: value (%d, %d) = %v, want %v", act, gated, i, j, got, w)
					}
				}
			}
		}
	}
}

// scale returns the largest absolute value.
func scale(x []float64) float64 {
	top := 0.0
	for _, v := range x {
		top = max(top, math.Abs(v))
	}
	return top
}

// Rotation keeps lengths, and scores depend on the distance of positions alone.
func TestScaledRotary(t *testing.T) {
	for _, s := range []block.RotaryScaling{
		{}, {Type: "linear", Factor: 4}, {Type: "llama3", Factor: 8, LowFreq: 1, HighFreq: 4, Original: 8192},
	} {
		r, err := block.NewRotary(64, 500000, s)
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(5, 6))
		q, k := random(rng, 1, 64).values, random(rng, 1, 64).values
		score := func(i, j int) float64 { return dot(r.Turned(q, i), r.Turned(k, j)) }
		for _, pair := range [][2]int{{5, 2}, {600, 3}} {
			if a, b := score(pair[0], pair[1]), score(pair[0]+400, pair[1]+400); math.Abs(a-b) > 1e-5 {
				t.Errorf("%q: the score of positions %v is %v, and %v 400 further", s.Type, pair, a, b)
			}
		}
		if a, b := dot(q, q), dot(r.Turned(q, 900), r.Turned(q, 900)); math.Abs(a-b) > 1e-5 {
			t.Errorf("%q: a rotation changes the square of the length from %v to %v", s.Type, a, b)
		}
	}
}

func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

func TestNewRotaryRejects(t *testing.T) {
	for name, s := range map[string]block.RotaryScaling{
		"unknown": {Type: "dynamic", Factor: 2}, "no factor": {Type: "linear"}, "llama3 without bounds": {Type: "llama3", Factor: 8}, "NaN": {OldType: "linear", Factor: math.NaN()},
	} {
		if _, err := block.NewRotary(64, 10000, s); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, width := range []int{0, 1, 7} {
		if _, err := block.NewRotary(width, 10000, block.RotaryScaling{}); err == nil {
			t.Errorf("width %d: no error", width)
		}
	}
}
