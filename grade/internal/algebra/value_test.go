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

func evaluate(n *latex.Node, bits uint, seed uint64) (value, error) {
	e := &evaluator{arithmetic: arithmetic{bits}, budget: &budget{DefaultLimits().Work}, seed: seed}
	x, err := e.eval(n)
	if err != nil {
		return x, err
	}
	return e.rounded(x), nil
}

// expressions with every function, of x and y.
var expressions = []string{
	`x+y`, `x-y`, `xy`, `\frac{x}{y}`, `x^7`, `x^{-3}`, `\sqrt{x}`, `\sqrt[3]{x}`, `x^{2/3}`, `x^y`, `e^x`, `\ln x`, `\log x`, `\log_2 x`, `\sin x`, `\cos x`, `\tan x`, `\cot x`,
	`\sec x`, `\csc x`, `\arcsin\frac{x}{9}`, `\arccos\frac{x}{9}`, `\arctan x`, `|x|`, `x^2-2xy+y^2`, `\sqrt{x^2+y^2}-x`,
	`(1+i)^5 x`, `\sqrt{x+iy}`, `\ln(x+iy)`, `e^{ix}`, `\frac{1}{x-y}`, `\sqrt{\sqrt{x}+\sqrt{y}}`, `60! x`,
}

// A value of few bits is that of many, but for the last bits.
func TestPrecision(t *testing.T) {
	for _, text := range expressions {
		n := parse(t, text)
		for seed := range uint64(20) {
			for _, bits := range [...]uint{firstBits, finalBits} {
				x, errX := evaluate(n, bits, seed)
				y, errY := evaluate(n, finalBits+1000, seed)
				if errX != nil || errY != nil {
					t.Fatalf("%s at point %d: %v, %v", text, seed, errX, errY)
				}
				fine := arithmetic{finalBits + 1000}
				const lost = 40
				if off := fine.add(x, fine.neg(y)).exponent(); off > y.exponent()-int(bits)+lost {
					t.Errorf("%s at point %d, %d bits: off by 2^%d of 2^%d", text, seed, bits, off, y.exponent())
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
		`x^{\pi}`:    func(x float64) complex128 { return complex(math.Pow(x, math.Pi), 0) },
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

// The constants are those of package math, and satisfy identities to the last bits.
func TestConstants(t *testing.T) {
	c := constants(2 * finalBits)
	if pi, _ := c.pi.Float64(); pi != math.Pi {
		t.Errorf("π = %v, want %v", pi, math.Pi)
	}
	if ln2, _ := c.ln2.Float64(); ln2 != math.Ln2 {
		t.Errorf("ln 2 = %v, want %v", ln2, math.Ln2)
	}
	for text, want := range map[string]*big.Rat{
		`e^{i\pi}`: big.NewRat(-1, 1), `\sin\frac{\pi}{6}`: big.NewRat(1, 2), `e^{\ln 5}`: big.NewRat(5, 1), `\sqrt2\sqrt8`: big.NewRat(4, 1), `\arctan 1\cdot\frac{4}{\pi}`: big.NewRat(1, 1),
		`\log_2 1024`: big.NewRat(10, 1), `\log 1000`: big.NewRat(3, 1), `\sqrt[3]{-27}`: big.NewRat(-3, 1), `\tan^2 1 + 1 - \sec^2 1`: new(big.Rat), `(1+i)^4`: big.NewRat(-4, 1),
		`i^i - e^{-\pi/2}`: new(big.Rat), `\sqrt{3+2\sqrt2}-\sqrt2`: big.NewRat(1, 1), `\cos\frac{\pi}{7}-\cos\frac{2\pi}{7}+\cos\frac{3\pi}{7}`: big.NewRat(1, 2), `\sin\pi`: new(big.Rat),
	} {
		x, err := evaluate(parse(t, text), finalBits, 0)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		a := arithmetic{finalBits}
		if d := a.add(x, a.neg(a.rational(want))).exponent(); d > -400 {
			t.Errorf("%s = %v, off by 2^%d", text, approximate(x), d)
		}
	}
}

func TestNoValue(t *testing.T) {
	for text, want := range map[string]error{
		`\frac{1}{0}`: errUndefined, `\ln 0`: errUndefined, `0^{-1}`: errUndefined, `\frac{1}{\sqrt2\sqrt2-2}`: errUndefined, `(-1)!`: errUnknown,
		`2^{2^{2^{49}}}`: errBudget, `9^{9^{9^9}}`: errBudget, `(10^7)!`: errBudget, `e^{e^{e^{e^e}}}`: errBudget,
		`\sum_{k=1}^{n} k`: errUnknown, `\sin(x+iy)`: errUnknown, `\gcd(x,4)`: errUnknown, `\lfloor 32768^{16777215}\rfloor`: errBudget, `\binom{10^9}{10^8}`: errBudget,
	} {
		if x, err := evaluate(parse(t, text), firstBits, 0); !errors.Is(err, want) {
			t.Errorf("%s = %v, %v, want %v", text, x, err, want)
		}
	}
}

// Rational numbers are compared exactly, whatever their size.
func TestExactNumbers(t *testing.T) {
	for _, pair := range [][2]string{
		{`2^{4950}`, `2^{4950}-1`}, {`2^{4181}`, `2^{4181}+1`}, {`3^{3000}+1`, `3^{3000}`}, {`1-\frac{1}{2010!}`, `1`}, {`2-\frac{1}{2^{99}}`, `2`}, {`\frac{2^{100}-1}{2^{100}}`, `1`},
		{`\frac{10000001}{10000000}`, `1`}, {`\frac13`, `\frac{333333}{1000000}`}, {`2^{65536}`, `2^{65536}+1`}, {`\frac{1}{2^{5000}}`, `\frac{1}{2^{5000}+1}`},
		{`2^{400}\sqrt2`, `2^{400}\sqrt2+1`}, {`e^{\pi\sqrt{163}}`, `262537412640768744`}, {`e^{-1000}`, `e^{-1001}`}, {`2^{4950}x`, `(2^{4950}-1)x`}, {`\sqrt2`, `\sqrt2+\frac{1}{10^{60}}`},
	} {
		a, b := parse(t, pair[0]), parse(t, pair[1])
		if got := Compare(a, b, 1, DefaultLimits()); got.Outcome != Different {
			t.Errorf("%s and %s are %d by %s, want different", pair[0], pair[1], got.Outcome, got.Rule)
		}
	}
	for _, pair := range [][2]string{
		{`2^{4950}`, `4^{2475}`}, {`1999^{5050}`, `1999\cdot 1999^{5049}`}, {`(2^{300}+\sqrt2)-2^{300}`, `\sqrt2`}, {`2^{400}\sqrt2+1`, `\sqrt{2^{801}}+1`}, {`e^{-1000}`, `(1/e)^{1000}`}, {`\frac{2010!}{2009!}`, `2010`},
	} {
		a, b := parse(t, pair[0]), parse(t, pair[1])
		if got := Compare(a, b, 1, DefaultLimits()); got.Outcome != Same {
			t.Errorf("%s and %s are %d by %s, want the same", pair[0], pair[1], got.Outcome, got.Rule)
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
