package half_test

import (
	"math"
	"testing"

	"rcvae/internal/half"
)

// TestKnownNumbers: of IEEE 754-2019, table 3.5.
func TestKnownNumbers(t *testing.T) {
	for bits, want := range map[uint16]float64{
		0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x3555: 0.333251953125, 0x7bff: 65504, 0x0400: math.Ldexp(1, -14), 0x0001: math.Ldexp(1, -24), 0x03ff: math.Ldexp(1023, -24),
		0x7c00: math.Inf(1), 0xfc00: math.Inf(-1),
	} {
		if got := float64(half.Float32(bits)); got != want {
			t.Errorf("Float32(%#04x) = %v, want %v", bits, got, want)
		}
	}
}

// TestEveryNumberIsItself: all 65,536 survive the way to float32 and back, NaN as NaN.
func TestEveryNumberIsItself(t *testing.T) {
	for bits := range 1 << 16 {
		v := half.Float32(uint16(bits))
		got := half.FromFloat32(v)
		if v != v {
			if back := half.Float32(got); back == back {
				t.Errorf("NaN %#04x became %v", bits, back)
			}
		} else if got != uint16(bits) {
			t.Errorf("FromFloat32(Float32(%#04x)) = %#04x", bits, got)
		}
	}
}

// TestRoundsToTheNearest: between two neighbours the middle goes to the even one, and what
// is beside it to the nearer.
func TestRoundsToTheNearest(t *testing.T) {
	for bits := range uint16(0x7bff) {
		low, high := half.Float32(bits), half.Float32(bits+1)
		middle := float32((float64(low) + float64(high)) / 2) // exact: 12 significant bits
		even := bits + bits&1
		for v, want := range map[float32]uint16{middle: even, math.Nextafter32(middle, 0): bits, math.Nextafter32(middle, high): bits + 1} {
			if got := half.FromFloat32(v); got != want {
				t.Fatalf("FromFloat32(%v) = %#04x, want %#04x", v, got, want)
			}
			if got := half.FromFloat32(-v); got != want|0x8000 {
				t.Fatalf("FromFloat32(%v) = %#04x, want %#04x", -v, got, want|0x8000)
			}
		}
	}
	for v, want := range map[float32]uint16{math.Nextafter32(65520, 0): 0x7bff, 65520: 0x7c00, math.MaxFloat32: 0x7c00} {
		if got := half.FromFloat32(v); got != want {
			t.Errorf("FromFloat32(%v) = %#04x, want %#04x", v, got, want)
		}
	}
}
