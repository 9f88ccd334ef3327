package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/cvae"
	"rcvae/dataset"
)

func newTrain() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train a model on solved problems or graded samples",
		Long: `Train a conditional VAE and write it to --out.

With --pool (graded samples of your language model on training questions) the default
objective is contrastive: the posterior's entropy learns to tell right from wrong
inside a question. With --problems alone (reference solutions) it is paper, the
literal objective, which is there to be studied: read docs/model.md before you use it.

Embeddings are cached; interrupted embedding continues when the command is run again,
interrupted training with --resume. One eighth of the questions is held out: they choose
the best epoch and, if they are 400 or more, tau, the temperature of weighted votes. The
gain on them is shown before the model is written. Of a pool with samples of several
samplers, those of the sampler with most samples are used.`,
		Example: `  rcvae train --pool train-pool.jsonl.gz --out model.rcvae
  rcvae train --problems train.jsonl.gz --out paper.rcvae --objective paper --seed 2`,
		Args: noArgs,
		RunE: runTrain,
	}
	f := cmd.Flags()
	f.StringArray("problems", nil, "`FILE` of problems with reference solutions (repeatable)")
	f.StringArray("pool", nil, "`FILE` of graded samples (repeatable)")
	f.String("out", "", "`FILE` to write the model to (required)")
	f.String("objective", "", "paper, authors, contrastive or ratio (default: contrastive with --pool, else paper)")
	f.Int("max-questions", 0, "use the first `N` questions of each file (0: all)")
	addSamplerFlag(cmd)
	f.Uint64("seed", 1, "seed of initialisation, shuffling, dropout and noise")
	f.Int("epochs", 0, "passes over the training questions (0: the objective's default)")
	f.Float64("lambda", -1, "weight of the listwise term (negative: the objective's default)")
	f.Float64("beta", -1, "weight of the KL term (negative: the objective's default)")
	f.Int("latent", 0, "dimensions of z (0: the objective's default)")
	f.IntSlice("hidden", nil, "widths of the hidden layers, for example 256 or 1024,1024")
	f.Bool("resume", false, "continue an interrupted training")
	f.String("log", "", "`FILE` for a JSON line an epoch (default: OUT.log.jsonl)")
	f.Bool("json", false, "print the training summary as JSON")
	addEmbedderFlags(cmd)
	embedder := f.Lookup("embedder")
	embedder.DefValue = ""
	embedder.Usage += " (default: " + trainEmbedder(cvae.Contrastive) + " for contrastive and ratio, " + trainEmbedder(cvae.Paper) + " for paper and authors)"
	return cmd
}

// training is one run of the train command.
type training struct {
	cmd      *cobra.Command
	out      string
	problems []rcvae.Problem
	pool     []dataset.Item
	config   cvae.Config
}

func runTrain(cmd *cobra.Command, _ []string) error {
	t, err := newTraining(cmd)
	if err != nil {
		return err
	}
	corpus := &corpus{}
	corpus.addProblems(t.problems)
	corpus.addPool(t.pool)
	if err := followEmbedder(cmd, trainEmbedder(t.config.Objective)); err != nil {
		return err
	}
	cache, err := openEmbedder(cmd)
	if err != nil {
		return err
	}
	defer cache.Close()
	t.config, err = trainConfig(cmd, t.config.Objective, cache.Fingerprint().Dimension)
	if err != nil {
		return err
	}
	if err := t.announce(corpus.census(t.config)); err != nil {
		return err
	}
	embeddings, err := embedAll(cmd.Context(), cmd, cache, corpus.texts())
	if err != nil {
		return err
	}
	model, err := t.run(cmd.Context(), corpus.data(embeddings), cache.Fingerprint())
	if err != nil {
		return err
	}
	held, err := calibrate(cmd.Context(), model, cache, corpus)
	if err != nil {
		return err
	}
	return t.finish(model, trainReport{t.out, model.Summary(), held, corpus.ungraded})
}

// announce says before the slow part whether the samples are enough to learn from. It
// is an error if they are not at all.
func (t *training) announce(n census) error {
	if !contrasts(t.config.Objective) || t.config.ListwiseWeight == 0 {
		return nil
	}
	if n.trainMixed == 0 {
		return fmt.Errorf("train: none of %d questions has both a right and a wrong answered sample, which objective %s learns from: draw more samples a question with 'rcvae sample' (a higher temperature helps)", n.train, t.config.Objective)
	}
	verdict, enough := cvae.JudgeMixed(n.trainMixed)
	if !enough {
		verdict += "; draw more with 'rcvae sample'"
	}
	note(t.cmd, "%d of %d questions have right and wrong samples, %d more are held out: %s", n.trainMixed, n.train, n.held, verdict)
	return nil
}

