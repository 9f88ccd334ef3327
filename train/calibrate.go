package train

import (
	"context"
	"fmt"
	"slices"

	"rcvae"
	"rcvae/cvae"
	"rcvae/eval"
	"rcvae/selector"
)

// Below this many held-out questions the differences between values of τ are noise,
// and the default is kept.
const calibrationQuestions = 400

// Below this many held-out questions with correct and incorrect candidates, on which
// alone a weighted vote can differ from majority, even a gain of ten points among them
// lies inside its interval: the difference has a deviation of 0.3 to 0.35 there.
const comparableQuestions = 50

// taus returns the values of τ that calibration chooses from, in order; the default is
// kept where there are too few questions to choose by.
func taus(questions int) []float64 {
	if questions < calibrationQuestions {
		return []float64{0.5}
	}
	return []float64{0.25, 0.5, 0.75, 1, 1.5, 2}
}

// Accuracies that differ by less than this are noise between values of τ: on 1,500
// questions the difference has a standard error of 0.003 to 0.004. Of such the smallest
// is taken: it stays nearest to a majority vote where the model is wrong.
const tauTolerance = 0.005

// HeldOut says what a trained model is worth on questions that it was not trained on.
// They chose the best epoch and τ too, so the gain is a little high.
type HeldOut struct {
	Questions int             `json:"questions"`
	Mixed     int             `json:"mixed_questions"` // with correct and incorrect candidates
	K         int             `json:"k"`               // most candidates of a question
	MeanAt1   float64         `json:"mean_at_1"`
	Majority  float64         `json:"majority"`
	Selectors []eval.Selector `json:"selectors"` // the weighted vote first
	Tau       float64         `json:"tau"`
	Chosen    bool            `json:"tau_chosen"` // τ was chosen here, not only measured
	Warnings  []string        `json:"warnings,omitempty"`
}

// calibrate chooses the model's τ on the held-out questions and measures it there.
func calibrate(ctx context.Context, model *cvae.Model, questions []rcvae.Encoded, grader rcvae.Grader) (*Result, error) {
	if len(questions) == 0 {
		return &Result{Model: model}, nil
	}
	var tried []*Result
	best := 0.0
	for _, tau := range taus(len(questions)) {
		calibration := model.Info().Calibration
		calibration.Tau = tau
		r := &Result{Model: model.WithCalibration(calibration)}
		var err error
		if r.HeldOut, err = measure(ctx, r.Model, questions, grader); err != nil {
			return nil, fmt.Errorf("measure on %d held-out questions: %w", len(questions), err)
		}
		best = max(best, r.HeldOut.Selectors[0].Accuracy)
		tried = append(tried, r)
	}
	chosen := tried[slices.IndexFunc(tried, func(r *Result) bool { return r.HeldOut.Selectors[0].Accuracy >= best-tauTolerance })]
	chosen.HeldOut.Chosen = len(tried) > 1
	chosen.HeldOut.Warnings = chosen.HeldOut.warnings()
	return chosen, nil
}

// measure evaluates the model's vote, tie-break and pick on all candidates.
func measure(ctx context.Context, model *cvae.Model, questions []rcvae.Encoded, grader rcvae.Grader) (*HeldOut, error) {
	calibration := model.Info().Calibration
	config := eval.DefaultConfig()
	config.K = nil
	config.Selectors = []string{"vote:" + calibration.Score, "tiebreak:" + calibration.Score, calibration.Score}
	result, err := eval.RunEncoded(ctx, config, questions, selector.Sources{Models: []rcvae.Model{model}, Grader: grader})
	if err != nil {
		return nil, err
	}
	pool := result.Pools[0]
	h := &HeldOut{
		Questions: pool.Questions, K: pool.K, MeanAt1: pool.MeanAt1, Majority: pool.Majority,
		Selectors: pool.Selectors, Tau: calibration.Tau,
	}
	for _, q := range questions {
		if q.Mixed() {
			h.Mixed++
		}
	}
	return h, nil
}

// warnings says in plain words when the weighted vote was worse than majority, and
// when there is too little to say so.
func (h *HeldOut) warnings() []string {
	var out []string
	vote := h.Selectors[0]
	if gain := vote.VsMajority; gain.Diff < 0 {
		chance := "which may be chance"
		if gain.CI95 != nil && gain.CI95[1] < 0 {
			chance = "which is more than chance"
		}
		out = append(out, fmt.Sprintf("majority was better on the held-out questions: %s is %+.1f points against it, %s; try more training questions, samples of the language model that you will use, or --selector majority",
			vote.Name, 100*gain.Diff, chance))
	}
	if h.Mixed < comparableQuestions {
		out = append(out, fmt.Sprintf("only %d held-out questions have correct and incorrect candidates, too few for the interval to say anything: about %d are needed; measure the gain with 'rcvae eval' on a larger pool",
			h.Mixed, comparableQuestions))
	}
	return out
}
