// Package half converts IEEE 754 half-precision numbers, binary16: 11 significant bits
// between 2⁻¹⁴ and 65504, fewer down to 2⁻²⁴.
package half

import "math"

// Float32 returns the value of a half-precision number.
func Float32(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exponent, fraction := uint32(h>>10)&31, uint32(h)&1023
	switch exponent {
	case 0: // zero and subnormals: fraction · 2⁻²⁴
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)/(1<<24)))
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// FromFloat32 returns the nearest half-precision number, of two the even one, infinity
// from 65520 on.
func FromFloat32(v float32) uint16 {
	const infinity, overflow, normal = 0x7f800000, 0x477ff000, 0x38800000 // bits of Inf, 65520 and 2⁻¹⁴
	bits := math.Float32bits(v)
	sign, magnitude := uint16(bits>>16&0x8000), bits&0x7fffffff
	switch {
	case magnitude > infinity: // NaN
		return sign | 0x7e00
	case magnitude >= overflow:
		return sign | 0x7c00
	case magnitude < normal:
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(magnitude))*(1<<24)))
	}
	rebased := magnitude - (127-15)<<23
	return sign | uint16((rebased+0xfff+rebased>>13&1)>>13)
}
