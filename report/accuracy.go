package report

import (
	"fmt"
	"slices"
	"strings"

	"rcvae/eval"
)

// curve is a rule's accuracy against k.
type curve struct {
	name      string
	ks, mean  []float64
	low, high []float64 // ends of the interval; the mean where there is none
	interval  bool
	class     string
}

// drawn is how many rules the large plot shows in colour.
const drawn = 4

// curves returns the accuracy of every rule of a pool against k, that of all candidates
// included.
func (p *part) curves() []curve {
	all := make([]curve, len(p.pool.Selectors))
	for i, s := range p.pool.Selectors {
		all[i].name = s.Name
		for _, at := range p.pool.ByK {
			if at.K < p.pool.K && i < len(at.Selectors) {
				all[i].add(at.K, at.Selectors[i])
			}
		}
		all[i].add(p.pool.K, s.Measured)
	}
	return all
}

func (c *curve) add(k int, m eval.Measured) {
	low, high := m.Accuracy, m.Accuracy
	if m.CI95 != nil {
		low, high, c.interval = m.CI95[0], m.CI95[1], true
	}
	c.ks, c.mean = append(c.ks, float64(k)), append(c.mean, m.Accuracy)
	c.low, c.high = append(c.low, low), append(c.high, high)
}

// reference returns the lines that every plot of accuracy shows: majority, pass@k, and
// the mean of a single candidate.
func (p *part) reference() []curve {
	refs := []curve{{name: majority, class: "ref"}, {name: "pass@k", class: "ref dash"}, {name: "mean@1", class: "ref point"}}
	add := func(k int, values ...float64) {
		for i, v := range values {
			refs[i].add(k, eval.Measured{Accuracy: v})
		}
	}
	for _, at := range p.pool.ByK {
		if at.K < p.pool.K {
			add(at.K, at.Majority, at.PassAtK, at.MeanAt1)
		}
	}
	add(p.pool.K, p.pool.Majority, p.pool.PassAtK, p.pool.MeanAt1)
	return refs
}

// highlighted returns the names of the rules that plots show in colour: the part's first.
func (p *part) highlighted() []string {
	names := []string{p.focus}
	for _, s := range p.pool.Selectors {
		if len(names) < drawn && s.Name != p.focus && !slices.Contains(plainRules, s.Name) {
			names = append(names, s.Name)
		}
	}
	return names
}

// accuracyPlot draws the highlighted rules and the references in one picture.
func (p *part) accuracyPlot() *plot {
	refs, highlighted := p.reference(), p.highlighted()
	var shown []curve
	for i, name := range highlighted {
		for _, c := range p.curves() {
			if c.name == name {
				c.class = fmt.Sprintf("s%d", i+1)
				shown = append(shown, c)
			}
		}
	}
	g := p.accuracyFrame("wide", fmt.Sprintf("Accuracy against the number of candidates: %s", p.label),
		980, 400, margins{44, 190, 30, 44}, slices.Concat(refs, shown))
	g.xTicks("candidates per question, k", refs[0].ks, short)
	g.yTicks("correct, % of the questions", ticks(g.y.min, g.y.max, 8), wholePercent)
	var said []string
	for _, c := range refs {
		g.line(c.class, c.name, c.ks, c.mean)
		g.dots(c, "ref")
	}
	for i := len(shown) - 1; i >= 0; i-- {
		c := shown[i]
		if c.name == p.focus { // four bands on one another could not be told apart
			g.spread(c)
		}
		g.line(c.class+" line", c.name, c.ks, c.mean)
		g.dots(c, c.class)
		last := len(c.mean) - 1
		said = append(said, fmt.Sprintf("%s %s %%", c.name, percent(c.mean[last])))
	}
	g.endLabels(slices.Concat(refs, shown))
	g.Desc = fmt.Sprintf("At k = %d: %s; majority %s %%, pass@k %s %%, one candidate %s %%.", p.pool.K, strings.Join(said, ", "),
		percent(p.pool.Majority), percent(p.pool.PassAtK), percent(p.pool.MeanAt1))
	return g
}

