package signal

import (
	"math"
	"slices"
	"strings"

	"rcvae"
)

// sheet is what was read in one candidate.
type sheet struct {
	equations []Equation
	cut       bool      // the end of the text was not read
	numbers   []float64 // distinct numbers of the text, sorted
	own       []float64 // of them those that are neither the question's nor the answer
	results   []float64 // distinct results of equations that are not the question's, sorted
	answer    number
	numeric   bool // the answer is a number

	foreign, operands   int // operands without a source, of all
	printed, hasPrinted bool
}

// readSheet reads a candidate. The equations are valid until r reads the next one.
func readSheet(r *reader, c rcvae.Candidate, q *questionSheet) sheet {
	s := sheet{}
	s.answer, s.numeric = value(r, c.Answer)
	s.output(r, c.Text)
	r.read(c.Text)
	s.equations, s.cut, s.numbers = r.found, r.cut, distinct(r.tokens)
	for _, x := range s.numbers {
		if !has(q.numbers, x) && (!s.numeric || x != s.answer.f) {
			s.own = append(s.own, x)
		}
	}
	for i := range s.equations {
		if e := &s.equations[i]; e.result && !has(q.numbers, e.stated.f) {
			s.results = append(s.results, e.stated.f)
		}
	}
	s.results = sortDistinct(s.results)
	s.trace(r.tokens, q)
	return s
}

// distinct returns the numbers among the tokens, sorted.
func distinct(tokens []token) []float64 {
	n := 0
	for i := range tokens {
		if tokens[i].kind == numeral {
			n++
		}
	}
	numbers := make([]float64, 0, n)
	for i := range tokens {
		if tokens[i].kind == numeral {
			numbers = append(numbers, tokens[i].float())
		}
	}
	return sortDistinct(numbers)
}

func sortDistinct(numbers []float64) []float64 {
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

func has(sorted []float64, x float64) bool {
	_, ok := slices.BinarySearch(sorted, x)
	return ok
}

// value reads an answer that is a number or an expression of numbers.
func value(r *reader, answer string) (number, bool) {
	if answer == "" || len(answer) > 200 {
		return number{}, false
	}
	r.lexer.reset(answer)
	r.lexer.run()
	r.text, r.tokens, r.parser.steps = answer, r.lexer.tokens, 0
	p := r.side(0, len(r.tokens)-1, mode{plain: true})
	return p.value, !p.bad && p.pos == p.limit && !math.IsNaN(p.value.f) && !math.IsInf(p.value.f, 0)
}

// arithmetic fills the columns of the equations.
func (s *sheet) arithmetic(row []float64) {
	n := len(s.equations)
	row[colEquations] = math.Log1p(float64(n))
	if n == 0 {
		return
	}
	wrong := 0
	for i := range s.equations {
		if !s.equations[i].Holds {
			wrong++
		}
	}
	row[colWrong] = math.Log1p(float64(wrong))
	row[colShareWrong] = float64(wrong) / float64(n)
	row[colAnyWrong] = truth(wrong > 0)
}

// plausibility fills the columns of the answer.
func (s *sheet) plausibility(row []float64, q *questionSheet) {
	if !s.numeric {
		return
	}
	row[colInteger] = truth(s.answer.isInteger())
	row[colNegative] = truth(s.answer.f < 0)
	if len(q.numbers) > 0 {
		row[colInQuestion] = truth(has(q.numbers, s.answer.f))
	}
	if s.hasPrinted {
		row[colPrinted] = truth(s.printed)
	}
	if len(s.equations) == 0 || s.cut {
		return
	}
	last, anywhere := false, false
	for i := range s.equations {
		e := &s.equations[i]
		if e.result && e.stated.equal(s.answer) {
			anywhere = true
			last = last || i >= len(s.equations)-2
		}
	}
	row[colLastResult], row[colAnyResult] = truth(last), truth(anywhere)
}

// output compares the answer with what a program in the text printed last, in a block
// that begins with ```output.
func (s *sheet) output(r *reader, text string) {
	const fence = "```output\n"
	_, block, found := strings.Cut(text, fence)
	for more := found; more; { // from the front: many times as fast as strings.LastIndex
		var next string
		if _, next, more = strings.Cut(block, fence); more {
			block = next
		}
	}
	if !found || !s.numeric {
		return
	}
	if n := strings.Index(block, "```"); n >= 0 {
		block = block[:n]
	}
	lines := strings.Split(strings.TrimSpace(block), "\n")
	printed, ok := value(r, strings.TrimSpace(lines[len(lines)-1]))
	if ok {
		s.hasPrinted = true
		s.printed = math.Abs(printed.f-s.answer.f) <= 0.006*math.Max(1, math.Abs(printed.f))
	}
}
