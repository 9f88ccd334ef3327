package eval

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// textWidth is the widest line that [WriteText] writes, in characters.
const textWidth = 110

// WriteText writes the result as tables for people: every selector with its
// interval and paired differences, accuracy by k, each model alone, diagnostics
// and warnings. All figures but p and AUROC are percent or points.
func WriteText(w io.Writer, r *Result) error {
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

func writePool(b *strings.Builder, p Pool) {
	size := fmt.Sprint(p.K)
	if p.KMin > 0 {
		size = fmt.Sprintf("%d to %d", p.KMin, p.K)
	}
	title := fmt.Sprintf("%s: %d questions, %s candidates each", orElse(p.Pool, "pool"), p.Questions, size)
	if p.Sampler != "" {
		title += ", sampler " + p.Sampler
	}
	if p.Grader != "" {
		title += ", grader " + p.Grader
	}
	wrap(b, "", title)
	fmt.Fprintf(b, "mean@1 %s   majority %s   pass@%d %s   (percent; [95 %% paired bootstrap interval over questions])\n\n",
		percent(p.MeanAt1), percent(p.Majority), p.K, percent(p.PassAtK))
	writeSelectors(b, p.Selectors)
	writeByK(b, p.ByK)
	writeSeeds(b, p)
	writeDiagnostics(b, p)
	if len(p.Warnings) > 0 {
		b.WriteString("\n")
	}
	for _, warning := range p.Warnings {
		wrap(b, "warning: ", warning)
	}
}

func writeSelectors(b *strings.Builder, selectors []Selector) {
	timed := false
	for _, s := range selectors {
		timed = timed || s.MicrosPerQuestion > 0
	}
	fmt.Fprintf(b, "%-24s %5s %-14s %7s  %-22s %7s %6s %6s", "selector", "acc", "", "vs mean", "   vs majority", "p", "AUROC", "no ans")
	if timed {
		fmt.Fprintf(b, " %8s", "µs")
	}
	b.WriteString("\n")
	for _, s := range selectors {
		fmt.Fprintf(b, "%-24s %5s %-14s %7s  %-22s %7s %6s %6d", cut(s.Name, 24), percent(s.Accuracy), interval(s.CI95, 1),
			points(s.VsMean.Diff), difference(s.VsMajority), pValue(s.VsMajority.P), area(s.AUROC), s.NoAnswer)
		if timed {
			fmt.Fprintf(b, " %8.1f", s.MicrosPerQuestion)
		}
		b.WriteString("\n")
	}
}

// writeByK writes accuracy and difference to majority, three sizes abreast.
func writeByK(b *strings.Builder, byK []AtK) {
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
func writeSeeds(b *strings.Builder, p Pool) {
	if len(p.Seeds) == 0 {
		return
	}
	b.WriteString("\neach model alone        accuracy (vs majority)\n")
	for i, s := range p.Seeds[0].Selectors {
		var line strings.Builder
		fmt.Fprintf(&line, "%-23s", cut(s.Name, 23))
		for _, seed := range p.Seeds {
			cell := fmt.Sprintf(" %s (%s)", percent(seed.Selectors[i].Accuracy), strings.TrimSpace(points(seed.Selectors[i].VsMajority.Diff)))
			if utf8.RuneCountInString(line.String()+cell) > textWidth {
				fmt.Fprintf(b, "%s\n", line.String())
				line.Reset()
				fmt.Fprintf(&line, "%-23s", "")
			}
			line.WriteString(cell)
		}
		fmt.Fprintf(b, "%s\n", line.String())
	}
}

func writeDiagnostics(b *strings.Builder, p Pool) {
	if len(p.Diagnostics) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%-48s %12s %10s %24s\n", "model", "active units", "KL (nats)", "entropy spread (nats)")
	for _, d := range p.Diagnostics {
		fmt.Fprintf(b, "%-48s %12s %10.3g %24.3g\n", cut(d.Model, 48), fmt.Sprintf("%d of %d", d.ActiveUnits, d.LatentDim), d.KL, d.EntropySD)
	}
	for _, d := range p.Diagnostics {
		if d.Unfamiliar != nil {
			wrap(b, "", fmt.Sprintf("%s: %s %% of the candidates are unlike its training data (their scores do not count in votes), and all candidates of %s %% of the questions (majority votes)",
				d.Model, percent(*d.Unfamiliar), percent(*d.UnfamiliarQuestions)))
		}
	}
	if p.SeedAgreement != nil {
		fmt.Fprintf(b, "agreement of the models' entropies inside a question: Spearman %.2f\n", *p.SeedAgreement)
	}
}

func percent(x float64) string { return fmt.Sprintf("%.1f", 100*x) }

func points(x float64) string { return fmt.Sprintf("%+.2f", 100*x) }

func interval(ci Interval, digits int) string {
	return fmt.Sprintf("[%.*f, %.*f]", digits, 100*ci[0], digits, 100*ci[1])
}

// difference shows two digits of a point where the interval is narrow.
func difference(c Comparison) string {
	digits := 2
	if max(-c.CI95[0], c.CI95[1]) >= 0.0995 {
		digits = 1
	}
	return fmt.Sprintf("%6s %s", points(c.Diff), interval(c.CI95, digits))
}

func pValue(p float64) string {
	if p < 0.0001 {
		return "<0.0001"
	}
	return fmt.Sprintf("%.4f", p)
}

func area(x *float64) string {
	if x == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f", *x)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// cut shortens s to n characters, keeping its end, where file names differ.
func cut(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return "…" + string(runes[len(runes)-n+1:])
}

// wrap writes text in lines of at most textWidth, the first with a prefix and the
// others indented by its width.
func wrap(b *strings.Builder, prefix, text string) {
	line, indent := prefix, strings.Repeat(" ", len(prefix))
	empty := true
	for word := range strings.FieldsSeq(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth {
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
