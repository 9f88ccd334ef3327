package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"rcvae/eval"
)

const (
	tableWidth = 110 // of the widest line in characters
	undefined  = "–" // stands for a figure that is not there
)

// writeTable writes the result as tables for people: what was left out, every selector
// with its interval and paired differences, accuracy by k, each model alone, and
// diagnostics. All figures but p and AUROC are percent or points.
func writeTable(w io.Writer, r *eval.Result) error {
	var b strings.Builder
	for i, p := range r.Pools {
		if i > 0 {
			b.WriteString("\n")
		}
		writePool(&b, p)
	}
	for line := range strings.Lines(b.String()) {
		if _, err := io.WriteString(w, strings.TrimRight(line, " \n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func writePool(b *strings.Builder, p eval.Pool) {
	size := fmt.Sprint(p.K)
	if p.KMin > 0 {
		size = fmt.Sprintf("%d to %d", p.KMin, p.K)
	}
	title := fmt.Sprintf("%s: %d questions, %s candidates each", cmp.Or(p.Pool, "pool"), p.Questions, size)
	if p.Distinct < p.Questions {
		title = fmt.Sprintf("%s: %d questions (%d distinct), %s candidates each", cmp.Or(p.Pool, "pool"), p.Questions, p.Distinct, size)
	}
	if p.Sampler != "" {
		title += ", sampler " + p.Sampler
	}
	if p.Grader != "" {
		title += ", grader " + p.Grader
	}
	wrap(b, "", title)
	for _, warning := range p.Warnings {
		wrap(b, "note: ", warning)
	}
	for _, at := range p.ByK {
		for _, warning := range at.Warnings {
			wrap(b, "note: ", fmt.Sprintf("k = %d: %s", at.K, warning))
		}
	}
	fmt.Fprintf(b, "mean@1 %s   majority %s   pass@%d %s   (percent; [95 %% paired bootstrap interval over questions])\n\n",
		percent(p.MeanAt1), percent(p.Majority), p.K, percent(p.PassAtK))
	writeSelectors(b, p.Selectors)
	writeByK(b, p.ByK)
	writeSeeds(b, p)
	writeDiagnostics(b, p)
}

// writeSelectors writes a line per rule. The column gap is the share of the way from the
// majority vote to pass@k.
func writeSelectors(b *strings.Builder, selectors []eval.Selector) {
	width, timed := 24, false
	for _, s := range selectors {
		if s.MicrosPerQuestion > 0 {
			width, timed = 23, true
		}
	}
	fmt.Fprintf(b, "%-*s %5s %-14s %7s  %-22s %6s %6s %6s %6s", width, "selector", "acc", "", "vs mean", "   vs majority", "p", "gap", "AUROC", "no ans")
	if timed {
		fmt.Fprintf(b, " %5s", "µs")
	}
	b.WriteString("\n")
	for _, s := range selectors {
		fmt.Fprintf(b, "%-*s %5s %-14s %7s  %-22s %6s %6s %6s %6.0f", width, cut(s.Name, width), percent(s.Accuracy), interval(s.CI95, 1),
			points(s.VsMean.Diff), difference(s.VsMajority), pValue(s.VsMajority.P), optional(s.GapShare.Share, 100, "%+.0f %%"),
			optional(s.AUROC, 1, "%.3f"), s.NoAnswer)
		if timed {
			fmt.Fprintf(b, " %5.0f", s.MicrosPerQuestion)
		}
		b.WriteString("\n")
	}
}

// writeByK writes accuracy and difference to majority, three sizes abreast.
func writeByK(b *strings.Builder, byK []eval.AtK) {
	const abreast, nameWidth = 3, 23
	for len(byK) > 0 {
		block := byK[:min(abreast, len(byK))]
		byK = byK[len(block):]
		fmt.Fprintf(b, "\n%-*s", nameWidth, "by k (vs majority)")
		for _, at := range block {
			fmt.Fprintf(b, " %5s %-22s", "k =", fmt.Sprintf("%d (n = %d)", at.K, at.N))
		}
		b.WriteString("\n")
		fmt.Fprintf(b, "%-*s", nameWidth, "mean@1, pass@k")
		for _, at := range block {
			fmt.Fprintf(b, " %5s %-22s", percent(at.MeanAt1)+",", percent(at.PassAtK))
		}
		b.WriteString("\n")
		for i, s := range block[0].Selectors {
			fmt.Fprintf(b, "%-*s", nameWidth, cut(s.Name, nameWidth))
			for _, at := range block {
				fmt.Fprintf(b, " %5s %-22s", percent(at.Selectors[i].Accuracy), difference(at.Selectors[i].VsMajority))
			}
			b.WriteString("\n")
		}
	}
}

// writeSeeds writes a line for each rule with the models' accuracies side by side.
func writeSeeds(b *strings.Builder, p eval.Pool) {
	if len(p.Seeds) == 0 {
		return
	}
	b.WriteString("\neach model alone        accuracy (vs majority)\n")
	for i, s := range p.Seeds[0].Selectors {
		var line strings.Builder
		fmt.Fprintf(&line, "%-23s", cut(s.Name, 23))
		for _, seed := range p.Seeds {
			cell := fmt.Sprintf(" %s (%s)", percent(seed.Selectors[i].Accuracy), strings.TrimSpace(points(seed.Selectors[i].VsMajority.Diff)))
			if utf8.RuneCountInString(line.String()+cell) > tableWidth {
				fmt.Fprintf(b, "%s\n", line.String())
				line.Reset()
				fmt.Fprintf(&line, "%-23s", "")
			}
			line.WriteString(cell)
		}
		fmt.Fprintf(b, "%s\n", line.String())
	}
}

func writeDiagnostics(b *strings.Builder, p eval.Pool) {
	if len(p.Diagnostics) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%-48s %12s %10s %24s\n", "model", "active units", "KL (nats)", "entropy spread (nats)")
	for _, d := range p.Diagnostics {
		fmt.Fprintf(b, "%-48s %12s %10.3g %24s\n", cut(d.Model, 48), fmt.Sprintf("%d of %d", d.ActiveUnits, d.Latent), d.KL, optional(d.EntropySD, 1, "%.3g"))
	}
	for _, d := range p.Diagnostics {
		if d.OutOfDistribution != nil {
			wrap(b, "", fmt.Sprintf("%s: %s %% of the candidates are out-of-distribution, and all candidates of %s %% of the questions: in votes, signals and checked arithmetic stand in for the model",
				d.Model, percent(*d.OutOfDistribution), percent(*d.OutOfDistributionQuestions)))
		}
	}
	if p.SeedAgreement != nil {
		fmt.Fprintf(b, "agreement of the models' entropies inside a question: Spearman %.2f\n", *p.SeedAgreement)
	}
}

func percent(x float64) string { return fmt.Sprintf("%.1f", 100*x) }

func points(x float64) string { return fmt.Sprintf("%+.2f", 100*x) }

func interval(ci *eval.Interval, digits int) string {
	if ci == nil {
		return undefined
	}
	return fmt.Sprintf("[%.*f, %.*f]", digits, 100*ci[0], digits, 100*ci[1])
}

// difference shows two digits of a point where the interval is narrow.
func difference(c eval.Comparison) string {
	digits := 2
	if ci := c.CI95; ci != nil && max(-ci[0], ci[1]) >= 0.0995 {
		digits = 1
	}
	return fmt.Sprintf("%6s %s", points(c.Diff), interval(c.CI95, digits))
}

func pValue(p *float64) string {
	if p != nil && *p < 0.001 {
		return "<0.001"
	}
	return optional(p, 1, "%.3f")
}

// optional shows a figure, times unit, that may not be there.
func optional(x *float64, unit float64, format string) string {
	if x == nil {
		return undefined
	}
	return fmt.Sprintf(format, unit**x)
}

// cut shortens s to n characters, keeping its end, where file names differ.
func cut(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return "…" + string(runes[len(runes)-n+1:])
}

// wrap writes text in lines of at most tableWidth, the first with a prefix and the
// others indented by its width.
func wrap(b *strings.Builder, prefix, text string) {
	line, indent := prefix, strings.Repeat(" ", len(prefix))
	empty := true
	for word := range strings.FieldsSeq(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > tableWidth {
			b.WriteString(line + "\n")
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	b.WriteString(line + "\n")
}
