package report

import (
	"fmt"
	"math"
	"slices"

	"rcvae/eval/stats"
)

const histogramBins = 40

// entropyPlots draw how the entropies of correct and of incorrect candidates lie, as
// they are and minus their question's mean.
func (p *part) entropyPlots() []*plot {
	if len(p.graded) == 0 {
		return nil
	}
	pooled := func(c gradedCandidate) float64 { return c.entropy }
	centred := func(c gradedCandidate) float64 { return c.centred }
	return []*plot{
		p.histogram("Entropy, pooled", "½ Σ ln σ², nats", pooled),
		p.histogram("Entropy, centred", "nats above the mean of the question's candidates", centred),
	}
}

// histogram draws densities of a value of the graded candidates. Values beyond the
// 0.5 % quantiles are counted at the ends.
func (p *part) histogram(title, axis string, of func(gradedCandidate) float64) *plot {
	var values, negative []float64
	var correct []bool
	for _, c := range p.graded {
		values, negative, correct = append(values, of(c)), append(negative, -of(c)), append(correct, c.correct)
	}
	sorted := slices.Sorted(slices.Values(values))
	low, high := sorted[len(sorted)/200], sorted[len(sorted)-1-len(sorted)/200]
	if low == high {
		low, high = low-0.5, high+0.5
	}
	width := (high - low) / histogramBins
	density := map[bool][]float64{true: make([]float64, histogramBins), false: make([]float64, histogramBins)}
	count := map[bool]float64{}
	for i, v := range values {
		b := min(max(int((v-low)/width), 0), histogramBins-1)
		density[correct[i]][b]++
		count[correct[i]]++
	}
	var most float64
	for kind, d := range density {
		for b := range d {
			d[b] /= max(count[kind], 1)
			most = max(most, d[b])
		}
	}
	area := stats.AUROC(negative, correct)
	g := newPlot("half", fmt.Sprintf("%s: %s", title, p.label), "", 470, 270, margins{44, 16, 30, 44}, [2]float64{low, high}, [2]float64{0, most * 1.25})
	g.xTicks(axis, ticks(low, high, 7), short)
	g.yTicks("share of the candidates, %", ticks(0, most, 4), func(v float64) string { return short(100 * v) })
	g.steps("no area", low, width, density[false])
	g.steps("yes area", low, width, density[true])
	for i, kind := range []bool{true, false} {
		class, name := "yes", "correct"
		if !kind {
			class, name = "no", "incorrect"
		}
		x, y := g.x.to-130, g.y.to+12+16*float64(i)
		g.path(class+" area", "", "M%s %sh14v9h-14Z", x, y-9)
		g.text("end", x+20, y, "start", fmt.Sprintf("%s, n = %.0f", name, count[kind]))
	}
	g.text("end", g.x.to-130, g.y.to+46, "start", "AUROC "+three(area))
	g.Desc = fmt.Sprintf("%.0f correct and %.0f incorrect candidates; area under the ROC curve of low entropy %s.", count[true], count[false], three(area))
	return g
}

// mapPlot draws latent means in two dimensions, correct and incorrect ones mixed in the
// order of the pool so that neither covers the other.
func (p *part) mapPlot(title, desc string, points []at, xName, yName string) *plot {
	xs, ys := make([]float64, len(points)), make([]float64, len(points))
	for i, a := range points {
		xs[i], ys[i] = a.x, a.y
	}
	g := newPlot("map", title+": "+p.label, desc, 560, 440, margins{44, 16, 30, 44}, span(xs, 0.03, math.Inf(-1), math.Inf(1)), span(ys, 0.03, math.Inf(-1), math.Inf(1)))
	g.xTicks(xName, ticks(g.x.min, g.x.max, 6), short)
	g.yTicks(yName, ticks(g.y.min, g.y.max, 6), short)
	const layers = 24
	for l := range layers {
		part := points[l*len(points)/layers : (l+1)*len(points)/layers]
		for _, kind := range []bool{false, true} {
			class := "no cloud"
			if kind {
				class = "yes cloud"
			}
			var d []byte
			for _, a := range part {
				if a.correct == kind {
					d = fmt.Appendf(d, "M%s %sh0", n(g.x.px(a.x)), n(g.y.px(a.y)))
				}
			}
			if len(d) > 0 {
				g.Paths = append(g.Paths, path{class, string(d), ""})
			}
		}
	}
	for i, name := range []string{"correct", "incorrect"} {
		x, y := g.x.to-84, g.y.to+12+16*float64(i)
		g.path([]string{"yes", "no"}[i]+" dot", "", "M%s %sh0", x, y-4)
		g.text("end", x+10, y, "start", name)
	}
	return g
}

// maps draw the latent means by PCA and, if asked, by t-SNE.
func (p *part) maps(withTSNE bool) ([]*plot, error) {
	if len(p.latents.points) < 3 {
		return nil, nil
	}
	x, correct, err := p.latents.matrix(mapPoints)
	if err != nil {
		return nil, err
	}
	flat, shares, err := pca(x, 2)
	if err != nil {
		return nil, err
	}
	axis := func(i int) string {
		if i >= len(shares) {
			return ""
		}
		return fmt.Sprintf("axis %d, %s %% of the variance", i+1, percent(shares[i]))
	}
	desc := fmt.Sprintf("%d of %d graded candidates, by their posterior means.", len(correct), p.latents.seen)
	plots := []*plot{p.mapPlot("Latent means by PCA", desc, places(flat, correct), axis(0), axis(1))}
	if !withTSNE {
		return plots, nil
	}
	if x, correct, err = p.latents.matrix(tsnePoints); err != nil {
		return nil, err
	}
	reduced, _, err := pca(x, tsneDimensions)
	if err != nil {
		return nil, err
	}
	desc = fmt.Sprintf("%d of %d graded candidates; perplexity %.0f, %d iterations from the axes of PCA. Neighbours mean something, distances between groups do not.",
		len(correct), p.latents.seen, perplexity, tsneIterations)
	return append(plots, p.mapPlot("Latent means by t-SNE", desc, places(tsne(reduced), correct), "t-SNE 1", "t-SNE 2")), nil
}
