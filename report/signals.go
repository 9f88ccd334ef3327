package report

import (
	"fmt"
	"math"
	"slices"

	"rcvae/eval"
	"rcvae/eval/stats"
	"rcvae/signal"
)

// signalRow says what one column is worth inside a question.
type signalRow struct {
	Name, About, Applies  string
	Area, CI, N           string
	Misordered, Pairs     string
	Plot                  *plot
	area                  float64
	ci                    *eval.Interval
	misordered, questions float64
}

const resamples = 2000 // as many as eval draws by default

// signalRows rank the columns by how far they are from saying nothing.
func (p *part) signalRows() (rows []signalRow, axis *plot, err error) {
	about := map[string]string{}
	for _, c := range signal.Columns() {
		about[c.Name] = c.Description
	}
	for _, s := range p.signals {
		if len(s.all) == 0 {
			continue
		}
		r, err := s.row(p.source.Result.Run.Seed)
		if err != nil {
			return nil, nil, fmt.Errorf("signal %s: %w", s.name, err)
		}
		r.About = about[s.name]
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b signalRow) int {
		return compareFloats(math.Abs(b.area-0.5), math.Abs(a.area-0.5))
	})
	reach := 0.05
	for _, r := range rows {
		for _, v := range []float64{r.area, r.misordered} {
			if !math.IsNaN(v) {
				reach = max(reach, math.Abs(v-0.5))
			}
		}
		if r.ci != nil {
			reach = max(reach, math.Abs(r.ci[0]-0.5), math.Abs(r.ci[1]-0.5))
		}
	}
	x := [2]float64{0.5 - 1.05*reach, 0.5 + 1.05*reach}
	for i := range rows {
		rows[i].Plot = rows[i].mark(x)
	}
	axis = newPlot("forest", "Axis of the areas", "", forestWidth, 22, margins{6, 6, 0, 2}, x, [2]float64{0, 1})
	for _, v := range ticks(x[0], x[1], 6) {
		axis.path("axis", "", "M%s 18V22", axis.x.px(v))
		axis.text("tick", axis.x.px(v), 13, "middle", short(v))
	}
	return rows, axis, nil
}

func (s *signalValues) row(seed uint64) (signalRow, error) {
	r := signalRow{
		Name: s.name, Applies: wholePercent(float64(s.applies) / float64(max(s.of, 1))), N: fmt.Sprint(len(s.all)), misordered: math.NaN(), Misordered: undefined,
	}
	values := make([][]float64, len(s.all))
	var sum, n float64
	for i, v := range s.all {
		values[i] = []float64{v}
		if m := s.misordered[i]; !math.IsNaN(m) {
			sum += m
			n++
		}
	}
	sample, err := stats.NewSample(s.ids, values)
	if err != nil {
		return r, err
	}
	drawn, err := stats.Bootstrap{Resamples: resamples, Seed: seed}.Resample(sample)
	if err != nil {
		return r, err
	}
	mean := drawn.Mean(0)
	r.area, r.ci, r.Area = mean.Value, mean.CI95, three(mean.Value)
	if r.ci != nil {
		r.CI = fmt.Sprintf("[%.3f, %.3f]", r.ci[0], r.ci[1])
	}
	if n > 0 {
		r.misordered, r.questions = sum/n, n
		r.Misordered, r.Pairs = three(r.misordered), fmt.Sprintf("%.0f", n)
	}
	return r, nil
}

// mark draws the area with its interval, and an open dot for the pairs that the entropy
// misorders.
func (r signalRow) mark(x [2]float64) *plot {
	g := newPlot("forest", r.Name, "", forestWidth, 22, margins{6, 6, 0, 0}, x, [2]float64{0, 1})
	g.path("zero", "", "M%s 0V22", g.x.px(0.5))
	if !math.IsNaN(r.misordered) {
		at := g.x.px(r.misordered)
		g.path("open", fmt.Sprintf("%s, pairs that the entropy misorders: %s", r.Name, r.Misordered), "M%s 7l4 4l-4 4l-4-4Z", at)
	}
	if r.ci != nil {
		g.path("s1 whisker", "", "M%s 11H%s", g.x.px(r.ci[0]), g.x.px(r.ci[1]))
	}
	g.path("s1 dot", fmt.Sprintf("%s: %s %s", r.Name, r.Area, r.CI), "M%s 11h0", g.x.px(r.area))
	return g
}
