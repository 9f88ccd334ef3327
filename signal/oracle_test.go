package signal_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"rcvae/signal"
)

// sum is a random calculation without parentheses.
type sum struct {
	operands  []int64
	operators []byte
}

func randomSum(rng *rand.Rand) sum {
	s := sum{operands: []int64{1 + rng.Int64N(99)}}
	for range 1 + rng.IntN(4) {
		s.operators = append(s.operators, "+-*/"[rng.IntN(4)])
		s.operands = append(s.operands, 1+rng.Int64N(99))
	}
	return s
}

func (s sum) write(signs *strings.Replacer) string {
	var b strings.Builder
	fmt.Fprint(&b, s.operands[0])
	for i, op := range s.operators {
		fmt.Fprintf(&b, " %c %d", op, s.operands[i+1])
	}
	return signs.Replace(b.String())
}

func apply(op byte, a, b *big.Rat) *big.Rat {
	switch op {
	case '+':
		return new(big.Rat).Add(a, b)
	case '-':
		return new(big.Rat).Sub(a, b)
	case '*':
		return new(big.Rat).Mul(a, b)
	}
	return new(big.Rat).Quo(a, b)
}

// value evaluates products before sums; flat evaluates from left to right.
func (s sum) value() *big.Rat {
	terms, signs := []*big.Rat{big.NewRat(s.operands[0], 1)}, []byte{'+'}
	for i, op := range s.operators {
		x := big.NewRat(s.operands[i+1], 1)
		if op == '+' || op == '-' {
			terms, signs = append(terms, x), append(signs, op)
			continue
		}
		terms[len(terms)-1] = apply(op, terms[len(terms)-1], x)
	}
	total := new(big.Rat)
	for i, x := range terms {
		total = apply(signs[i], total, x)
	}
	return total
}

func (s sum) flat() *big.Rat {
	total := big.NewRat(s.operands[0], 1)
	for i, op := range s.operators {
		total = apply(op, total, big.NewRat(s.operands[i+1], 1))
	}
	return total
}

// TestAgainstRationals compares verdicts on random calculations with math/big: the exact
// value holds, and a value that is far from it in every sense is wrong, with the exact
// value as what it should be.
func TestAgainstRationals(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	latex := strings.NewReplacer("*", `\times`, "/", `\div`)
	typographic := strings.NewReplacer("*", "×", "/", "÷", "-", "−")
	for range 3000 {
		s := randomSum(rng)
		for _, signs := range []*strings.Replacer{strings.NewReplacer(), latex, typographic} {
			checkVerdicts(t, s, s.write(signs), rng.Int64N(40))
		}
	}
}

func checkVerdicts(t *testing.T, s sum, left string, shift int64) {
	t.Helper()
	want := s.value()
	if want.IsInt() && want.Num().IsInt64() {
		text := fmt.Sprintf("so %s = %s eggs.", left, want.Num())
		if got := signal.Equations(text); len(got) != 1 || !got[0].Holds || got[0].Rounded {
			t.Fatalf("Equations(%q) = %+v, want one that holds", text, got)
		}
	}
	stated := new(big.Int).Quo(want.Num(), want.Denom())
	stated.Add(stated, big.NewInt(2+shift))
	for _, sense := range []*big.Rat{want, s.flat(), new(big.Rat).Neg(want)} {
		gap, _ := new(big.Rat).Sub(sense, new(big.Rat).SetInt(stated)).Float64()
		size, _ := sense.Float64()
		if gap*gap < 4 || gap*gap < 1e-4*size*size {
			return // right in some sense, up to rounding
		}
	}
	for _, op := range s.operators {
		if op == '/' {
			return // 6 / 1/2 has more senses
		}
	}
	text := fmt.Sprintf("so %s = %s eggs.", left, stated)
	got := signal.Equations(text)
	if len(got) != 1 || got[0].Holds || got[0].Rounded || got[0].Want != want.RatString() {
		t.Fatalf("Equations(%q) = %+v, want one that is wrong and should be %s", text, got, want.RatString())
	}
}
