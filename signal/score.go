package signal

import "math"

// arithmeticWeights weigh the columns wrong, wrong_share and wrong_any. They were fitted
// once, listwise: the mean over questions of
//
//	-ln(Σ_correct e^s / Σ_answered e^s) + 0.002·|w|²,   w the weights of standardised columns
//
// on the samples that Qwen2.5-Coder-0.5B-Instruct drew for the 7473 training questions
// of GSM8K; the test TestArithmeticFit repeats it.
var arithmeticWeights = [3]float64{-0.627, -1.071, -2.013}

// ArithmeticScore returns a score per candidate that knows its wrong equations only,
// for a vote with weights exp(score). A correct candidate is rarely accused, whatever
// the generator, so that the vote is a safe default where no model has been trained.
//
// A column that is NaN contributes nothing: a candidate with nothing to check keeps the
// weight 1, as one without a wrong equation does. An error is evidence; that there is
// none to be seen hardly is, and candidates that write programs would pay for it.
func ArithmeticScore(t Table) []float64 {
	scores := make([]float64, len(t.Values))
	for i, row := range t.Values {
		for j, w := range arithmeticWeights {
			if x := row[colWrong+j]; !math.IsNaN(x) {
				scores[i] += w * x
			}
		}
	}
	return scores
}
