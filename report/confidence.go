package report

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// coverage is how the risk of a rule grows as questions of ever smaller margin are
// answered.
type coverage struct {
	rule           string
	answered, risk []float64 // shares of the questions, and of the answered that are incorrect
	area           float64   // under the curve
}

// riskCoverage answers the questions of largest margin first; questions of equal margin
// come together.
//
// Source: Geifman and El-Yaniv 2017, "Selective classification for deep neural networks".
func riskCoverage(rule string, outcomes []outcome) coverage {
	sorted := slices.Clone(outcomes)
	slices.SortStableFunc(sorted, func(a, b outcome) int { return compareFloats(b.margin, a.margin) })
	c := coverage{rule: rule}
	total := float64(len(sorted))
	var wrong, before float64
	for i, o := range sorted {
		wrong += 1 - o.value
		if i+1 < len(sorted) && sorted[i+1].margin == o.margin {
			continue
		}
		answered := float64(i + 1)
		c.answered, c.risk = append(c.answered, answered/total), append(c.risk, wrong/answered)
		c.area += (answered - before) / total * wrong / answered
		before = answered
	}
	return c
}

// voting returns the highlighted rules that vote, and majority.
func (p *part) voting() (names []string) {
	for _, name := range append(p.highlighted(), majority) {
		r := p.rule(name)
		if r >= 0 && slices.ContainsFunc(p.rows, func(x row) bool { return !math.IsNaN(x.outcomes[r].share) }) {
			names = append(names, name)
		}
	}
	return names
}

func (p *part) outcomes(rule string) []outcome {
	r := p.rule(rule)
	out := make([]outcome, len(p.rows))
	for i, x := range p.rows {
		out[i] = x.outcomes[r]
	}
	return out
}

// class returns the style of a rule, the same in all plots of the part.
func (p *part) class(rule string) string {
	if i := slices.Index(p.highlighted(), rule); i >= 0 {
		return fmt.Sprintf("s%d", i+1)
	}
	return "ref"
}

// riskPlot draws risk against coverage for the rules that vote.
func (p *part) riskPlot() *plot {
	names := p.voting()
	if len(names) == 0 {
		return nil
	}
	var all []coverage
	var risks []float64
	for _, name := range names {
		c := riskCoverage(name, p.outcomes(name))
		all, risks = append(all, c), append(risks, c.risk...)
	}
	g := newPlot("half", "Risk against coverage: "+p.label, "", 470, 330, margins{44, 16, 30, 44}, [2]float64{0, 1}, span(append(risks, 0), 0.04, 0, 1))
	g.xTicks("questions answered, %, largest margin first", ticks(0, 1, 5), wholePercent)
	g.yTicks("incorrect, % of the answered", ticks(g.y.min, g.y.max, 6), wholePercent)
	for i := len(all) - 1; i >= 0; i-- {
		c := all[i]
		g.line(p.class(c.rule)+" line", fmt.Sprintf("%s: area under the curve %.3f", c.rule, c.area), c.answered, c.risk)
	}
	for _, c := range all {
		g.Desc += fmt.Sprintf("%s: area under the curve %.3f. ", c.rule, c.area)
	}
	g.legend(p, names, func(i int) string { return fmt.Sprintf("%s  %.3f", names[i], all[i].area) })
	return g
}

// legend lists rules in the lower right corner of the frame, where risk is seldom.
func (g *plot) legend(p *part, names []string, say func(int) string) {
	for i, name := range names {
		x, y := g.x.to-192, g.y.from-10-16*float64(len(names)-1-i)
		g.path(p.class(name)+" line", "", "M%s %sh18", x, y-4)
		g.text("end", x+24, y, "start", say(i))
	}
}

// bins of the calibration.
const bins = 10

// strip is the height of the bars below the plot of calibration, in units of its axis.
const strip = 0.24

// reliability is how often a rule is correct when its vote is about so sure.
type reliability struct {
	count         [bins]float64
	share, value  [bins]float64 // means
	low, high     [bins]float64 // Wilson interval of value
	expectedError float64       // Σ count·|value − share| / Σ count
	n             float64
}

// calibration bins the questions by the share of the chosen answer's weight.
func calibration(outcomes []outcome) reliability {
	var r reliability
	for _, o := range outcomes {
		if math.IsNaN(o.share) {
			continue
		}
		b := min(int(o.share*bins), bins-1)
		r.count[b]++
		r.share[b] += o.share
		r.value[b] += o.value
		r.n++
	}
	for b, n := range r.count {
		if n == 0 {
			continue
		}
		r.share[b] /= n
		r.value[b] /= n
		r.low[b], r.high[b] = wilson(r.value[b], n)
		r.expectedError += n / r.n * math.Abs(r.value[b]-r.share[b])
	}
	return r
}

// wilson returns the 95 % interval of a share of n.
//
// Source: Wilson 1927, "Probable inference, the law of succession, and statistical
// inference".
func wilson(share, n float64) (low, high float64) {
	z := distuv.UnitNormal.Quantile(0.975)
	centre := (share + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(share*(1-share)/n+z*z/(4*n*n))
	return max(centre-half, 0), min(centre+half, 1)
}

// calibrationPlot draws the reliability of the part's rule, if it votes, else of
// majority.
func (p *part) calibrationPlot() *plot {
	names := p.voting()
	if len(names) == 0 {
		return nil
	}
	name := names[0]
	r := calibration(p.outcomes(name))
	g := newPlot("half", fmt.Sprintf("Calibration of %s: %s", name, p.label), "", 470, 330, margins{44, 16, 30, 44}, [2]float64{0, 1}, [2]float64{-strip, 1})
	g.xTicks("weight of the chosen answer, % of all", ticks(0, 1, 5), wholePercent)
	g.yTicks("correct, % of the questions", ticks(0, 1, 5), wholePercent)
	g.line("ref point", "as sure as it is correct", []float64{0, 1}, []float64{0, 1})
	g.path("axis", "", "M%s %sH%s", g.x.from, g.y.px(0), g.x.to)
	most := slices.Max(r.count[:])
	for b, count := range r.count {
		if count == 0 {
			continue
		}
		x := (float64(b) + 0.5) / bins
		height := -strip + count/most*(strip-0.09)
		g.path("bar", fmt.Sprintf("%.0f questions", count), "M%s %sV%sH%sV%sZ", g.x.px(x-0.042), g.y.from, g.y.px(height), g.x.px(x+0.042), g.y.from)
		g.path("s1 whisker", "", "M%s %sV%s", g.x.px(r.share[b]), g.y.px(r.low[b]), g.y.px(r.high[b]))
		g.dot("s1 dot", fmt.Sprintf("weight %s %%: %s %% of %.0f questions correct [%.1f, %.1f]", percent(r.share[b]), percent(r.value[b]), count, 100*r.low[b], 100*r.high[b]), r.share[b], r.value[b])
		g.text("count", g.x.px(x), g.y.px(height)-3, "middle", fmt.Sprintf("%.0f", count))
	}
	g.text("end", g.x.from+10, g.y.to+12, "start", fmt.Sprintf("%s  expected calibration error %s points", name, percent(r.expectedError)))
	g.Desc = fmt.Sprintf("Expected calibration error of %s: %s points over %.0f questions.", name, percent(r.expectedError), r.n)
	return g
}
