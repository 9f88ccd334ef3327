package signal

import "math"

// agree fills the columns that compare a candidate with the others. Each counts shares
// of the others, so that sets of any size give the same values in the mean.
func agree(values [][]float64, sheets []sheet) {
	n := len(sheets)
	if n < 2 {
		return
	}
	numbers, results := map[float64]int{}, map[float64]int{}
	for i := range sheets {
		count(numbers, sheets[i].numbers)
		count(results, sheets[i].results)
	}
	for i := range sheets {
		row := values[i]
		row[colAgreeNumbers] = meanShare(numbers, sheets[i].own, n)
		row[colAgreeResults] = meanShare(results, sheets[i].results, n)
		var alone float64
		for _, x := range sheets[i].own {
			alone += math.Pow(1-share(numbers, x, n), 7)
		}
		row[colAlone] = math.Log1p(alone)
	}
}

func count(counts map[float64]int, numbers []float64) {
	for _, x := range numbers {
		counts[x]++
	}
}

// share is the share of the n−1 other candidates that have a number.
func share(counts map[float64]int, x float64, n int) float64 {
	return float64(counts[x]-1) / float64(n-1)
}

// meanShare is NaN without numbers.
func meanShare(counts map[float64]int, numbers []float64, n int) float64 {
	if len(numbers) == 0 {
		return math.NaN()
	}
	var sum float64
	for _, x := range numbers {
		sum += share(counts, x, n)
	}
	return sum / float64(len(numbers))
}
