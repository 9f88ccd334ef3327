package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// activations makes the loops that fuse a bias or a reduction with a function.
func (s isa) activations() {
	s.function("addBiasReLU", "(x, bias []float32)", "computes x = max(0, x+bias).")
	x, bias := slice("x"), slice("bias")
	zero := s.zero()
	s.loop("relu", "x", 4, func(l lanes) {
		v := l.read(x)
		VADDPS(l.read(bias), v, v)
		VMAXPS(v, zero, v) // in this order a NaN in v stays
		l.write(v, x)
	})
	s.end()

	s.function("addBiasGELU", "(x, bias []float32)", "computes x = GELU(x+bias).")
	x, bias = slice("x"), slice("bias")
	g := s.newGELU()
	s.loop("gelu", "x", 1, func(l lanes) {
		v := l.read(x)
		VADDPS(l.read(bias), v, v)
		g.apply(v)
		l.write(v, x)
	})
	s.end()

	s.function("siluTimes", "(x, y []float32)", "computes x = y·x/(1+exp(−x)).")
	x, y := slice("x"), slice("y")
	e := s.newExp()
	s.loop("silu", "x", 1, func(l lanes) {
		v, t := l.read(x), s.zero()
		VSUBPS(v, t, t)
		e.apply(t)
		VADDPS(e.one, t, t)
		VDIVPS(t, v, v)
		VMULPS(l.read(y), v, v)
		l.write(v, x)
	})
	s.end()

	s.function("exp", "(dst, src []float32)", "computes dst = exp(src).")
	dst, src := slice("dst"), slice("src")
	e = s.newExp()
	s.loop("exp", "dst", 1, func(l lanes) {
		v := l.read(src)
		e.apply(v)
		l.write(v, dst)
	})
	s.end()

	s.function("expSum", "(x []float32, shift float32) float32", "computes x = exp(x−shift) and returns Σ x.")
	x = slice("x")
	shift := s.scalar("shift")
	e = s.newExp()
	acc := s.zero()
	s.loop("expsum", "x", 1, func(l lanes) {
		v := l.read(x)
		VSUBPS(shift, v, v)
		e.apply(v)
		l.write(v, x)
		l.zeroOutside(v)
		VADDPS(v, acc, acc)
	})
	Store(s.fold(acc, VADDPS).AsX(), ReturnIndex(0))
	s.end()
}

// exponential holds the constants of exp(x) = 2ⁿ·exp(r), r = x − n·ln 2, with
// the polynomial of Cephes' expf.
type exponential struct {
	isa
	low, high, log2e, ln2High, ln2Low, one reg.VecVirtual
	poly                                   []reg.VecVirtual
}

func (s isa) newExp() exponential {
	e := exponential{isa: s,
		low: s.constant(-104), high: s.constant(89), log2e: s.constant(math.Log2E),
		ln2High: s.constant(0.693359375), ln2Low: s.constant(-2.12194440e-4), one: s.constant(1)}
	if s.wide() {
		for _, c := range expPoly {
			e.poly = append(e.poly, s.constant(c))
		}
	}
	return e
}

var expPoly = []float32{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1}

// apply computes v = exp(v).
func (e exponential) apply(v reg.VecVirtual) {
	VMAXPS(v, e.low, v) // operands in the order that keeps a NaN
	VMINPS(v, e.high, v)
	n := e.vec()
	VMULPS(e.log2e, v, n)
	if e.wide() {
		VRNDSCALEPS(U8(8), n, n)
	} else {
		VROUNDPS(U8(8), n, n)
	}
	VFNMADD231PS(e.ln2High, n, v)
	VFNMADD231PS(e.ln2Low, n, v)
	p, square := e.vec(), e.vec()
	VMULPS(v, v, square)
	if e.wide() {
		VMOVAPS(e.poly[0], p)
	} else {
		VBROADCASTSS(address(math.Float32bits(expPoly[0])), p)
	}
	for i := 1; i < len(expPoly); i++ {
		c := e.vec()
		if e.wide() {
			c = e.poly[i]
		} else { // too few registers to keep them all
			VBROADCASTSS(address(math.Float32bits(expPoly[i])), c)
		}
		VFMADD213PS(c, v, p)
	}
	VFMADD213PS(v, square, p)
	VADDPS(e.one, p, p)
	e.ldexp(p, n, v)
}

