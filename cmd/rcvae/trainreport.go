package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"rcvae/cvae"
	"rcvae/eval"
	"rcvae/train"
)

// trainReport is the output of 'train --json'.
type trainReport struct {
	Model   string         `json:"model"`
	Summary cvae.Summary   `json:"summary"`
	HeldOut *train.HeldOut `json:"held_out,omitempty"`
}

// write prints what was trained and what it is worth.
func (r trainReport) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	writeSummary(table, r.Summary)
	if err := table.Flush(); err != nil {
		return err
	}
	warnings := r.Summary.Warnings
	if r.HeldOut != nil {
		writeHeldOut(w, r.HeldOut)
		warnings = slices.Concat(r.HeldOut.Warnings, warnings)
	}
	for _, warning := range warnings {
		fmt.Fprintf(w, "\nwarning: %s\n", warning)
	}
	return nil
}

func writeHeldOut(w io.Writer, h *train.HeldOut) {
	fmt.Fprintf(w, "\nOn %d held-out questions, up to %d candidates each, tau %.3g (mean@1 %.1f %%, majority %.1f %%):\n",
		h.Questions, h.K, h.Tau, 100*h.MeanAt1, 100*h.Majority)
	for _, s := range h.Selectors {
		fmt.Fprintf(w, "  %-18s %5.1f %%   against majority %s\n", s.Name, 100*s.Accuracy, pointsWithInterval(s.VsMajority))
	}
	chosen := "the best epoch"
	if h.Chosen {
		chosen += " and tau"
	}
	fmt.Fprintf(w, "  (they chose %s too, so the gain is a little high; 'rcvae eval' on other questions is the fair measure)\n", chosen)
}

// pointsWithInterval writes a difference in points.
func pointsWithInterval(c eval.Comparison) string {
	text := fmt.Sprintf("%+.1f points", 100*c.Diff)
	if c.CI95 == nil {
		return text
	}
	return text + fmt.Sprintf(" [%+.1f, %+.1f]", 100*c.CI95[0], 100*c.CI95[1])
}

// writeSummary writes the rows that train and inspect share.
func writeSummary(w io.Writer, s cvae.Summary) {
	stopped := ""
	if s.StoppedEarly {
		stopped = ", stopped early"
	}
	took := ""
	if s.Seconds > 0 {
		took = fmt.Sprintf(" in %.1f s", s.Seconds)
	}
	d := s.Diagnostics
	fmt.Fprintf(w, "trained on\t%d questions (%d with correct and incorrect candidates), %d candidates; %d questions held out\n", s.Questions, s.MixedQuestions, s.Candidates, s.HeldOut)
	fmt.Fprintf(w, "epochs\t%d%s, best %d%s\n", s.Epochs, took, s.BestEpoch, stopped)
	spread := ""
	if d.EntropySD != nil {
		spread = fmt.Sprintf(", entropy SD within a question %.3g nats", *d.EntropySD)
	}
	fmt.Fprintf(w, "latent\t%d of %d units active, KL %.3g nats%s\n", d.ActiveUnits, d.Latent, d.KL, spread)
}
