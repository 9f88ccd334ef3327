package algebra

import (
	"errors"
	"math"
	"math/big"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"rcvae/grade/internal/latex"
)

func parse(t testing.TB, text string) *latex.Node {
	t.Helper()
	n, err := latex.Parse(text, latex.DefaultLimits())
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return n
}

func evaluate(n *latex.Node, bits uint, seed uint64) (ball, error) {
	steps := DefaultLimits().Steps
	e := &evaluator{arithmetic: arithmetic{bits}, seed: seed, steps: &steps}
	return e.eval(n)
}

// expressions with every function, of x and y.
var expressions = []string{
	`x+y`, `x-y`, `xy`, `\frac{x}{y}`, `x^7`, `x^{-3}`, `\sqrt{x}`, `\sqrt[3]{x}`, `x^{2/3}`, `x^y`, `e^x`, `\ln x`, `\log x`, `\log_2 x`, `\sin x`, `\cos x`, `\tan x`, `\cot x`,
	`\sec x`, `\csc x`, `\arcsin\frac{x}{9}`, `\arccos\frac{x}{9}`, `\arctan x`, `\sinh x`, `\cosh x`, `\tanh x`, `|x|`, `\max(x,y)`, `x^2-2xy+y^2`, `\sqrt{x^2+y^2}-x`,
	`(1+i)^5 x`, `\sqrt{x+iy}`, `\ln(x+iy)`, `e^{ix}`, `\sin(x+iy)`, `\binom{x}{3}`, `\prod_{k=1}^{9} (x+k)`, `\sum_{k=0}^{20} \frac{x^k}{k!}`, `\frac{1}{x-y}`, `\sqrt{\sqrt{x}+\sqrt{y}}`, `60! x`,
}

// The error bound of a result holds: at more bits the value changes by less.
func TestErrorBounds(t *testing.T) {
	for _, text := range expressions {
		n := parse(t, text)
		for seed := range uint64(20) {
			for _, bits := range [...]uint{64, 160, 320} {
				x, errX := evaluate(n, bits, seed)
				y, errY := evaluate(n, maxBits, seed)
				if errX != nil || errY != nil {
					t.Fatalf("%s at point %d: %v, %v", text, seed, errX, errY)
				}
				fine := arithmetic{maxBits}
				difference := fine.add(ball{re: x.re, im: x.im, err: exact}, fine.neg(y))
				if difference.magnitude() > plus(x.err, y.err) {
					t.Errorf("%s at point %d, %d bits: error 2^%.1f, bound 2^%.1f", text, seed, bits, difference.magnitude(), x.err)
				}
				if lost := x.err - x.magnitude() + float64(bits); lost > 40 {
					t.Errorf("%s at point %d, %d bits: %.0f bits are lost", text, seed, bits, lost)
				}
			}
		}
	}
}

// Values agree with those of package math.
func TestValuesOfFloat64(t *testing.T) {
	want := map[string]func(x float64) complex128{
		`\sin x`: func(x float64) complex128 { return complex(math.Sin(x), 0) }, `\tan x`: func(x float64) complex128 { return complex(math.Tan(x), 0) },
		`e^x`: func(x float64) complex128 { return complex(math.Exp(x), 0) }, `\ln x`: func(x float64) complex128 { return cmplx.Log(complex(x, 0)) },
		`\log x`: func(x float64) complex128 { return complex(math.Log10(x), 0) }, `\arctan x`: func(x float64) complex128 { return complex(math.Atan(x), 0) },
		`\arcsin\frac{x}{9}`: func(x float64) complex128 { return complex(math.Asin(x/9), 0) }, `\arccos\frac{x}{9}`: func(x float64) complex128 { return complex(math.Acos(x/9), 0) },
		`x^{\pi}`: func(x float64) complex128 { return complex(math.Pow(x, math.Pi), 0) }, `\cosh x`: func(x float64) complex128 { return complex(math.Cosh(x), 0) },
		`\sqrt{x+i}`: func(x float64) complex128 { return cmplx.Sqrt(complex(x, 1)) }, `\sqrt{i-x}`: func(x float64) complex128 { return cmplx.Sqrt(complex(-x, 1)) },
		`\ln(-x)`: func(x float64) complex128 { return cmplx.Log(complex(-x, 0)) }, `\sqrt[3]{-x}`: func(x float64) complex128 { return complex(-math.Cbrt(x), 0) },
		`\lfloor 7x \rfloor`: func(x float64) complex128 { return complex(math.Floor(7*x), 0) }, `\lceil -7x \rceil`: func(x float64) complex128 { return complex(math.Ceil(-7*x), 0) },
	}
	for text, f := range want {
		n := parse(t, text)
		for seed := range uint64(20) {
			x, err1 := evaluate(parse(t, "x"), 160, seed)
			got, err2 := evaluate(n, 160, seed)
			if err1 != nil || err2 != nil {
				t.Fatalf("%s: %v, %v", text, err1, err2)
			}
			at := real(approximate(x))
			if value := approximate(got); cmplx.Abs(value-f(at)) > 1e-13*(1+cmplx.Abs(value)) {
				t.Errorf("%s at %v = %v, want %v", text, at, value, f(at))
			}
		}
	}
}

