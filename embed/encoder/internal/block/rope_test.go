package block_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"rcvae/embed/encoder/internal/block"
)

// The golden frequencies are made by tools/golden/rope.py with transformers. A vector
// with a one in its i-th place, turned to position 1, shows the i-th frequency.
func TestScalingAgreesWithTheReference(t *testing.T) {
	data, err := os.ReadFile("testdata/rope.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Base        float64
		Scaling     block.RotaryScaling
		Frequencies []float64
		Factor      float64
	}
	if err := json.Unmarshal(data, &cases); err != nil || len(cases) < 4 {
		t.Fatalf("%d cases (%v), want 4", len(cases), err)
	}
	for _, c := range cases {
		r, err := block.NewRotary(2*len(c.Frequencies), c.Base, c.Scaling)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range c.Frequencies {
			x := make([]float32, 2*len(c.Frequencies))
			x[i] = 1
			for _, position := range []int{1, 37} {
				y := r.Turned(x, position)
				sin, cos := math.Sincos(f * float64(position))
				if d := max(math.Abs(float64(y[i])-c.Factor*cos), math.Abs(float64(y[i+len(c.Frequencies)])-c.Factor*sin)); d > 1e-5 {
					t.Fatalf("%s, frequency %d, position %d: (%v, %v), want (%v, %v)", c.Scaling.Type, i, position, y[i], y[i+len(c.Frequencies)], c.Factor*cos, c.Factor*sin)
				}
			}
		}
	}
}

// NTK-aware scaling leaves high frequencies almost alone and divides the lowest by the
// factor, as linear scaling does: base^(−2i/w) at i = w/2 − 1.
func TestNTKEndsWhereLinearScalingDoes(t *testing.T) {
	const width, factor = 64, 8
	ntk, err := block.NewRotary(width, 10000, block.RotaryScaling{OldType: "ntk", Factor: factor})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]float64{
		0:           math.Pow(factor, -2.0/width),
		width/2 - 1: math.Pow(10000, -2*float64(width/2-1)/width) / factor,
	} {
		x := make([]float32, width)
		x[i] = 1
		y := ntk.Turned(x, 1)
		if got := math.Atan2(float64(y[i+width/2]), float64(y[i])); math.Abs(got-want) > 1e-6 {
			t.Errorf("frequency %d = %v, want %v", i, got, want)
		}
	}
}

func TestDivide(t *testing.T) {
	factors := make([]float32, 32)
	for i := range factors {
		factors[i] = 4
	}
	divided, err := block.NewRotary(64, 10000, block.RotaryScaling{})
	if err != nil {
		t.Fatal(err)
	}
	if err := divided.Divide(factors); err != nil {
		t.Fatal(err)
	}
	linear, err := block.NewRotary(64, 10000, block.RotaryScaling{Type: "linear", Factor: 4})
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 64)
	for i := range x {
		x[i] = float32(i) - 30
	}
	if got, want := divided.Turned(x, 99), linear.Turned(x, 99); !slices.Equal(got, want) {
		t.Errorf("all frequencies by four give %v, want linear scaling by four: %v", got, want)
	}
	if divided.Divide(factors[1:]) == nil || divided.Divide(make([]float32, 32)) == nil {
		t.Error("wrong factors are no error")
	}
}
