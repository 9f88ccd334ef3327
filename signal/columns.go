package signal

import (
	"math"
	"slices"

	"rcvae"
)

// Version of the definition of the columns, which model files store. It changes
// whenever a text may get other values.
const Version = 2

// Column describes one column of φ(Q, R).
type Column struct {
	Name        string
	Group       string // one of [Groups]
	Centred     bool   // the mean of the question's candidates is subtracted: the value tells styles apart
	Description string
}

// Groups of columns, in their order.
const (
	Arithmetic = "arithmetic" // what the equations of the text are worth
	Answer     = "answer"     // how plausible the answer is
	Question   = "question"   // how the numbers of the question are used
	Agreement  = "agreement"  // what the other candidates say
	LogProb    = "logprob"    // what the generator says
)

// Groups returns the names of the groups of columns, in their order.
func Groups() []string { return []string{Arithmetic, Answer, Question, Agreement, LogProb} }

const (
	colEquations = iota
	colWrong
	colShareWrong
	colAnyWrong
	colLastResult
	colAnyResult
	colPrinted
	colInteger
	colNegative
	colInQuestion
	colCoverage
	colForeign
	colNumbers
	colAgreeNumbers
	colAgreeResults
	colAlone
	colMean
	colTail
	colWindow
	columnCount
)

var columns = [columnCount]Column{
	colEquations:    {"equations_centred", Arithmetic, true, "ln(1 + equations that can be checked)"},
	colWrong:        {"wrong", Arithmetic, false, "ln(1 + wrong equations); NaN without equations"},
	colShareWrong:   {"wrong_share", Arithmetic, false, "share of the equations that are wrong; NaN without equations"},
	colAnyWrong:     {"wrong_any", Arithmetic, false, "1 if an equation is wrong, else 0; NaN without equations"},
	colLastResult:   {"answer_last_result", Answer, false, "1 if the answer is the result of one of the last two equations; NaN without equations, without a number as answer, or where the end was not read"},
	colAnyResult:    {"answer_any_result", Answer, false, "1 if the answer is the result of an equation; NaN as above"},
	colPrinted:      {"answer_printed", Answer, false, "1 if the answer is what the program in the text printed; NaN without output"},
	colInteger:      {"answer_integer", Answer, false, "1 if the answer is an integer; NaN if it is not a number"},
	colNegative:     {"answer_negative", Answer, false, "1 if the answer is negative; NaN if it is not a number"},
	colInQuestion:   {"answer_in_question", Answer, false, "1 if the answer stands in the question; NaN if it is not a number or the question has none"},
	colCoverage:     {"coverage", Question, false, "share of the question's numbers that the text uses; NaN if it has none"},
	colForeign:      {"foreign_share", Question, false, "share of the operands that neither the question nor the text before them gives; NaN without equations"},
	colNumbers:      {"numbers_centred", Question, true, "ln(1 + distinct numbers written)"},
	colAgreeNumbers: {"agree_numbers", Agreement, false, "mean share of the other candidates that have an intermediate number of this one; NaN for one candidate or no such number"},
	colAgreeResults: {"agree_results", Agreement, false, "mean share of the other candidates that have a result of this one; NaN for one candidate or no result"},
	colAlone:        {"alone", Agreement, false, "ln(1 + intermediate numbers that none of seven others is expected to have); NaN for one candidate"},
	colMean:         {"logprob_mean", LogProb, false, "mean log-probability of the tokens (nats); NaN where unknown"},
	colTail:         {"logprob_tail", LogProb, false, "mean log-probability of the last 64 tokens (nats); NaN where unknown"},
	colWindow:       {"logprob_window", LogProb, false, "lowest mean log-probability of any 64 tokens in a row (nats); NaN where unknown"},
}

// Columns returns the columns of φ in their order.
func Columns() []Column { return slices.Clone(columns[:]) }

// Table is φ for the candidates of one question.
type Table struct {
	Columns []Column
	Values  [][]float64 // (candidates, columns); NaN where a column does not apply
}

// Compares reports whether the column compares a candidate with the others of its set,
// so that it is another number in another set.
func (c Column) Compares() bool { return c.Centred || c.Group == Agreement }

// Compute reads the candidates of one question. The rows of permuted candidates are the
// permuted rows. It never fails: what cannot be read is NaN.
func Compute(question string, candidates []rcvae.Candidate) Table {
	return Read(question, candidates).All()
}

// Reading is what was read off the candidates of one question. It does not change and
// may be used from several goroutines at once.
type Reading struct {
	sheets []sheet
	rows   [][]float64 // (candidates, columns), before candidates are compared
}

// Read reads every text once, so that the tables of many sets of the candidates cost
// little.
func Read(question string, candidates []rcvae.Candidate) *Reading {
	var scan reader
	q := readQuestion(&scan.lexer, question)
	r := &Reading{sheets: make([]sheet, len(candidates)), rows: make([][]float64, len(candidates))}
	for i, c := range candidates {
		row := slices.Repeat([]float64{math.NaN()}, columnCount)
		r.sheets[i] = readSheet(&scan, c, &q)
		r.sheets[i].arithmetic(row)
		r.sheets[i].plausibility(row, &q)
		r.sheets[i].usage(row, &q)
		logProbs(row, c)
		r.rows[i] = row
		r.sheets[i].equations = nil
	}
	return r
}

// All returns the table of all candidates.
func (r *Reading) All() Table {
	all := make([]int, len(r.rows))
	for i := range all {
		all[i] = i
	}
	return r.Table(all)
}

// Table returns the table of a set of the candidates, given as positions, as [Compute]
// would make it of these candidates alone.
func (r *Reading) Table(set []int) Table {
	t := Table{Columns: columns[:], Values: make([][]float64, len(set))}
	sheets, cells := make([]sheet, len(set)), make([]float64, len(set)*columnCount)
	for a, i := range set {
		t.Values[a] = cells[a*columnCount : (a+1)*columnCount : (a+1)*columnCount]
		copy(t.Values[a], r.rows[i])
		sheets[a] = r.sheets[i]
	}
	agree(t.Values, sheets)
	centre(t.Values)
	return t
}

// logProbs fills the columns of the generator.
func logProbs(row []float64, c rcvae.Candidate) {
	if c.LogProb == nil {
		return
	}
	if c.Tokens > 0 {
		row[colMean] = c.LogProb.Sum / float64(c.Tokens)
	}
	row[colTail] = c.LogProb.Tail
	row[colWindow] = c.LogProb.MinWindow
	for j := colMean; j <= colWindow; j++ {
		if math.IsInf(row[j], 0) {
			row[j] = math.NaN()
		}
	}
}

// centre subtracts the question's mean from the columns that want it; alone, a
// candidate has nothing to be compared with.
func centre(values [][]float64) {
	for j, c := range columns {
		if !c.Centred {
			continue
		}
		column := make([]float64, len(values))
		for i, row := range values {
			column[i] = row[j]
		}
		slices.Sort(column) // the order of the candidates must not show in the last bit
		var sum float64
		for _, x := range column {
			sum += x
		}
		for _, row := range values {
			row[j] -= sum / float64(len(values))
			if len(values) == 1 {
				row[j] = math.NaN()
			}
		}
	}
}

// truth is 1 or 0.
func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
