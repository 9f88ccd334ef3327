package signal

import (
	"math"
	"strings"
)

// questionSheet is what was read in the question.
type questionSheet struct {
	numbers []float64 // distinct, sorted
	given   []float64 // numbers, number words, and what follows from them without calculation; sorted
}

// common are numbers that need no source: small counts, and those of units of measure.
var common = []float64{0, 0.25, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 24, 30, 36, 52, 60, 100, 365, 1000, 3600}

var numberWords = map[string]float64{"thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
	"nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}

func readQuestion(l *lexer, question string) questionSheet {
	l.reset(question)
	l.run()
	q := questionSheet{numbers: distinct(l.tokens)}
	q.given = append(q.given, common...)
	for _, x := range q.numbers {
		q.given = append(q.given, x, x/100, 1-x/100, 1+x/100, 100-x, x*100)
	}
	for _, t := range l.tokens {
		if t.kind == word {
			if x, ok := numberWords[strings.ToLower(question[t.start:t.end])]; ok {
				q.given = append(q.given, x)
			}
		}
	}
	q.given = sortDistinct(q.given)
	return q
}

// usage fills the columns of the question's numbers.
func (s *sheet) usage(row []float64, q *questionSheet) {
	row[colNumbers] = math.Log1p(float64(len(s.numbers)))
	if len(q.numbers) > 0 {
		used := 0
		for _, x := range q.numbers {
			if has(s.numbers, x) {
				used++
			}
		}
		row[colCoverage] = float64(used) / float64(len(q.numbers))
	}
	if s.operands > 0 {
		row[colForeign] = float64(s.foreign) / float64(s.operands)
	}
}

// trace counts the operands, the numbers left of a sign, that come from nowhere:
// neither from the question nor from what an equation has given before.
func (s *sheet) trace(tokens []token, q *questionSheet) {
	results := make([]float64, 0, len(s.equations))
	i := 0
	for k := range s.equations {
		e := &s.equations[k]
		for i < len(tokens) && int(tokens[i].start) < e.Start {
			i++
		}
		for ; i < len(tokens) && int(tokens[i].end) <= e.Start+len(e.Left); i++ {
			if tokens[i].kind != numeral {
				continue
			}
			s.operands++
			if x := tokens[i].float(); !has(q.given, x) && !follows(results, x) {
				s.foreign++
			}
		}
		if results = append(results, e.stated.f); len(results) > maxResults {
			results = results[1:]
		}
	}
}

// maxResults is how many earlier results an operand may come from.
const maxResults = 64

// follows reports whether a number is an earlier result, also as a percentage.
func follows(results []float64, x float64) bool {
	for _, r := range results {
		for _, y := range [...]float64{r, r / 100, r * 100, 1 - r, 1 + r, 1 - r/100, 100 - r, math.Round(r), math.Floor(r), math.Ceil(r)} {
			if math.Abs(x-y) <= 1e-9*math.Abs(y) {
				return true
			}
		}
	}
	return false
}