// accuracyFrame returns an empty plot of accuracy against k that has room for curves.
func (p *part) accuracyFrame(class, title string, w, h float64, m margins, curves []curve) *plot {
	var values []float64
	for _, c := range curves {
		values = append(append(values, c.low...), c.high...)
	}
	ks := curves[0].ks
	g := newPlot(class, title, "", w, h, m, [2]float64{ks[0], ks[len(ks)-1]}, span(values, 0.05, 0, 1))
	g.x.log = true
	return g
}

// spread draws the intervals of a curve: a band, or whiskers where there is one k only.
func (g *plot) spread(c curve) {
	if !c.interval {
		return
	}
	if len(c.ks) > 1 {
		g.band(c.class+" band", c.ks, c.low, c.high)
		return
	}
	x := g.x.px(c.ks[0])
	g.path(c.class+" whisker", "", "M%s %sV%s", x, g.y.px(c.low[0]), g.y.px(c.high[0]))
}

func (g *plot) dots(c curve, class string) {
	for i := range c.ks {
		g.dot(class+" dot", fmt.Sprintf("%s, k = %.0f: %s %% %s", c.name, c.ks[i], percent(c.mean[i]), c.intervalText(i)), c.ks[i], c.mean[i])
	}
}

func (c *curve) intervalText(i int) string {
	if !c.interval {
		return ""
	}
	return interval(&eval.Interval{c.low[i], c.high[i]})
}

// endLabels names the curves at their right ends.
func (g *plot) endLabels(curves []curve) {
	slices.SortStableFunc(curves, func(a, b curve) int {
		return compareFloats(b.mean[len(b.mean)-1], a.mean[len(a.mean)-1])
	})
	places := make([]float64, len(curves))
	for i, c := range curves {
		places[i] = g.y.px(c.mean[len(c.mean)-1])
	}
	apart(places, 15, g.y.from)
	for i, c := range curves {
		end := g.y.px(c.mean[len(c.mean)-1])
		x := g.x.px(c.ks[len(c.ks)-1])
		g.path("lead "+c.class, "", "M%s %sL%s %sH%s", x+6, end, x+16, places[i], x+22)
		g.text("end", x+26, places[i]+4, "start", fmt.Sprintf("%s  %s", c.name, percent(c.mean[len(c.mean)-1])))
	}
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// multiples draws a small picture per rule: its line and band over the references.
func (p *part) multiples() (plots []*plot) {
	refs, all := p.reference(), p.curves()
	if len(refs[0].ks) < 2 {
		return nil
	}
	for _, c := range all {
		if slices.Contains(plainRules, c.name) {
			continue
		}
		c.class = "s1"
		last := len(c.mean) - 1
		g := p.accuracyFrame("small", fmt.Sprintf("%s against k: %s", c.name, p.label), 186, 128, margins{26, 8, 24, 20}, slices.Concat(refs, all))
		g.Desc = fmt.Sprintf("%s %% %s at k = %.0f, majority %s %%.", percent(c.mean[last]), c.intervalText(last), c.ks[last], percent(p.pool.Majority))
		g.text("head", 2, 14, "start", c.name)
		for _, v := range ticks(g.y.min, g.y.max, 4) {
			g.path("grid", "", "M%s %sH%s", g.x.from, g.y.px(v), g.x.to)
			g.text("tick", g.x.from-4, g.y.px(v)+3, "end", wholePercent(v))
		}
		for _, k := range []float64{c.ks[0], c.ks[last]} {
			g.text("tick", g.x.px(k), g.y.from+13, map[bool]string{true: "start", false: "end"}[k == c.ks[0]], fmt.Sprintf("k = %.0f", k))
		}
		for _, r := range refs[:2] {
			g.line(r.class, r.name, r.ks, r.mean)
		}
		g.spread(c)
		g.line("s1 line", c.name, c.ks, c.mean)
		g.dots(c, "s1")
		plots = append(plots, g)
	}
	return plots
}