// newTraining reads flags and input files, and fails before the expensive part on
// whatever can be known to fail.
func newTraining(cmd *cobra.Command) (*training, error) {
	f := cmd.Flags()
	problems, _ := f.GetStringArray("problems")
	pools, _ := f.GetStringArray("pool")
	out, _ := f.GetString("out")
	objective, _ := f.GetString("objective")
	limit, _ := f.GetInt("max-questions")
	if out == "" {
		return nil, usagef("--out is missing: name the model file to write")
	}
	if len(problems)+len(pools) == 0 {
		return nil, usagef("nothing to train on: give --problems (reference solutions) or --pool (graded samples)")
	}
	if objective == "" {
		objective = cvae.Paper
		if len(pools) > 0 {
			objective = cvae.Contrastive
		}
	}
	if err := checkObjective(objective, len(problems) > 0, len(pools) > 0); err != nil {
		return nil, err
	}
	if err := checkWritable(out); err != nil {
		return nil, err
	}
	t := &training{cmd: cmd, out: out, config: cvae.Config{Objective: objective}}
	for _, path := range problems {
		ps, err := dataset.LoadProblems(path)
		if err != nil {
			return nil, err
		}
		if limit > 0 {
			ps = ps[:min(limit, len(ps))]
		}
		t.problems = append(t.problems, ps...)
	}
	for _, path := range pools {
		items, _, err := loadPool(cmd, path, limit)
		if err != nil {
			return nil, err
		}
		t.pool = append(t.pool, items...)
	}
	return t, nil
}

func checkObjective(objective string, problems, pools bool) error {
	if !slices.Contains(cvae.Objectives(), objective) {
		return usagef("unknown objective %q: use one of %s", objective, strings.Join(cvae.Objectives(), ", "))
	}
	if contrasts(objective) && !pools {
		return usagef("objective %s needs graded samples: give --pool", objective)
	}
	if !contrasts(objective) && !problems {
		return usagef("objective %s needs reference solutions: give --problems", objective)
	}
	return nil
}

// contrasts reports whether the objective learns from right and wrong samples.
func contrasts(objective string) bool {
	return objective == cvae.Contrastive || objective == cvae.Ratio
}

// checkWritable fails when the folder of path does not exist or path is a folder.
func checkWritable(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return usagef("--out %s is a folder; name a file", path)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("--out %s: the folder %s does not exist; make it first", path, filepath.Dir(path))
	}
	return nil
}

func trainConfig(cmd *cobra.Command, objective string, dimension int) (cvae.Config, error) {
	f := cmd.Flags()
	config := cvae.DefaultConfig(objective, dimension)
	config.Seed, _ = f.GetUint64("seed")
	if epochs, _ := f.GetInt("epochs"); epochs != 0 {
		config.Epochs = epochs
	}
	if lambda, _ := f.GetFloat64("lambda"); lambda >= 0 {
		config.ListwiseWeight = lambda
	}
	if beta, _ := f.GetFloat64("beta"); beta >= 0 {
		config.Beta = beta
	}
	if latent, _ := f.GetInt("latent"); latent != 0 {
		config.Latent = latent
	}
	if f.Changed("hidden") {
		config.Hidden, _ = f.GetIntSlice("hidden")
	}
	if err := config.Validate(); err != nil {
		return config, usageError{err}
	}
	return config, nil
}

func (t *training) checkpoint() string { return t.out + ".checkpoint" }

// run trains with a progress bar and a log line an epoch.
func (t *training) run(ctx context.Context, data cvae.Data, fp rcvae.Fingerprint) (*cvae.Model, error) {
	resume, _ := t.cmd.Flags().GetBool("resume")
	log, err := t.openLog(resume)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	provenance, err := json.Marshal(map[string]string{"command": commandLine(t.cmd), "commit": commit})
	if err != nil {
		return nil, err
	}
	bar := newProgress(t.cmd, "training", "steps")
	done := 0
	model, err := cvae.Train(ctx, t.config, data, cvae.Options{
		Fingerprint: fp,
		Checkpoint:  t.checkpoint(),
		Resume:      resume,
		Provenance:  provenance,
		OnStep: func(s cvae.StepLog) {
			done = (s.Epoch-1)*s.Steps + s.Step
			bar.update(done, s.Epochs*s.Steps)
		},
		OnEpoch: func(e cvae.EpochLog) {
			bar.note = fmt.Sprintf("loss %.4f, KL %.2f nats, %d active units", e.Loss, e.KL, e.ActiveUnits)
			writeLogLine(log, e)
		},
	})
	if errors.Is(err, context.Canceled) {
		return nil, fmt.Errorf("train: interrupted; the state is in %s, add --resume to the same command to continue", t.checkpoint())
	}
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	bar.done(done)
	return model, nil
}

func (t *training) openLog(resume bool) (*os.File, error) {
	path, _ := t.cmd.Flags().GetString("log")
	if path == "" {
		path = t.out + ".log.jsonl"
	}
	mode := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if resume {
		mode = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(path, mode, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the training log: %w", err)
	}
	return f, nil
}

func writeLogLine(w io.Writer, e cvae.EpochLog) {
	line, err := json.Marshal(e)
	if err == nil {
		_, _ = w.Write(append(line, '\n'))
	}
}
