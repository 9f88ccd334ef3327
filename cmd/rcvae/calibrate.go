package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"rcvae"
	"rcvae/cvae"
	"rcvae/dataset"
	"rcvae/embed"
	"rcvae/eval"
	"rcvae/selector"
)

// Below this many held-out questions the differences between temperatures are
// noise, and the default is kept.
const calibrationQuestions = 400

// taus are the temperatures that calibration chooses from, the default first.
func taus() []float64 { return []float64{0.5, 0.25, 0.75, 1} }

// heldOutResult says what the trained model is worth on questions it was not
// trained on.
type heldOutResult struct {
	Questions int             `json:"questions"`
	K         int             `json:"k"` // most candidates of a question
	MeanAt1   float64         `json:"mean_at_1"`
	Majority  float64         `json:"majority"`
	Rows      []eval.Selector `json:"selectors"`
	Tau       float64         `json:"tau"`
}

// calibrate chooses the model's τ on held-out items and measures it there; nil
// without such items. Ties go to the default.
func calibrate(ctx context.Context, model *cvae.Model, cache *embed.Cache, items []dataset.Item) (*heldOutResult, error) {
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
	return &heldOutResult{
		Questions: best.Questions, K: best.K, MeanAt1: best.MeanAt1, Majority: best.Majority, Rows: best.Selectors, Tau: bestTau,
	}, nil
}

// trainReport is the output of 'train --json'.
type trainReport struct {
	Model    string         `json:"model"`
	Summary  cvae.Summary   `json:"summary"`
	HeldOut  *heldOutResult `json:"held_out,omitempty"`
	Ungraded int            `json:"ungraded,omitempty"` // solutions left out
}

// report prints what was trained and what it is worth.
func (t *training) report(model *cvae.Model, held *heldOutResult, c *corpus) error {
	summary := model.Summary()
	if asJSON, _ := t.cmd.Flags().GetBool("json"); asJSON {
		return printJSON(t.cmd, trainReport{t.out, summary, held, c.ungraded})
	}
	w := t.cmd.OutOrStdout()
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "model\t%s\n", t.out)
	writeSummary(table, summary)
	if c.ungraded > 0 {
		fmt.Fprintf(table, "left out\t%d solutions that are empty or not graded\n", c.ungraded)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if held != nil {
		held.write(w)
	}
	for _, warning := range summary.Warnings {
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
