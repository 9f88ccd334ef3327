package signal_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"rcvae"
	"rcvae/signal"
)

const question = "Ann has 12 eggs in each of 3 boxes. She gives away 20 % of them. How many are left?"

var solutions = []rcvae.Candidate{
	{Text: "12 * 3 = 36 eggs. 36 * 20% = 7.2. 36 - 7.2 = 28.8.", Answer: "28.8", Tokens: 30, LogProb: &rcvae.LogProb{Sum: -6, Tail: -0.1, MinWindow: -0.4}},
	{Text: "12 * 3 = 38 eggs. 38 - 20 = 18.", Answer: "18"},
	{Text: "12 + 3 = 15. The answer is 15.", Answer: "15"},
	{Text: "I do not know.", Answer: ""},
	{Text: "x = 12", Answer: "12"},
	{Text: "12 * 3 = 36, and 36 - 40 = -4", Answer: "-4"},
	{Text: "```output\n36\n```\nThe answer is 35.", Answer: "35"},
}

// cell returns the value of a column by its name.
func cell(t *testing.T, table signal.Table, row int, name string) float64 {
	t.Helper()
	for j, c := range table.Columns {
		if c.Name == name {
			return table.Values[row][j]
		}
	}
	t.Fatalf("no column %q", name)
	return 0
}

func same(a, b float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-12
}

func TestColumnsAreDescribed(t *testing.T) {
	names := map[string]bool{}
	for _, c := range signal.Columns() {
		if names[c.Name] {
			t.Errorf("column %q stands there twice", c.Name)
		}
		names[c.Name] = true
		found := false
		for _, g := range signal.Groups() {
			found = found || g == c.Group
		}
		if !found || c.Description == "" {
			t.Errorf("column %+v has no group or no description", c)
		}
	}
}

func TestValues(t *testing.T) {
	table := signal.Compute(question, solutions)
	nan := math.NaN()
	for _, c := range []struct {
		column string
		want   []float64 // (candidates)
	}{
		{"wrong", []float64{0, math.Log(2), 0, nan, nan, 0, nan}},
		{"wrong_share", []float64{0, 0.5, 0, nan, nan, 0, nan}},
		{"wrong_any", []float64{0, 1, 0, nan, nan, 0, nan}},
		{"answer_last_result", []float64{1, 1, 1, nan, nan, 1, nan}},
		{"answer_integer", []float64{0, 1, 1, nan, 1, 1, 1}},
		{"answer_negative", []float64{0, 0, 0, nan, 0, 1, 0}},
		{"answer_in_question", []float64{0, 0, 0, nan, 1, 0, 0}},
		{"answer_printed", []float64{nan, nan, nan, nan, nan, nan, 0}},
		{"coverage", []float64{1, 1, 2. / 3, 0, 1. / 3, 2. / 3, 0}},
		{"foreign_share", []float64{0, 0, 0, nan, nan, 0.25, nan}},
		{"logprob_mean", []float64{-0.2, nan, nan, nan, nan, nan, nan}},
		{"logprob_window", []float64{-0.4, nan, nan, nan, nan, nan, nan}},
		{"agree_results", []float64{1. / 18, 0, 0, nan, nan, 1. / 12, nan}},
	} {
		for i, want := range c.want {
			if got := cell(t, table, i, c.column); !same(got, want) {
				t.Errorf("%s of candidate %d = %v, want %v", c.column, i, got, want)
			}
		}
	}
}

// TestPermutation: the rows of permuted candidates are the permuted rows.
func TestPermutation(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	table := signal.Compute(question, solutions)
	for range 20 {
		order := rng.Perm(len(solutions))
		var shuffled []rcvae.Candidate
		for _, i := range order {
			shuffled = append(shuffled, solutions[i])
		}
		got := signal.Compute(question, shuffled)
		for a, i := range order {
			for j, c := range table.Columns {
				if math.Float64bits(got.Values[a][j]) != math.Float64bits(table.Values[i][j]) {
					t.Fatalf("order %v: %s of candidate %d = %v, want %v", order, c.Name, i, got.Values[a][j], table.Values[i][j])
				}
			}
		}
	}
}

