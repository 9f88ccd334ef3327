package report

import (
	"fmt"
	"math"
	"slices"

	"rcvae/eval"
	"rcvae/eval/stats"
)

// comparison is two parts on the questions that both have.
type comparison struct {
	ID, First, Second string
	Questions         int
	Rule              string // of the counts
	Both, OnlyFirst   string
	OnlySecond, None  string
	Axis              *plot
	Rows              []comparedRow
}

// comparedRow is a rule in both parts; differences are second minus first.
type comparedRow struct {
	Name, First, Second, Diff, CI, P string
	Plot                             *plot
	diff                             eval.Comparison
}

// compareAll compares every two parts that have rules and questions in common.
func compareAll(parts []*part) (out []comparison, err error) {
	for j, b := range parts {
		for i, a := range parts[:j] {
			c, err := compare(a, b)
			if err != nil {
				return nil, fmt.Errorf("compare %s with %s: %w", a.label, b.label, err)
			}
			if c != nil {
				c.ID = fmt.Sprintf("c%d-%d", i+1, j+1)
				out = append(out, *c)
			}
		}
	}
	return out, nil
}

// compare returns nil for parts without a common question or rule.
func compare(a, b *part) (*comparison, error) {
	at := map[string]int{}
	for i, r := range a.rows {
		if _, ok := at[r.id]; !ok {
			at[r.id] = i
		}
	}
	var ids []string
	var pairs [][2]int
	for j, r := range b.rows {
		if i, ok := at[r.id]; ok {
			ids, pairs = append(ids, r.id), append(pairs, [2]int{i, j})
			delete(at, r.id)
		}
	}
	var rules []string
	for _, name := range a.rules {
		if b.rule(name) >= 0 && !slices.Contains([]string{"random", "oracle"}, name) {
			rules = append(rules, name)
		}
	}
	if len(ids) == 0 || len(rules) == 0 {
		return nil, nil
	}
	values := make([][]float64, len(pairs)) // first, second, first, …
	for q, ij := range pairs {
		for _, name := range rules {
			values[q] = append(values[q], a.rows[ij[0]].outcomes[a.rule(name)].value, b.rows[ij[1]].outcomes[b.rule(name)].value)
		}
	}
	sample, err := stats.NewSample(ids, values)
	if err != nil {
		return nil, err
	}
	drawn, err := stats.Bootstrap{Resamples: resamples, Seed: a.source.Result.Run.Seed}.Resample(sample)
	if err != nil {
		return nil, err
	}
	c := &comparison{First: a.label, Second: b.label, Questions: len(ids)}
	c.count(rules, a.focus, values)
	c.fill(rules, drawn)
	return c, nil
}

// count tells which questions each part gets right by one rule: the focus or, where one
// part lacks it, the first rule with a score.
func (c *comparison) count(rules []string, focus string, values [][]float64) {
	r := slices.Index(rules, focus)
	if r < 0 {
		r = max(slices.IndexFunc(rules, func(name string) bool { return !slices.Contains(plainRules, name) }), 0)
	}
	c.Rule = rules[r]
	var both, first, second float64
	for _, v := range values {
		x, y := v[2*r], v[2*r+1]
		both += x * y
		first += x * (1 - y)
		second += (1 - x) * y
	}
	write := func(x float64) string { return short(math.Round(10*x) / 10) }
	c.Both, c.OnlyFirst, c.OnlySecond = write(both), write(first), write(second)
	c.None = write(float64(len(values)) - both - first - second)
}

func (c *comparison) fill(rules []string, drawn *stats.Resampled) {
	span0 := []float64{0}
	for i, name := range rules {
		d := drawn.Difference(2*i+1, 2*i)
		row := comparedRow{
			Name: name, First: percent(drawn.Mean(2 * i).Value), Second: percent(drawn.Mean(2*i + 1).Value),
			Diff: points(d.Value), CI: pointInterval(d.CI95), P: pValue(d.P), diff: eval.Comparison{Diff: d.Value, CI95: d.CI95, P: d.P},
		}
		span0 = append(span0, ends(row.diff)...)
		c.Rows = append(c.Rows, row)
	}
	x := span(span0, 0.04, math.Inf(-1), math.Inf(1))
	c.Axis = forestAxis(x)
	for i := range c.Rows {
		c.Rows[i].Plot = forestMark(x, c.Rows[i].diff, c.Rows[i].Name)
	}
}
