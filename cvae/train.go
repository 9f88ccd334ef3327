package cvae

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"rcvae"
	"rcvae/internal/gemm"
)

// Options are what [Train] needs besides the config and the questions. But for the
// objective they do not change the weights.
type Options struct {
	Objective *Objective // one of your own, which Config.Objective names; nil: that of this package

	Fingerprint rcvae.Fingerprint // of the embedder that made the embeddings
	Provenance  json.RawMessage   // kept in the model file: command line, names of the data; any JSON value, or nil
	Workers     int               // goroutines; 0: GOMAXPROCS

	// EmbedderRecord is kept in the model file beside the fingerprint: how the embedder is
	// opened again and what it makes of known texts. Any JSON value, or nil.
	EmbedderRecord json.RawMessage

	Checkpoint string // file that the state is saved to after every epoch and when the context ends; "": none
	Resume     bool   // continue from Checkpoint if it exists; the weights become those of an uninterrupted run

	OnStep       func(StepLog)     // called after every step, if not nil
	OnResume     func([]EpochLog)  // called once with the epochs that the checkpoint holds, if not nil
	OnEpoch      func(EpochLog)    // called after every epoch, if not nil
	OnCheckpoint func(path string) // called after every save, if not nil
}

// Train fits a model to the candidates of the questions that the objective learns
// from; [Summary] counts what was left out. Questions are held out by
// [rcvae.HeldOut], so that those of one id are trained on or held out together.
// Embeddings and signals are read in place and must not change during training.
//
// The weights depend on the config and the questions alone (on one kind of machine).
// When the context ends before the training does, Train saves a checkpoint if it has a
// path for one, and returns the context's error.
func Train(ctx context.Context, config Config, questions []rcvae.Encoded, options Options) (*Model, error) {
	objective, err := options.check(config)
	if err != nil {
		return nil, err
	}
	data, err := newData(config, objective, questions)
	if err != nil {
		return nil, fmt.Errorf("training data: %w", err)
	}
	pool := gemm.NewPool(options.Workers)
	defer pool.Close()
	t, err := newTrainer(config, objective, data, options, pool)
	if err != nil {
		return nil, err
	}
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	return t.finish()
}

// check returns the objective, and reports options and settings that make no sense.
func (o Options) check(config Config) (Objective, error) {
	objective, err := LookupObjective(config.Objective)
	if o.Objective != nil {
		objective, err = *o.Objective, o.Objective.check()
		if err == nil && objective.Name != config.Objective {
			err = fmt.Errorf("objective %q is not that of the options, %q", config.Objective, objective.Name)
		}
	}
	if err := config.validate(objective, err); err != nil {
		return objective, err
	}
	if o.Provenance != nil && !json.Valid(o.Provenance) {
		return objective, errors.New("options: provenance is not JSON")
	}
	if o.EmbedderRecord != nil && !json.Valid(o.EmbedderRecord) {
		return objective, errors.New("options: the embedder's record is not JSON")
	}
	if d := o.Fingerprint.Dimension; d != 0 && d != config.Dimension {
		return objective, fmt.Errorf("options: the embedder has %d dimensions, the config %d", d, config.Dimension)
	}
	return objective, nil
}

// finish makes the model of the best weights.
func (t *trainer) finish() (*Model, error) {
	for i, v := range t.best {
		if v-v != 0 {
			return nil, fmt.Errorf("training: parameter %d became %v: lower learning_rate (%g)", i, v, t.config.LearningRate)
		}
	}
	m := newModel(t.objective, t.best, t.pass.inputs)
	m.fingerprint, m.record, m.provenance = t.options.Fingerprint, t.options.EmbedderRecord, t.options.Provenance
	noWhitening := m.fitWhitening(t.pool, t.data, t.train, t.held)
	diagnostics, err := m.diagnose(t.pool, t.data)
	if err != nil {
		return nil, fmt.Errorf("diagnose the trained model: %w", err)
	}
	m.summary = t.summary(diagnostics)
	m.summary.Warnings = m.summary.warnings(t.objective, t.listwise)
	if noWhitening != nil && t.objective.Graded {
		m.summary.Warnings = append(m.summary.Warnings, fmt.Sprintf("the model cannot tell out-of-distribution candidates, whose scores then count as any other's: %v", noWhitening))
	}
	return m, nil
}

func (t *trainer) summary(diagnostics rcvae.Diagnostics) Summary {
	s := Summary{
		Objective: t.config.Objective, Epochs: t.state.Epoch, BestEpoch: t.state.BestEpoch, StoppedEarly: t.state.Stopped,
		Ungraded: t.data.ungraded, Seconds: t.seconds(), Curve: t.state.Curve, Diagnostics: diagnostics,
	}
	s.Questions, s.MixedQuestions = distinct(t.train)
	s.HeldOut, _ = distinct(t.held)
	for _, q := range t.train {
		s.Candidates += q.to - q.from
	}
	return s
}
