package report

import (
	"fmt"
	"slices"

	"rcvae/eval"
)

// trained is what the page shows of a model.
type trained struct {
	Name    string
	Facts   string
	Plots   []*plot
	Warning []string
}

// models describe the models that a pool was measured with.
func (p *part) models() (out []trained) {
	for _, d := range p.pool.Diagnostics {
		m := trained{Name: d.Model, Facts: fmt.Sprintf("On this pool %d of %d latent units are active, KL %.3g nats, entropy spread inside a question %s nats.",
			d.ActiveUnits, d.Latent, d.KL, optional(d.EntropySD, 1, "%.3g"))}
		if d.OutOfDistribution != nil {
			m.Facts += fmt.Sprintf(" %s %% of the candidates are out-of-distribution: their scores do not count in votes.", percent(*d.OutOfDistribution))
		}
		i := slices.IndexFunc(p.source.Result.Models, func(t eval.Training) bool { return t.Model == d.Model })
		if i >= 0 {
			t := p.source.Result.Models[i]
			m.Facts = fmt.Sprintf("Objective %s, embedder %s, trained on %d questions (%d candidates); the weights are those of epoch %d. ", t.Objective, t.Embedder, t.Questions, t.Candidates, t.BestEpoch) + m.Facts
			m.Warning = t.Warnings
			if len(t.Curve) > 1 {
				m.Plots = append(m.Plots, lossPlot(t), unitsPlot(t))
			}
		}
		if len(d.KLByUnit) > 0 {
			m.Plots = append(m.Plots, klPlot(d))
		}
		out = append(out, m)
	}
	return out
}

// lossPlot draws the training loss and the validation value by epoch, each on its own
// range: they are of different units.
func lossPlot(t eval.Training) *plot {
	var epochs, loss, checked, validation []float64
	for _, e := range t.Curve {
		epochs, loss = append(epochs, float64(e.Epoch)), append(loss, e.Loss)
		if e.Validation != nil {
			checked, validation = append(checked, float64(e.Epoch)), append(validation, *e.Validation)
		}
	}
	g := newPlot("third", "Training curve of "+t.Model, "", 330, 220, margins{50, 14, 30, 44}, [2]float64{epochs[0], epochs[len(epochs)-1]}, span(loss, 0.05, -1e300, 1e300))
	g.xTicks("epoch", ticks(g.x.min, g.x.max, 5), short)
	g.yTicks("loss", ticks(g.y.min, g.y.max, 5), short)
	g.line("ref line", "loss", epochs, loss)
	g.Desc = fmt.Sprintf("Loss from %.4g to %.4g in %d epochs.", loss[0], loss[len(loss)-1], len(loss))
	g.path("ref line", "", "M%s %sh18", g.x.to-120, g.y.to+8)
	g.text("end", g.x.to-98, g.y.to+12, "start", "loss")
	if len(validation) > 1 {
		g.overlay(checked, validation, t.BestEpoch)
	}
	return g
}

// overlay draws the validation values on a range of their own, and where the best is.
func (g *plot) overlay(epochs, values []float64, best int) {
	kept := g.y
	range2 := span(values, 0.05, -1e300, 1e300)
	g.y.min, g.y.max = range2[0], range2[1]
	g.line("s1 line", "validation", epochs, values)
	g.Desc += fmt.Sprintf(" Validation from %.4g to %.4g.", values[0], values[len(values)-1])
	g.path("s1 line", "", "M%s %sh18", g.x.to-120, kept.to+24)
	g.text("end", g.x.to-98, kept.to+28, "start", "validation, own scale")
	if i := slices.Index(epochs, float64(best)); i >= 0 {
		g.dot("s1 dot", fmt.Sprintf("epoch %d: validation %.4g, the best", best, values[i]), epochs[i], values[i])
	}
	g.y = kept
}

// unitsPlot draws the active units by epoch.
func unitsPlot(t eval.Training) *plot {
	var epochs, units []float64
	for _, e := range t.Curve {
		epochs, units = append(epochs, float64(e.Epoch)), append(units, float64(e.ActiveUnits))
	}
	g := newPlot("third", "Active units of "+t.Model, "", 330, 220, margins{36, 14, 30, 44}, [2]float64{epochs[0], epochs[len(epochs)-1]}, [2]float64{0, max(float64(t.Latent), slices.Max(units), 1)})
	g.xTicks("epoch", ticks(g.x.min, g.x.max, 5), short)
	g.yTicks(fmt.Sprintf("active units of %d", t.Latent), ticks(0, g.y.max, 4), short)
	g.line("s1 line", "active units", epochs, units)
	g.dot("s1 dot", fmt.Sprintf("%.0f active units at the end", units[len(units)-1]), epochs[len(epochs)-1], units[len(units)-1])
	g.Desc = fmt.Sprintf("From %.0f to %.0f active units.", units[0], units[len(units)-1])
	return g
}

// klPlot draws what each latent unit carries, largest first.
func klPlot(d eval.Diagnostic) *plot {
	units := slices.Clone(d.KLByUnit)
	slices.SortFunc(units, func(a, b float64) int { return compareFloats(b, a) })
	g := newPlot("third", "KL by latent unit of "+d.Model, fmt.Sprintf("Largest %.3g nats, smallest %.3g.", units[0], units[len(units)-1]),
		330, 220, margins{44, 14, 30, 44}, [2]float64{0, float64(len(units))}, [2]float64{0, max(units[0]*1.05, 1e-9)})
	g.yTicks("KL, nats", ticks(0, g.y.max, 5), short)
	g.xTicks("latent units, largest first", ticks(0, g.x.max, 6), short)
	g.steps("s1 area", 0, 1, units)
	return g
}
