package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// elementwise makes the loops that keep one element apart from the others.
func (s isa) elementwise() {
	s.function("addBias", "(x, bias []float32)", "computes x += bias.")
	x, y := slice("x"), slice("bias")
	s.loop("add", "x", 4, func(l lanes) {
		v := l.read(x)
		VADDPS(l.read(y), v, v)
		l.write(v, x)
	})
	s.end()

	s.function("axpy", "(alpha float32, x, y []float32)", "computes y += alpha·x.")
	alpha := s.scalar("alpha")
	x, y = slice("x"), slice("y")
	s.loop("axpy", "x", 4, func(l lanes) {
		v := l.read(y)
		VFMADD231PS(l.read(x), alpha, v)
		l.write(v, y)
	})
	s.end()

	s.function("scale", "(alpha float32, x []float32)", "computes x = alpha·x.")
	alpha = s.scalar("alpha")
	x = slice("x")
	s.loop("scale", "x", 4, func(l lanes) {
		v := l.read(x)
		VMULPS(alpha, v, v)
		l.write(v, x)
	})
	s.end()

	s.function("reluGrad", "(dx, y []float32)", "sets dx to 0 where y <= 0.")
	dx, y := slice("dx"), slice("y")
	zero := s.zero()
	s.loop("grad", "dx", 2, func(l lanes) {
		v, w := l.read(dx), l.read(y)
		if s.wide() {
			k := K()
			VCMPPS(U8(6), zero, w, k) // not w <= 0
			VMOVAPS_Z(v, k, v)
		} else {
			VCMPPS(U8(2), zero, w, w) // w <= 0
			VANDNPS(v, w, v)
		}
		l.write(v, dx)
	})
	s.end()

	s.function("normalize", "(x, gamma, beta []float32, mean, inverse float32)",
		"computes x = gamma·(x−mean)·inverse + beta.")
	x, gamma, beta := slice("x"), slice("gamma"), slice("beta")
	mean, inverse := s.scalar("mean"), s.scalar("inverse")
	s.loop("norm", "x", 2, func(l lanes) {
		v, g := l.read(x), l.read(gamma)
		VSUBPS(mean, v, v)
		VMULPS(inverse, v, v)
		VFMADD213PS(l.read(beta), g, v)
		l.write(v, x)
	})
	s.end()
}

// reductions makes the loops that return one number.
func (s isa) reductions() {
	s.reduction("dot", "(x, y []float32) float32", "returns Σ x·y.", "x", func(p params) func(lanes, reg.Register) {
		x, y := p("x"), p("y")
		return func(l lanes, acc reg.Register) { VFMADD231PS(l.read(x), l.read(y), acc) }
	})
	s.reduction("sum", "(x []float32) float32", "returns Σ x.", "x", func(p params) func(lanes, reg.Register) {
		x := p("x")
		return func(l lanes, acc reg.Register) { VADDPS(l.read(x), acc, acc) }
	})
	s.reduction("addSum", "(x, residual, bias []float32) float32", "computes x += residual + bias and returns Σ x.", "x",
		func(p params) func(lanes, reg.Register) {
			x, residual, bias := p("x"), p("residual"), p("bias")
			return func(l lanes, acc reg.Register) {
				v, w := l.read(x), l.read(residual)
				VADDPS(l.read(bias), w, w)
				VADDPS(w, v, v)
				l.write(v, x)
				VADDPS(v, acc, acc)
			}
		})
	s.reduction("squaredDeviations", "(x []float32, mean float32) float32", "returns Σ (x−mean)².", "x",
		func(p params) func(lanes, reg.Register) {
			x, mean := p("x"), s.scalar("mean")
			return func(l lanes, acc reg.Register) {
				v := l.readOr(x, mean)
				VSUBPS(mean, v, v)
				VFMADD231PS(v, v, acc)
			}
		})
	s.maximum()
	s.sumSquares()
}

// params loads the base of a named slice.
type params func(name string) reg.GPVirtual

func (s isa) reduction(name, signature, doc, over string, setup func(params) func(lanes, reg.Register)) {
	s.function(name, signature, doc)
	body := setup(slice)
	acc := several(4, s.zero)
	s.loop(name, over, len(acc), func(l lanes) { body(l, acc[l.slot]) })
	op3(VADDPS, acc[3], acc[2])
	op3(VADDPS, acc[1], acc[0])
	op3(VADDPS, acc[2], acc[0])
	Store(s.fold(acc[0], VADDPS).AsX(), ReturnIndex(0))
	s.end()
}

func (s isa) maximum() {
	s.function("maximum", "(x []float32) float32", "returns the largest element, -Inf of an empty slice; NaNs may be skipped.")
	x := slice("x")
	lowest := s.constant(float32(math.Inf(-1)))
	acc := several(2, func() reg.VecVirtual { return s.constant(float32(math.Inf(-1))) })
	s.loop("max", "x", len(acc), func(l lanes) {
		v := l.readOr(x, lowest)
		VMAXPS(v, acc[l.slot], acc[l.slot])
	})
	Store(s.fold(gather(acc, VMAXPS), VMAXPS).AsX(), ReturnIndex(0))
	s.end()
}

func (s isa) sumSquares() {
	s.function("sumSquares", "(x []float32) float64", "returns Σ x², accumulated in float64.")
	x := slice("x")
	acc := several(4, s.zero)
	s.loop("squares", "x", 2, func(l lanes) {
		v := l.read(x)
		low, high := s.vec(), s.vec()
		if s.wide() {
			VEXTRACTF64X4(U8(1), v, high.AsY())
			VCVTPS2PD(v.AsY(), low)
			VCVTPS2PD(high.AsY(), high)
		} else {
			VEXTRACTF128(U8(1), v, high.AsX())
			VCVTPS2PD(v.AsX(), low)
			VCVTPS2PD(high.AsX(), high)
		}
		VFMADD231PD(low, low, acc[2*l.slot])
		VFMADD231PD(high, high, acc[2*l.slot+1])
	})
	v := gather(acc, VADDPD)
	if s.wide() {
		high := YMM()
		VEXTRACTF64X4(U8(1), v, high)
		VADDPD(high, v.AsY(), v.AsY())
	}
	low, high := v.AsX(), XMM()
	VEXTRACTF128(U8(1), v.AsY(), high)
	VADDPD(high, low, low)
	VPERMILPD(U8(1), low, high)
	VADDSD(high, low, low)
	Store(low, ReturnIndex(0))
	s.end()
}
