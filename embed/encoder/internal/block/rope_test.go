package block_test

import (
	"encoding/json"
	"math"
	"os"
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