// ldexp computes dst = p·2ⁿ, with subnormal results and overflow.
func (e exponential) ldexp(p, n, dst reg.VecVirtual) {
	if e.wide() {
		VSCALEFPS(n, p, dst)
		return
	}
	// Two factors 2^(n/2), since 2ⁿ itself may be out of range.
	half := e.vec()
	VCVTPS2DQ(n, n)
	VPSRAD(U8(1), n, half)
	VPSUBD(half, n, n)
	bias := e.vec()
	VPBROADCASTD(address(127), bias)
	VPADDD(bias, half, half)
	VPADDD(bias, n, n)
	VPSLLD(U8(23), half, half)
	VPSLLD(U8(23), n, n)
	VMULPS(half, p, p)
	VMULPS(n, p, dst)
}

// gelu holds the constants of y·½(1+erf(y/√2)), with the rational approximation
// of erf that Eigen and XLA use: z·P(z²)/Q(z²) on [-4, 4].
type gelu struct {
	isa
	lowest, low, high, half, rootHalf reg.VecVirtual
}

var (
	erfP = []float32{-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
		-7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02}
	erfQ = []float32{-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03,
		-1.42647390514189e-02}
)

func (s isa) newGELU() gelu {
	return gelu{isa: s, lowest: s.constant(-8), low: s.constant(-4), high: s.constant(4), half: s.constant(0.5),
		rootHalf: s.constant(math.Sqrt2 / 2)}
}

// apply computes v = GELU(v).
func (g gelu) apply(v reg.VecVirtual) {
	z, square := g.vec(), g.vec()
	VMULPS(g.rootHalf, v, z)
	VMAXPS(z, g.low, z)
	VMINPS(z, g.high, z)
	VMULPS(z, z, square)
	p := g.horner(erfP, square)
	q := g.horner(erfQ, square)
	VMULPS(z, p, p)
	VDIVPS(q, p, p)                // erf
	VFMADD213PS(g.half, g.half, p) // ½ + ½ erf
	VMAXPS(v, g.lowest, v)         // below, erf's last bit would be multiplied by a large number
	VMULPS(p, v, v)
}

func (g gelu) horner(c []float32, x reg.VecVirtual) reg.VecVirtual {
	p := g.constant(c[0])
	for _, b := range c[1:] {
		if g.wide() {
			VFMADD213PS_BCST(address(math.Float32bits(b)), x, p)
		} else {
			t := g.constant(b)
			VFMADD213PS(t, x, p)
		}
	}
	return p
}

// adam makes the optimizer's step.
func (s isa) adam() {
	s.function("adam", "(param, grad, m, v []float32, gradScale, beta1, rest1, beta2, rest2, decay, rate, rootScale, epsilon float32)",
		"takes one step of Adam: m = beta1·m + rest1·g, v = beta2·v + rest2·g²,\nparam = decay·param − rate·m/(rootScale·√v + epsilon) with g = gradScale·grad.")
	param, grad, m, v := slice("param"), slice("grad"), slice("m"), slice("v")
	gradScale, beta1, rest1 := s.scalar("gradScale"), s.scalar("beta1"), s.scalar("rest1")
	beta2, rest2, decay := s.scalar("beta2"), s.scalar("rest2"), s.scalar("decay")
	rate, scale, epsilon := s.scalar("rate"), s.scalar("rootScale"), s.scalar("epsilon")
	s.loop("adam", "param", 1, func(l lanes) {
		g, mean, square := l.read(grad), l.read(m), l.read(v)
		VMULPS(gradScale, g, g)
		VMULPS(beta1, mean, mean)
		VFMADD231PS(g, rest1, mean)
		l.write(mean, m)
		VMULPS(g, g, g)
		VMULPS(beta2, square, square)
		VFMADD231PS(g, rest2, square)
		l.write(square, v)
		VSQRTPS(square, square)
		VFMADD213PS(epsilon, scale, square)
		VMULPS(rate, mean, mean)
		VDIVPS(square, mean, mean)
		w := l.read(param)
		VFMSUB213PS(mean, decay, w)
		l.write(w, param)
	})
	s.end()
}
