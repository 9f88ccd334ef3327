package stats

import "math"

// PassAtK returns the unbiased estimate of the chance that at least one of k
// candidates is correct, from n candidates of which c are:
//
//	1 − C(n−c, k) / C(n, k) = 1 − Πᵢ (1 − k/i),  i = n−c+1 … n
//
// It is NaN for k > n.
//
// Source: Chen et al. 2021, "Evaluating large language models trained on code".
func PassAtK(n, c, k int) float64 {
	if k > n {
		return math.NaN()
	}
	if n-c < k {
		return 1
	}
	miss := 1.0
	for i := n - c + 1; i <= n; i++ {
		miss *= 1 - float64(k)/float64(i)
	}
	return 1 - miss
}

// Class is a group of candidates with equal answers.
type Class struct {
	Size  int     // candidates that vote for the answer
	Value float64 // what the answer is worth: the share of correct ones
}

// MajorityAtK returns the expected value of the most frequent answer among k candidates
// that are drawn at random, without replacement, from the classes and from silent
// candidates that do not vote. Of t answers in a tie each counts 1/t; if nobody votes
// the value is 0. It is NaN for k < 1 and for k larger than the number of candidates.
//
// It is exact: for each number m of votes that may win, the ways to draw at most m from
// every class are counted one class after another, by how many are drawn and how many
// classes are at m.
func MajorityAtK(classes []Class, silent, k int) float64 {
	n, largest := silent, 0
	for _, c := range classes {
		n += c.Size
		largest = max(largest, c.Size)
	}
	if k < 1 || k > n {
		return math.NaN()
	}
	if k == n {
		return majority(classes, largest)
	}
	count := counting(n, k)
	var sum float64
	for m := 1; m <= min(k, largest); m++ {
		w, next := newWays(k, m, count), newWays(k, m, count)
		w.count[0] = 1
		for _, c := range classes {
			w.add(c, next)
			w, next = next, w
		}
		for i, value := range w.value {
			if drawn, ties := i/w.width, i%w.width; ties > 0 && k-drawn <= silent {
				sum += value / float64(ties) * count(silent, k-drawn)
			}
		}
	}
	return sum / count(n, k)
}

// counting returns in how many ways so many of a group are drawn, [binomial]. Where that of
// all n is too large for a number, it is the chance of so many if each is drawn with the
// chance k/n: that has the same factor in all draws of k, which cancels.
func counting(n, k int) func(size, drawn int) float64 {
	if !math.IsInf(binomial(n, k), 1) {
		return binomial
	}
	yes, no := math.Log(float64(k)/float64(n)), math.Log1p(-float64(k)/float64(n))
	return func(size, drawn int) float64 {
		all, _ := math.Lgamma(float64(size + 1))
		in, _ := math.Lgamma(float64(drawn + 1))
		out, _ := math.Lgamma(float64(size - drawn + 1))
		return math.Exp(all - in - out + float64(drawn)*yes + float64(size-drawn)*no)
	}
}

// majority returns the mean value of the classes of that size, 0 if it is 0.
func majority(classes []Class, largest int) float64 {
	var sum, ties float64
	for _, c := range classes {
		if largest > 0 && c.Size == largest {
			sum += c.Value
			ties++
		}
	}
	return sum / max(ties, 1)
}

// ways counts draws of at most k candidates from some classes, at most m from each. Entry
// [drawn·width + ties] is of the draws of so many candidates, with so many classes at m.
type ways struct {
	m, width int
	of       func(size, drawn int) float64 // see counting
	count    []float64
	value    []float64 // the sum over these draws of the values of the classes at m
}

func newWays(k, m int, of func(size, drawn int) float64) ways {
	width := k/m + 1
	return ways{m, width, of, make([]float64, (k+1)*width), make([]float64, (k+1)*width)}
}

// add sets next to the ways to draw from one more class.
func (w ways) add(c Class, next ways) {
	clear(next.count)
	clear(next.value)
	for x := range min(w.m, c.Size) + 1 {
		times := w.of(c.Size, x)
		at, value := x*w.width, 0.0 // what the class adds if x are drawn from it
		if x == w.m {
			at, value = at+1, c.Value
		}
		for i, count := range w.count[:len(w.count)-at] {
			if count > 0 {
				next.count[i+at] += times * count
				next.value[i+at] += times * (w.value[i] + value*count)
			}
		}
	}
}

// binomial returns C(n, k) for 0 ≤ k ≤ n, exactly up to 2⁵³.
func binomial(n, k int) float64 {
	k = min(k, n-k)
	count := 1.0
	for i := 1; i <= k; i++ {
		count = count * float64(n-k+i) / float64(i)
	}
	return count
}
