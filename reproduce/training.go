package reproduce

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"rcvae"
	"rcvae/builtin"
	"rcvae/cvae"
	"rcvae/grade"
	"rcvae/signal"
	"rcvae/train"
)

// The names of the groups of models.
const (
	AsPublished = "paper"   // the literal objective, lowest entropy
	AsReleased  = "authors" // the released settings, smallest ‖μ‖
	Ours        = "ours"    // contrastive, with signals
)

// Group is the models of one training, which differ in their seeds.
type Group struct {
	Name   string
	Models []*cvae.Model
	Names  []string // of the models, for results
}

// Training says what the models are trained on.
type Training struct {
	Gold     []rcvae.Question // with reference solutions; empty: no published rule
	Pool     []rcvae.Question // graded samples of training questions; empty: the built-in model, where the embedder is its own
	Seeds    []uint64
	Epochs   int // 0: the objective's own
	Embedder rcvae.Embedder
	Record   json.RawMessage // of the embedder, for the model files; may be nil
	Folder   string          // where models are kept, so that a second run finds them

	OnModel func(name string)  // called before a model is trained; may be nil
	OnStep  func(cvae.StepLog) // called after every step; may be nil
}

// Groups trains the models, or reads those that an earlier run with the same data and
// settings has left in the folder. Warnings say what was left out.
func (t Training) Groups(ctx context.Context) (groups []Group, warnings []string, err error) {
	add := func(name, objective string, questions []rcvae.Question) error {
		group := Group{Name: name}
		for _, seed := range t.Seeds {
			model, err := t.model(ctx, objective, seed, questions)
			if err != nil {
				return fmt.Errorf("objective %s, seed %d: %w", objective, seed, err)
			}
			group.Models = append(group.Models, model)
			group.Names = append(group.Names, fmt.Sprintf("%s-%d", objective, seed))
		}
		groups = append(groups, group)
		return nil
	}
	if len(t.Gold) == 0 {
		warnings = append(warnings, "the published rules are left out: they need training problems with reference solutions")
	} else if err := errors.Join(add(AsPublished, cvae.Paper, t.Gold), add(AsReleased, cvae.Authors, t.Gold)); err != nil {
		return nil, nil, err
	}
	if len(t.Pool) > 0 {
		return groups, warnings, add(Ours, cvae.Contrastive, t.Pool)
	}
	model, err := builtin.Open(builtin.Math)
	if err != nil {
		return nil, nil, err
	}
	if fp := t.Embedder.Fingerprint(); !model.Info().Fingerprint.Same(fp) {
		return groups, append(warnings, fmt.Sprintf("the built-in model is left out: it reads %v and not %v; give graded samples of training questions to train one", model.Info().Fingerprint, fp)), nil
	}
	return append(groups, Group{Ours, []*cvae.Model{model}, []string{builtin.Math}}), warnings, nil
}

// model trains one model, or reads it.
func (t Training) model(ctx context.Context, objective string, seed uint64, questions []rcvae.Question) (*cvae.Model, error) {
	config, err := t.config(objective, seed)
	if err != nil {
		return nil, err
	}
	key, err := keyOf(config, t.Embedder.Fingerprint(), questions)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(t.Folder, fmt.Sprintf("%s-%d.rcvae", objective, seed))
	if model, err := t.kept(path, key); model != nil || err != nil {
		return model, err
	}
	if t.OnModel != nil {
		t.OnModel(fmt.Sprintf("%s, seed %d", objective, seed))
	}
	provenance, err := json.Marshal(provenance{key})
	if err != nil {
		return nil, err
	}
	grader, err := grade.New(kinds[MATH][Honest])
	if err != nil {
		return nil, err
	}
	checkpoint := path + "." + key[:12] + ".checkpoint" // of this training and no other
	result, err := train.Run(ctx, config, questions, train.Options{
		Embedder: t.Embedder, Grader: grader,
		Options: cvae.Options{Provenance: provenance, EmbedderRecord: t.Record, Checkpoint: checkpoint, Resume: true, OnStep: t.OnStep},
	})
	if err != nil {
		return nil, err
	}
	if err := result.Model.Save(path); err != nil {
		return nil, err
	}
	if err := os.Remove(checkpoint); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the checkpoint of a finished training: %w", err)
	}
	return result.Model, nil
}

func (t Training) config(objective string, seed uint64) (cvae.Config, error) {
	o, err := cvae.LookupObjective(objective)
	if err != nil {
		return cvae.Config{}, err
	}
	var columns []signal.Column
	if o.Graded {
		columns = signal.Columns()
	}
	config := train.Config(o, t.Embedder.Fingerprint().Dimension, columns...)
	config.Seed = seed
	if t.Epochs > 0 {
		config.Epochs = t.Epochs
	}
	return config, nil
}

// provenance is what a model file says of its training.
type provenance struct {
	Key string `json:"reproduce"`
}

// kept returns the model at path if it is that of the key, and nil if it is not.
func (t Training) kept(path, key string) (*cvae.Model, error) {
	model, err := cvae.Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w; remove the file to train the model again", err)
	}
	var p provenance
	if json.Unmarshal(model.Provenance(), &p) != nil || p.Key != key {
		return nil, nil // of other data or settings: it is replaced
	}
	return model, nil
}

// keyOf names a training by all that its result depends on.
func keyOf(config cvae.Config, fp rcvae.Fingerprint, questions []rcvae.Question) (string, error) {
	h := sha256.New()
	e := json.NewEncoder(h)
	if err := errors.Join(e.Encode(config), e.Encode(fp.ID())); err != nil {
		return "", err
	}
	for _, q := range questions {
		row := []string{q.ID, q.Question}
		for _, c := range q.Candidates {
			row = append(row, c.Text, c.Answer, c.Verdict.String())
		}
		if err := e.Encode(row); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
