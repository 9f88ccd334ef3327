package signal_test

import (
	"strings"
	"testing"

	"rcvae"
	"rcvae/signal"
)

// page is a candidate of about 300 tokens.
const page = `To find out how much Ann earns, we will follow these steps:

1. **Calculate the number of eggs:** She has 12 boxes with 16 eggs each, so
\[ 12 \times 16 = 192 \text{ eggs} \]

2. **Subtract what she gives away:** She gives 20% of them to her neighbours, which is
\[ 192 \times 0.20 = 38.4 \approx 38 \]
so that \( 192 - 38 = 154 \) eggs are left for the market.

3. **Calculate the earnings:** Each egg is sold for $0.25, and a quarter of the money goes to the owner of the stall. Therefore she earns
\[ \frac{154 \text{ eggs} \times \$0.25}{1} = \$38.50 \]
and keeps
\[ \left(1 - \frac{1}{4}\right) \times \$38.50 = \$28.875 \]

Therefore, the amount of money that Ann keeps from one day at the market is \(\boxed{28.875}\).
`

func BenchmarkEquations(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		signal.Equations(page)
	}
}

func BenchmarkEquationsMegabyte(b *testing.B) {
	text := strings.Repeat(page, 1<<20/len(page))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		signal.Equations(text)
	}
}

func BenchmarkCompute16(b *testing.B) {
	b.ReportAllocs()
	set := make([]rcvae.Candidate, 16)
	for i := range set {
		set[i] = rcvae.Candidate{Text: page, Answer: "28.875"}
	}
	for b.Loop() {
		signal.Compute("Ann has 12 boxes with 16 eggs each. She gives 20% of them away.", set)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(set)), "µs/candidate")
}
