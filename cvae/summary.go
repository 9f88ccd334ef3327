package cvae

import (
	"fmt"
	"slices"
)

// Summary says how a model was trained and what came of it.
type Summary struct {
	Objective      string      `json:"objective"`
	Epochs         int         `json:"epochs"`          // run
	BestEpoch      int         `json:"best_epoch"`      // whose weights the model has; from 1
	StoppedEarly   bool        `json:"stopped_early"`   // no better validation value for Config.Patience epochs
	Questions      int         `json:"questions"`       // trained on
	HeldOut        int         `json:"held_out"`        // questions held out for validation
	MixedQuestions int         `json:"mixed_questions"` // trained on, with right and wrong answered samples
	Samples        int         `json:"samples"`         // of the questions trained on
	Seconds        float64     `json:"seconds"`         // spent in training; 0 in a loaded model
	Curve          []EpochLog  `json:"curve"`           // one an epoch
	Diagnostics    Diagnostics `json:"diagnostics"`
	Warnings       []string    `json:"warnings,omitempty"` // for people
}

// EpochLog is the line of one epoch in the training log. Means are per sample;
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

// Diagnostics say whether the latent carries anything.
type Diagnostics struct {
	ActiveUnits int       `json:"active_units"`         // latent dimensions whose posterior mean varies by more than 0.01
	Latent      int       `json:"latent"`               // d
	KL          float64   `json:"kl_nats"`              // mean over the samples
	KLByUnit    []float64 `json:"kl_nats_by_dimension"` // (d), means over the samples
	// Spread is the mean over questions of the standard deviation of the posterior
	// entropy over the question's solutions, in nats; 0 when no question has two.
	Spread    float64 `json:"entropy_sd_within_question"`
	Questions int     `json:"questions"` // measured on
	Samples   int     `json:"samples"`   // measured on
	Collapsed bool    `json:"collapsed"` // no active unit: the posterior is the prior for every solution
}

// JudgeMixed says in words what model n training questions with right and wrong
// answered samples make, and whether n is enough. About 750 of GSM8K's questions
// train nearly as good a model as 3,000; about 180 do not.
func JudgeMixed(n int) (verdict string, enough bool) {
	if n < 500 {
		return "a weak model; about 500 are needed, 1,000 are better", false
	}
	return "enough for a good model", true
}

// warnings returns what people should know about a trained model.
func (s Summary) warnings(c Config) []string {
	var out []string
	d := s.Diagnostics
	switch {
	case d.Collapsed:
		remedy := "lower beta, set learn_variance and standardize, or"
		if c.grouped() {
			remedy = "lower beta and the learning rate, or give more questions, and"
		}
		out = append(out, fmt.Sprintf("the posterior has collapsed: 0 of %d latent units are active (KL %.3g nats), so the encoder ignores the solution and its entropy cannot tell candidates apart; %s train the objective %s on a pool of graded samples",
			d.Latent, d.KL, remedy, Contrastive))
	case 10*d.ActiveUnits < d.Latent:
		out = append(out, fmt.Sprintf("only %d of %d latent units are active (KL %.3g nats): a smaller latent or a lower beta uses the latent better", d.ActiveUnits, d.Latent, d.KL))
	}
	if !c.grouped() {
		out = append(out, fmt.Sprintf("objective %s never sees a wrong solution, so its entropy is not expected to tell right from wrong; train the objective %s on a pool of graded samples for that", c.Objective, Contrastive))
	}
	if verdict, enough := JudgeMixed(s.MixedQuestions); c.listwise() && !enough {
		out = append(out, fmt.Sprintf("only %d questions have right and wrong samples: expect %s", s.MixedQuestions, verdict))
	}
	if n := len(s.Curve); n > 0 && s.Curve[n-1].Validation == nil {
		out = append(out, "no held-out question could be compared: the last epoch's weights were kept; give more questions or raise holdout")
	}
	return out
}
