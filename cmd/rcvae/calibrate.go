package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"text/tabwriter"

	"rcvae"
	"rcvae/cvae"
	"rcvae/embed"
	"rcvae/eval"
	"rcvae/selector"
)

// Below this many held-out questions the differences between temperatures are
// noise, and the default is kept.
const calibrationQuestions = 400

// taus are the temperatures that calibration chooses from, the default first.
func taus() []float64 { return []float64{0.5, 0.25, 0.75, 1} }

// Below this many held-out questions with right and wrong samples, on which alone a
// weighted vote can differ from majority, even a gain of ten points among them lies
// inside its interval: the difference has a deviation of 0.3 to 0.35 there.
const comparableQuestions = 50

// heldOutResult says what the trained model is worth on questions it was not
// trained on.
type heldOutResult struct {
	Questions int             `json:"questions"`
	Mixed     int             `json:"mixed_questions"` // with right and wrong answered samples
	K         int             `json:"k"`               // most candidates of a question
	MeanAt1   float64         `json:"mean_at_1"`
	Majority  float64         `json:"majority"`
	Rows      []eval.Selector `json:"selectors"` // the weighted vote first
	Tau       float64         `json:"tau"`
	Warnings  []string        `json:"warnings,omitempty"` // for people
}

// calibrate chooses the model's τ on the held-out items of the corpus and measures it
// there; nil without such items. Ties go to the default.
func calibrate(ctx context.Context, model *cvae.Model, cache *embed.Cache, c *corpus) (*heldOutResult, error) {
	items := c.heldOut(model.Config())
	if len(items) == 0 {
		return nil, nil
	}
	score := "entropy"
	if model.Config().Objective == cvae.Ratio {
		score = "ratio"
	}
	grader, err := answerGrader(graderFromPool)
	if err != nil {
		return nil, err
	}
	sources := selector.Sources{Embedder: cache, Models: []rcvae.Model{model}, Grader: grader}
	config := eval.DefaultConfig()
	config.K, config.Selectors = nil, []string{"vote:" + score, "tiebreak:" + score, score}
	best, bestTau := (*eval.Pool)(nil), math.NaN()
	for _, tau := range taus() {
		config.Tau = tau
		result, err := eval.Run(ctx, config, questions(items), sources)
		if err != nil {
			return nil, fmt.Errorf("measure on held-out questions: %w", err)
		}
		pool := &result.Pools[0]
		if best == nil || pool.Selectors[0].Accuracy > best.Selectors[0].Accuracy {
			best, bestTau = pool, tau
		}
		if len(items) < calibrationQuestions {
			break
		}
	}
	if err := model.SetTau(bestTau); err != nil {
		return nil, err
	}
	held := &heldOutResult{
		Questions: best.Questions, Mixed: c.census(model.Config()).heldMixed, K: best.K,
		MeanAt1: best.MeanAt1, Majority: best.Majority, Rows: best.Selectors, Tau: bestTau,
	}
	held.Warnings = held.warnings()
	return held, nil
}

// warnings says in plain words when the weighted vote was worse than majority, and
// when there is too little to say so.
func (h *heldOutResult) warnings() []string {
	var out []string
	vote := h.Rows[0]
	if gain := vote.VsMajority; gain.Diff < 0 {
		chance := "which may be chance"
		if gain.CI95[1] < 0 {
			chance = "which is more than chance"
		}
		out = append(out, fmt.Sprintf("majority was better on the held-out questions: %s is %+.1f points [%+.1f, %+.1f] against it, %s; try more training questions, samples of the language model that you will use, or --selector majority",
			vote.Name, 100*gain.Diff, 100*gain.CI95[0], 100*gain.CI95[1], chance))
	}
	if h.Mixed < comparableQuestions {
		out = append(out, fmt.Sprintf("only %d held-out questions have right and wrong samples, too few for the interval to say anything: about %d are needed; measure the gain with 'rcvae eval' on a larger pool",
			h.Mixed, comparableQuestions))
	}
	return out
}

// trainReport is the output of 'train --json'.
type trainReport struct {
	Model    string         `json:"model"`
	Summary  cvae.Summary   `json:"summary"`
	HeldOut  *heldOutResult `json:"held_out,omitempty"`
	Ungraded int            `json:"ungraded,omitempty"` // solutions left out
}

// finish shows what the model is worth and then writes it. As JSON everything comes in
// one piece when the file is there.
func (t *training) finish(model *cvae.Model, report trainReport) error {
	w := t.cmd.OutOrStdout()
	asJSON, _ := t.cmd.Flags().GetBool("json")
	if !asJSON {
		if err := report.write(w); err != nil {
			return err
		}
	}
	if err := model.Save(t.out); err != nil {
		return err
	}
	if err := os.Remove(t.checkpoint()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the checkpoint of the finished training: %w", err)
	}
	if asJSON {
		return printJSON(t.cmd, report)
	}
	fmt.Fprintf(w, "\nmodel written to %s\n", t.out)
	return nil
}

// write prints what was trained and what it is worth.
func (r trainReport) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	writeSummary(table, r.Summary)
	if r.Ungraded > 0 {
		fmt.Fprintf(table, "left out\t%d solutions that are empty or not graded\n", r.Ungraded)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	warnings := r.Summary.Warnings
	if r.HeldOut != nil {
		r.HeldOut.write(w)
		warnings = slices.Concat(r.HeldOut.Warnings, warnings)
	}
	for _, warning := range warnings {
		fmt.Fprintf(w, "\nwarning: %s\n", warning)
	}
	return nil
}

func (h *heldOutResult) write(w io.Writer) {
	fmt.Fprintf(w, "\nOn %d held-out questions, up to %d candidates each, tau %.3g (mean@1 %.1f %%, majority %.1f %%):\n",
		h.Questions, h.K, h.Tau, 100*h.MeanAt1, 100*h.Majority)
	for _, s := range h.Rows {
		fmt.Fprintf(w, "  %-18s %5.1f %%   against majority %+.1f points [%+.1f, %+.1f]\n", s.Name, 100*s.Accuracy,
			100*s.VsMajority.Diff, 100*s.VsMajority.CI95[0], 100*s.VsMajority.CI95[1])
	}
	chosen := "the best epoch"
	if h.Questions >= calibrationQuestions {
		chosen += " and tau"
	}
	fmt.Fprintf(w, "  (they chose %s too, so the gain is a little high; 'rcvae eval' on other questions is the fair measure)\n", chosen)
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
	fmt.Fprintf(w, "trained on\t%d questions (%d with right and wrong samples), %d samples; %d questions held out\n", s.Questions, s.MixedQuestions, s.Samples, s.HeldOut)
	fmt.Fprintf(w, "epochs\t%d%s, best %d%s\n", s.Epochs, took, s.BestEpoch, stopped)
	fmt.Fprintf(w, "latent\t%d of %d units active, KL %.3g nats, entropy SD within a question %.3g nats\n", d.ActiveUnits, d.Latent, d.KL, d.Spread)
}
