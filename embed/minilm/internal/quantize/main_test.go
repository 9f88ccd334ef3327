package main

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

// TestQuantizeGroups checks that no value is off by more than half a scale, and that
// no scale is more than a bfloat16's last digit above the least one.
func TestQuantizeGroups(t *testing.T) {
	const group = 16
	rng := rand.New(rand.NewPCG(1, 2))
	values := make([]float32, 100*group)
	for i := range values {
		values[i] = float32(rng.NormFloat64() * math.Exp(rng.NormFloat64()*3))
	}
	clear(values[:group])
	quantised, scales := quantizeGroups(values, group)
	for g := range len(values) / group {
		scale := math.Float32frombits(uint32(binary.LittleEndian.Uint16(scales[2*g:])) << 16)
		var top float32
		for i := g * group; i < (g+1)*group; i++ {
			top = max(top, values[i], -values[i])
			got := scale * float32(int8(quantised[i]))
			if d := math.Abs(float64(got - values[i])); d > float64(scale)*0.5001 {
				t.Errorf("value %v became %v with scale %v", values[i], got, scale)
			}
		}
		if least := top / 127; scale < least || scale > least*(1+1.0/128) {
			t.Errorf("scale of group %d = %v, want %v rounded up", g, scale, least)
		}
	}
}