// Identities between constants: each is 0 or 1 in the end.
func TestConstants(t *testing.T) {
	for text, want := range map[string]int64{
		`e^{i\pi}`: -1, `\sin\frac{\pi}{6}`: 0, `e^{\ln 5}`: 5, `\sqrt2\sqrt8`: 4, `\arctan 1\cdot\frac{4}{\pi}`: 1, `\log_2 1024`: 10, `\log 1000`: 3, `\sqrt[3]{-27}`: -3,
		`\tan^2 1 + 1 - \sec^2 1`: 0, `(1+i)^4`: -4, `i^i - e^{-\pi/2}`: 0, `\sqrt{3+2\sqrt2}-\sqrt2`: 1, `\cos\frac{\pi}{7}-\cos\frac{2\pi}{7}+\cos\frac{3\pi}{7}`: 0,
	} {
		x, err := evaluate(parse(t, text), 320, 0)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		a := arithmetic{320}
		target := a.integer(want)
		if text == `\sin\frac{\pi}{6}` || text[1] == 'c' { // one half
			target = a.rational(big.NewRat(1, 2))
		}
		if d := a.add(x, a.neg(target)); !d.isZero() || d.err > -200 {
			t.Errorf("%s = %v ± 2^%.0f", text, approximate(x), x.err)
		}
	}
}

func TestNoValue(t *testing.T) {
	for text, want := range map[string]error{
		`\frac{1}{0}`: errUndefined, `\ln 0`: errUndefined, `0^{-1}`: errUndefined, `\frac{1}{\sqrt2\sqrt2-2}`: errUndefined, `(-1)!`: errUndefined,
		`2^{2^{2^{49}}}`: errBudget, `9^{9^{9^9}}`: errBudget, `(10^7)!`: errBudget, `e^{e^{e^{e^e}}}`: errBudget, `\sum_{k=1}^{1000000} k`: errBudget,
		`\sum_{k=1}^{n} k`: errUnknown, `\gcd(x,4)`: errUnknown,
	} {
		if x, err := evaluate(parse(t, text), 160, 0); !errors.Is(err, want) {
			t.Errorf("%s = %v, %v, want %v", text, x, err, want)
		}
	}
}

// Points are spread over (1, 5), differ between names and rounds, and are the same
// for the same seed.
func TestPoints(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sum, seen := 0.0, map[float64]bool{}
	const n = 2000
	for range n {
		e := evaluator{arithmetic: arithmetic{64}, seed: r.Uint64(), round: 2}
		x := real(approximate(e.variable("x")))
		if x < 1 || x > 5 || seen[x] || x != real(approximate(e.variable("x"))) || x == real(approximate(e.variable("y"))) {
			t.Fatalf("point %v", x)
		}
		seen[x] = true
		sum += x
	}
	if mean := sum / n; mean < 2.7 || mean > 3.3 {
		t.Errorf("mean of the points %.2f, want 3", mean)
	}
}
