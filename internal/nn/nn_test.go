package nn_test

import (
	"math"
	"slices"
	"testing"

	"rcvae/internal/gemm"
	"rcvae/internal/nn"
)

func TestLayout(t *testing.T) {
	var l nn.Layout
	a, b, c := l.Add("a", 2, 3), l.Add("b"), l.Add("c", 4)
	flat := make([]float32, l.Size())
	if len(flat) != 11 || len(l.Views()) != 3 {
		t.Fatalf("Size() = %d with %d views, want 11 with 3", len(flat), len(l.Views()))
	}
	for i, v := range []nn.View{a, b, c} {
		for j := range v.Of(flat) {
			v.Of(flat)[j] = float32(i + 1)
		}
	}
	if want := []float32{1, 1, 1, 1, 1, 1, 2, 3, 3, 3, 3}; !slices.Equal(flat, want) {
		t.Errorf("views cover %v, want %v", flat, want)
	}
}

// TestMLPGradients compares the backward pass with central differences of
// Σ weight·output, with dropout under fixed keys.
func TestMLPGradients(t *testing.T) {
	pool := gemm.NewPool(2)
	defer pool.Close()
	var layout nn.Layout
	const in, out, rows, from, to = 9, 5, 13, 3, 7
	m := nn.NewMLP(&layout, "net", in, []int{8, 6}, out)
	params, grads := make([]float32, layout.Size()), make([]float32, layout.Size())
	m.Init(params, 4) // no unit of this draw is near the kink of its ReLU
	x, dy, dx := make([]float32, rows*in), make([]float32, rows*out), make([]float32, rows*(to-from))
	nn.NewNormal().Fill(x, 2)
	nn.NewNormal().Fill(dy, 3)
	keys := make([]uint64, rows)
	for i := range keys {
		keys[i] = nn.Key(7, uint64(i))
	}
	dropout := nn.NewDropout(0.3)
	var tape nn.Tape
	loss := func() (sum float64) {
		for i, y := range m.Forward(pool, params, rows, x, &tape, dropout, keys) {
			sum += float64(y) * float64(dy[i])
		}
		return sum
	}
	loss()
	m.Backward(pool, params, grads, rows, x, dy, &tape, dropout, dx, from, to)
	check := func(name string, value *float32, got float32) {
		t.Helper()
		const h = 5e-4 // small, for the kinks of the ReLU
		old := *value
		*value = old + h
		up := loss()
		*value = old - h
		down := loss()
		*value = old
		if want := (up - down) / (2 * h); math.Abs(want-float64(got)) > 2e-2*math.Max(math.Abs(want), 1) {
			t.Errorf("%s: gradient = %g, want %g", name, got, want)
		}
	}
	for _, v := range layout.Views() {
		for i := 0; i < v.Len; i += 5 {
			check(v.Name, &params[v.Offset+i], grads[v.Offset+i])
		}
	}
	for i := range rows {
		check("input", &x[i*in+from+i%4], dx[i*(to-from)+i%4])
	}
}

func TestDropout(t *testing.T) {
	const n, rate = 1_000_003, 0.2
	x := make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	nn.NewDropout(rate).Apply(x, 5)
	dropped, sum := 0, 0.0
	for _, v := range x {
		if v == 0 {
			dropped++
		}
		sum += float64(v)
	}
	if got := float64(dropped) / n; math.Abs(got-rate) > 0.002 {
		t.Errorf("share dropped = %g, want %g", got, rate)
	}
	if got := sum / n; math.Abs(got-1) > 0.003 {
		t.Errorf("mean = %g, want 1", got)
	}
	again := slices.Repeat([]float32{1}, n)
	nn.NewDropout(rate).Apply(again, 5)
	if !slices.Equal(x, again) {
		t.Error("one key gives two masks")
	}
	var none nn.Dropout
	none.Apply(again, 6)
	if !slices.Equal(x, again) || none.Active() {
		t.Error("the zero Dropout changes its input")
	}
}

func TestNormal(t *testing.T) {
	x, y := make([]float32, 100_000), make([]float32, 5)
	n := nn.NewNormal()
	n.Fill(y, 4)
	n.Fill(x, 3)
	var sum, square float64
	for _, v := range x {
		sum += float64(v)
		square += float64(v) * float64(v)
	}
	if mean, variance := sum/1e5, square/1e5; math.Abs(mean) > 0.02 || math.Abs(variance-1) > 0.02 {
		t.Errorf("mean %g and variance %g, want 0 and 1", mean, variance)
	}
	again := make([]float32, 5)
	n.Fill(again, 4)
	if !slices.Equal(again, y) {
		t.Error("noise depends on what was drawn before")
	}
}

// TestAdamW follows one parameter through three steps written out by hand.
func TestAdamW(t *testing.T) {
	pool := gemm.NewPool(1)
	defer pool.Close()
	optimizer := nn.NewAdamW(1, 0.1)
	params := []float32{1}
	want, m, v := 1.0, 0.0, 0.0
	for step := 1; step <= 3; step++ {
		g := 0.5 * float64(step)
		optimizer.Update(pool, params, []float32{float32(2 * g)}, 0.01, 0.5)
		m, v = 0.9*m+0.1*g, 0.999*v+0.001*g*g
		correction1, correction2 := 1-math.Pow(0.9, float64(step)), 1-math.Pow(0.999, float64(step))
		want = want*(1-0.01*0.1) - 0.01*(m/correction1)/(math.Sqrt(v/correction2)+1e-8)
		if got := float64(params[0]); math.Abs(got-want) > 1e-6 {
			t.Errorf("after step %d: %g, want %g", step, got, want)
		}
	}
}

func TestNormAndClip(t *testing.T) {
	pool := gemm.NewPool(2)
	defer pool.Close()
	x := slices.Repeat([]float32{2}, 40_000)
	if got := nn.Norm(pool, x); math.Abs(got-400) > 1e-9 {
		t.Errorf("Norm() = %g, want 400", got)
	}
	for _, c := range []struct{ norm, limit, want float64 }{{10, 5, 0.5}, {3, 5, 1}, {3, 0, 1}} {
		if got := nn.ClipScale(c.norm, c.limit); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("ClipScale(%g, %g) = %g, want %g", c.norm, c.limit, got, c.want)
		}
	}
}

func TestCosine(t *testing.T) {
	for step, want := range map[int]float64{0: 2, 50: 1, 100: 0} {
		if got := nn.Cosine(2, step, 100); math.Abs(got-want) > 1e-12 {
			t.Errorf("Cosine(2, %d, 100) = %g, want %g", step, got, want)
		}
	}
}

func TestKeysDiffer(t *testing.T) {
	seen := map[uint64]bool{}
	for a := range uint64(50) {
		for b := range uint64(50) {
			seen[nn.Key(a, b)] = true
		}
		seen[nn.Key(a)] = true
	}
	if len(seen) != 50*50+50 {
		t.Errorf("%d different keys, want %d", len(seen), 50*50+50)
	}
}
