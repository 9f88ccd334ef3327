package cvae

import (
	"fmt"
	"slices"

	"rcvae"
	"rcvae/internal/gemm"
)

// Summary says how a model was trained and what came of it.
type Summary struct {
	Objective      string            `json:"objective"`
	Epochs         int               `json:"epochs"`          // run
	BestEpoch      int               `json:"best_epoch"`      // whose weights the model has; from 1
	StoppedEarly   bool              `json:"stopped_early"`   // no better validation value for Config.Patience epochs
	Questions      int               `json:"questions"`       // trained on, by id
	HeldOut        int               `json:"held_out"`        // questions held out for validation, by id
	MixedQuestions int               `json:"mixed_questions"` // trained on, with correct and incorrect candidates that vote
	Candidates     int               `json:"candidates"`      // of the questions trained on
	Ungraded       int               `json:"ungraded"`        // candidates of all questions left out since they could not be graded
	Seconds        float64           `json:"seconds"`         // spent in training; 0 in a loaded model
	Curve          []EpochLog        `json:"curve"`           // one per epoch
	Diagnostics    rcvae.Diagnostics `json:"diagnostics"`     // over the questions trained on and held out
	Warnings       []string          `json:"warnings,omitempty"`
}

// EpochLog is the line of one epoch in the training log. Means are per candidate;
// recon, KL and validation are in nats, or in the units of Config.MeanSquared.
type EpochLog struct {
	Epoch        int      `json:"epoch"` // from 1
	Epochs       int      `json:"epochs"`
	Steps        int      `json:"steps"` // done since the start
	Loss         float64  `json:"loss"`
	Recon        float64  `json:"recon"`
	KL           float64  `json:"kl_nats"`
	Listwise     float64  `json:"listwise"`             // 0 without a listwise loss
	Validation   *float64 `json:"validation,omitempty"` // lower is better; nil without held-out questions
	ActiveUnits  int      `json:"active_units"`         // on the held-out questions, or without them on some others
	LearningRate float64  `json:"learning_rate"`        // of the last step
	Best         bool     `json:"best"`                 // the lowest validation value so far
	Seconds      float64  `json:"seconds"`              // since the start, without interruptions; 0 in a loaded model
}

// timeless returns the summary without times, which differ from run to run: equal
// seeds on equal data give equal files.
func (s Summary) timeless() Summary {
	s.Seconds, s.Curve = 0, slices.Clone(s.Curve)
	for i := range s.Curve {
		s.Curve[i].Seconds = 0
	}
	return s
}

// StepLog tells of one step, for progress bars.
type StepLog struct {
	Epoch, Epochs int // Epoch from 1
	Step, Steps   int // Step from 1, in the epoch
	Loss          float64
	LearningRate  float64
}

// EnoughMixed says in words what model n training questions with correct and incorrect
// candidates make, and whether n is enough. About 750 of GSM8K's questions train nearly
// as good a model as 3,000; about 180 do not.
func EnoughMixed(n int) (verdict string, enough bool) {
	if n < 500 {
		return "a weak model; about 500 are needed, 1,000 are better", false
	}
	return "enough for a good model", true
}

// warnings returns what people should know about a trained model.
func (s Summary) warnings(o Objective, listwise bool) []string {
	var out []string
	warn := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	d := s.Diagnostics
	switch text := d.Warning(); {
	case text != "" && o.Graded:
		warn("%s; lower beta and the learning rate, or give more questions", text)
	case text != "":
		warn("%s; lower beta, set learn_variance and standardize, or train the objective %s on a pool of graded candidates", text, Contrastive)
	case d.ActiveUnits > 0 && 10*d.ActiveUnits < d.Latent:
		warn("only %d of %d latent units are active (KL %.3g nats): a smaller latent or a lower beta uses the latent better", d.ActiveUnits, d.Latent, d.KL)
	}
	if !o.Graded {
		warn("objective %s does not compare correct with incorrect solutions, so its entropy is not expected to tell them apart; train the objective %s on a pool of graded candidates for that", o.Name, Contrastive)
	}
	if verdict, enough := EnoughMixed(s.MixedQuestions); listwise && !enough {
		warn("only %d questions have correct and incorrect candidates: expect %s", s.MixedQuestions, verdict)
	}
	if s.Ungraded > 0 {
		warn("%d candidates could not be graded and were left out", s.Ungraded)
	}
	if n := len(s.Curve); n > 0 && s.Curve[n-1].Validation == nil {
		warn("no held-out question could be compared: the last epoch's weights were kept; give more questions or raise holdout")
	}
	return out
}

// diagnosed is about how many candidates a model is diagnosed on: of more, questions at
// even distances are taken.
const diagnosed = 20000

// diagnose measures the model's latent on the data.
func (m *Model) diagnose(pool *gemm.Pool, d *data) (rcvae.Diagnostics, error) {
	stride := max((len(d.candidates)+diagnosed-1)/diagnosed, 1)
	var chosen []question
	for i := 0; i < len(d.questions); i += stride {
		chosen = append(chosen, d.questions[i])
	}
	results, errs := make([][]rcvae.Inference, len(chosen)), make([]error, len(chosen))
	pool.Run(len(chosen), func(_, i int) {
		results[i], errs[i] = m.Infer(chosen[i].embedding, d.solutions(chosen[i:i+1]), false)
	})
	var sum rcvae.DiagnosticsSum
	for i, inferences := range results { // in order: the sums do not depend on the workers
		if errs[i] != nil {
			return rcvae.Diagnostics{}, fmt.Errorf("question %s: %w", chosen[i].id, errs[i])
		}
		posteriors := make([]rcvae.Posterior, len(inferences))
		for j := range inferences {
			posteriors[j] = inferences[j].Posterior
		}
		sum.Add(posteriors...)
	}
	return sum.Diagnostics(), nil
}

// solutions returns those of some questions, in order.
func (d *data) solutions(questions []question) []rcvae.Solution {
	n := 0
	for _, q := range questions {
		n += q.to - q.from
	}
	out := make([]rcvae.Solution, 0, n)
	for _, q := range questions {
		for _, x := range d.candidates[q.from:q.to] {
			out = append(out, x.solution)
		}
	}
	return out
}