// TestDuplicate: what does not compare candidates does not change when one is added;
// agreement of the doubled candidate can only rise.
func TestDuplicate(t *testing.T) {
	before := signal.Compute(question, solutions)
	after := signal.Compute(question, append(append([]rcvae.Candidate{}, solutions...), solutions[0]))
	for i := range solutions {
		for j, c := range before.Columns {
			if c.Group == signal.Agreement || c.Centred {
				continue
			}
			if !same(before.Values[i][j], after.Values[i][j]) {
				t.Errorf("%s of candidate %d = %v with a duplicate of another, want %v", c.Name, i, after.Values[i][j], before.Values[i][j])
			}
		}
	}
	for _, name := range []string{"agree_numbers", "agree_results"} {
		if b, a := cell(t, before, 0, name), cell(t, after, 0, name); a <= b {
			t.Errorf("%s = %v with a duplicate, want more than %v", name, a, b)
		}
	}
	if b, a := cell(t, before, 0, "alone"), cell(t, after, 0, "alone"); a >= b {
		t.Errorf("alone = %v with a duplicate, want less than %v", a, b)
	}
}

// TestAgreementOfAnySize: the mean over all sets of three is the value of the whole set,
// whose size is five.
func TestAgreementOfAnySize(t *testing.T) {
	set := []rcvae.Candidate{
		{Text: "12 * 3 = 36. 36 - 7 = 29.", Answer: "29"}, {Text: "12 * 3 = 36. 36 - 8 = 28.", Answer: "28"}, {Text: "12 + 3 = 15. 15 + 7 = 22.", Answer: "22"},
		{Text: "12 + 3 = 15. 15 + 8 = 23.", Answer: "23"}, {Text: "12 * 3 = 36. 36 + 7 = 43.", Answer: "43"},
	}
	whole := signal.Compute(question, set)
	for _, name := range []string{"agree_numbers", "agree_results"} {
		var sum, n float64
		for a := 1; a < len(set); a++ {
			for b := a + 1; b < len(set); b++ {
				sum += cell(t, signal.Compute(question, []rcvae.Candidate{set[0], set[a], set[b]}), 0, name)
				n++
			}
		}
		if want := cell(t, whole, 0, name); math.Abs(sum/n-want) > 1e-12 {
			t.Errorf("mean %s over sets of three = %v, want %v as in the set of five", name, sum/n, want)
		}
	}
}

// TestNaN: one candidate has nobody to agree with and nothing to be centred on; without
// log-probabilities there are none.
func TestNaN(t *testing.T) {
	table := signal.Compute(question, solutions[1:2])
	for j, c := range table.Columns {
		absent := c.Group == signal.Agreement || c.Centred || c.Group == signal.LogProb || c.Name == "answer_printed"
		if got := table.Values[0][j]; math.IsNaN(got) != absent {
			t.Errorf("%s of a single candidate = %v, want NaN: %v", c.Name, got, absent)
		}
	}
	if got := signal.Compute(question, nil); len(got.Values) != 0 || len(got.Columns) != len(signal.Columns()) {
		t.Errorf("Compute without candidates = %d rows, %d columns", len(got.Values), len(got.Columns))
	}
	bad := signal.Compute("", []rcvae.Candidate{{Text: "1", Answer: "1", Tokens: 3, LogProb: &rcvae.LogProb{Sum: math.Inf(-1)}}})
	if got := cell(t, bad, 0, "logprob_mean"); !math.IsNaN(got) {
		t.Errorf("logprob_mean of -Inf = %v, want NaN", got)
	}
}

// TestCentred: centred columns sum to 0.
func TestCentred(t *testing.T) {
	table := signal.Compute(question, solutions)
	for j, c := range table.Columns {
		if !c.Centred {
			continue
		}
		var sum float64
		for _, row := range table.Values {
			sum += row[j]
		}
		if math.Abs(sum) > 1e-12 {
			t.Errorf("%s sums to %v, want 0", c.Name, sum)
		}
	}
}

// TestArithmeticScore: wrong equations lower the score, nothing to check leaves it at 0.
func TestArithmeticScore(t *testing.T) {
	score := signal.ArithmeticScore(signal.Compute(question, solutions))
	for i, s := range score {
		if wrong := i == 1; (s < 0) != wrong || s > 0 {
			t.Errorf("score of candidate %d = %v, want below 0: %v", i, s, wrong)
		}
	}
}
