package report

import (
	"fmt"
	"math"
	"slices"

	"rcvae/eval"
)

// forest is the table of rules: a row per rule with its difference to majority drawn.
type forest struct {
	Axis *plot
	Rows []forestRow
}

type forestRow struct {
	Name, Accuracy, AccuracyCI, Diff, CI, P, Gap, AUROC, NoAnswer string
	Focus                                                         bool
	Plot                                                          *plot
}

const forestWidth = 220

// forest compares all rules with majority.
func (p *part) forest() forest {
	ranked := slices.Clone(p.pool.Selectors)
	ranked = slices.DeleteFunc(ranked, func(s eval.Selector) bool { return s.Name == majority || s.Name == "oracle" })
	slices.SortStableFunc(ranked, func(a, b eval.Selector) int { return compareFloats(b.VsMajority.Diff, a.VsMajority.Diff) })
	var f forest
	values := []float64{0}
	for _, s := range ranked {
		values = append(values, ends(s.VsMajority)...)
	}
	x := span(values, 0.04, math.Inf(-1), math.Inf(1))
	f.Axis = forestAxis(x)
	for _, s := range ranked {
		f.Rows = append(f.Rows, forestRow{
			Name: s.Name, Accuracy: percent(s.Accuracy), AccuracyCI: interval(s.CI95), Diff: points(s.VsMajority.Diff), CI: pointInterval(s.VsMajority.CI95),
			P: pValue(s.VsMajority.P), Gap: minus(optional(s.GapShare.Share, 100, "%.0f %%")), AUROC: optional(s.AUROC, 1, "%.3f"), NoAnswer: short(math.Round(s.NoAnswer*10) / 10),
			Focus: s.Name == p.focus, Plot: forestMark(x, s.VsMajority, s.Name),
		})
	}
	return f
}

func ends(c eval.Comparison) []float64 {
	if c.CI95 == nil {
		return []float64{c.Diff}
	}
	return []float64{c.CI95[0], c.Diff, c.CI95[1]}
}

func forestAxis(x [2]float64) *plot {
	g := newPlot("forest", "Axis of the differences", "", forestWidth, 22, margins{6, 6, 0, 2}, x, [2]float64{0, 1})
	for _, v := range ticks(x[0], x[1], 5) {
		g.path("axis", "", "M%s 18V22", g.x.px(v))
		g.text("tick", g.x.px(v), 13, "middle", sign(100*v, 0))
	}
	return g
}

// forestMark draws a difference with its interval. A difference whose interval excludes 0
// is filled.
func forestMark(x [2]float64, c eval.Comparison, name string) *plot {
	g := newPlot("forest", name, "", forestWidth, 22, margins{6, 6, 0, 0}, x, [2]float64{0, 1})
	g.path("zero", "", "M%s 0V22", g.x.px(0))
	class := "unsure"
	if c.CI95 != nil {
		switch {
		case c.CI95[0] > 0:
			class = "better"
		case c.CI95[1] < 0:
			class = "worse"
		}
		g.path(class+" whisker", "", "M%s 11H%s", g.x.px(c.CI95[0]), g.x.px(c.CI95[1]))
	}
	g.path(class+" dot", fmt.Sprintf("%s: %s points %s", name, points(c.Diff), pointInterval(c.CI95)), "M%s 11h0", g.x.px(c.Diff))
	return g
}
