package nn

import (
	"math"
	"math/rand/v2"
)

// Key mixes numbers (a seed, an epoch, a sample's index, …) into one key. Equal
// numbers give equal keys; keys of different numbers are unrelated.
func Key(numbers ...uint64) uint64 {
	key := uint64(0x6a09e667f3bcc908)
	for _, n := range numbers {
		key = mix(key + golden ^ mix(n))
	}
	return key
}

const golden = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Uniform fills dst with values in [−bound, bound).
func Uniform(dst []float32, bound float32, key uint64) {
	r := rand.New(rand.NewPCG(key, golden))
	for i := range dst {
		dst[i] = (2*r.Float32() - 1) * bound
	}
}

// Normal draws standard normal noise by key. It is not safe for concurrent use:
// each worker has its own. Make one with [NewNormal].
type Normal struct {
	source *rand.PCG
	rand   *rand.Rand
}

// NewNormal returns a generator.
func NewNormal() *Normal {
	source := rand.NewPCG(0, golden)
	return &Normal{source: source, rand: rand.New(source)}
}

// Fill sets dst to the noise of key, whatever was drawn before.
func (n *Normal) Fill(dst []float32, key uint64) {
	n.source.Seed(key, golden)
	for i := range dst {
		dst[i] = float32(n.rand.NormFloat64())
	}
}

// Dropout zeroes elements at random and scales the others so that the
// expectation stays. The zero Dropout does nothing.
type Dropout struct {
	threshold int32 // an element is dropped when its 16 random bits are below
	scale     float32
}

// NewDropout returns dropout at the given rate in [0, 1), rounded to 1/65536.
func NewDropout(rate float64) Dropout {
	threshold := math.Round(rate * 65536)
	if !(rate >= 0) || threshold >= 65536 {
		panic("nn: dropout rate outside [0, 1)")
	}
	return Dropout{threshold: int32(threshold), scale: float32(65536 / (65536 - threshold))}
}

// Active reports whether the dropout does anything.
func (d Dropout) Active() bool { return d.threshold > 0 }

// Apply drops elements of x in place. Which ones depends on key alone.
func (d Dropout) Apply(x []float32, key uint64) {
	if !d.Active() {
		return
	}
	for len(x) >= 4 {
		key += golden
		bits := mix(key)
		x[0] = d.keep(x[0], bits)
		x[1] = d.keep(x[1], bits>>16)
		x[2] = d.keep(x[2], bits>>32)
		x[3] = d.keep(x[3], bits>>48)
		x = x[4:]
	}
	bits := mix(key + golden)
	for i := range x {
		x[i] = d.keep(x[i], bits>>(16*i))
	}
}

// keep is free of branches, which random bits would mispredict.
func (d Dropout) keep(x float32, bits uint64) float32 {
	dropped := uint32((int32(bits&0xffff) - d.threshold) >> 31) // all ones when dropped
	return math.Float32frombits(math.Float32bits(x*d.scale) &^ dropped)
}
