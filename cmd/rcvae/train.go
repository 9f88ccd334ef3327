package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/cvae"
	"rcvae/dataset"
	"rcvae/internal/gemm"
	"rcvae/internal/scratch"
)

func newTrain() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train a model on graded candidates or solved problems",
		Long: `Train a conditional VAE and write it to --out.

With --pool (graded candidates of your language model on training questions) the default
objective is contrastive: the posterior's entropy learns to tell correct from incorrect
inside a question. With --problems alone (reference solutions) it is paper, the literal
objective, which is there to be studied: read docs/model.md before you use it.

Embeddings are cached; interrupted embedding continues when the command is run again,
interrupted training with --resume. One eighth of the questions is held out, chosen by a
hash of the id, so that a question is held out in every pool: they choose the best epoch
and, if they are 400 or more, tau, the temperature of weighted votes. The gain on them is
shown before the model is written. Of a pool with candidates of several samplers, those
of the sampler with most candidates are used.`,
		Example: `  rcvae train --pool train-pool.jsonl.gz --out model.rcvae
  rcvae train --problems train.jsonl.gz --out paper.rcvae --objective paper --seed 2`,
		Args: noArgs,
		RunE: runTrain,
	}
	f := cmd.Flags()
	f.StringArray("problems", nil, "`FILE` of problems with reference solutions (repeatable)")
	f.StringArray("pool", nil, "`FILE` of graded candidates (repeatable)")
	f.String("out", "", "`FILE` to write the model to (required)")
	f.String("objective", "", strings.Join(cvae.Objectives(), ", ")+" (default: contrastive with --pool, else paper)")
	f.Int("max-questions", 0, "use the first `N` questions of each file (0: all)")
	addSamplerFlag(cmd)
	addGraderFlag(cmd)
	addSignalsFlag(cmd)
	f.Uint64("seed", 1, "seed of initialisation, shuffling, dropout and noise")
	f.Int("epochs", 0, "passes over the training questions (0: the objective's default)")
	f.Float64("lambda", -1, "weight of the listwise term (negative: the objective's default)")
	f.Float64("beta", -1, "weight of the KL term (negative: the objective's default)")
	f.Float64("holdout", -1, "share of the questions that is held out (negative: the objective's default)")
	f.Int("latent", 0, "dimensions of z (0: the objective's default)")
	f.IntSlice("hidden", nil, "widths of the hidden layers, for example 256 or 1024,1024; 0 for none")
	f.String("precision", cvae.Float32, "of matrix products: "+cvae.Float32+", or "+cvae.BFloat16+", which rounds their factors to bfloat16 and is faster on processors with AVX512_BF16")
	f.Bool("resume", false, "continue an interrupted training, if there is one; false starts anew in its place")
	f.String("log", "", "`FILE` for a JSON line per epoch (default: OUT.log.jsonl)")
	f.Bool("json", false, "print the training summary as JSON")
	addWorkersFlags(cmd)
	addEmbedderFlags(cmd, "minilm-math for objectives that learn from graded candidates, minilm for the others")
	return cmd
}

func runTrain(cmd *cobra.Command, _ []string) error {
	out, objective, err := trainTarget(cmd)
	if err != nil {
		return err
	}
	space := scratch.New(scratch.InMemory)
	defer space.Close()
	questions, err := trainQuestions(cmd, objective, space)
	if err != nil {
		return err
	}
	embedder, err := openTrainEmbedder(cmd, objective)
	if err != nil {
		return err
	}
	defer embedder.Close()
	config, err := trainConfig(cmd, objective, embedder.Fingerprint().Dimension)
	if err != nil {
		return err
	}
	release, err := lockOutputs(cmd, out, trainLogOf(cmd, out))
	if err != nil {
		return err
	}
	defer release()
	if err := checkCheckpoint(cmd, out); err != nil {
		return err
	}
	if err := announce(cmd, questions, objective, config); err != nil {
		return err
	}
	result, err := trainModel(cmd, out, config, questions, embedder)
	if err != nil {
		return err
	}
	return finishTraining(cmd, out, result)
}

// trainTarget reads --out and --objective, and fails before the expensive part on
// whatever can be known to fail.
func trainTarget(cmd *cobra.Command) (out string, objective cvae.Objective, err error) {
	f := cmd.Flags()
	problems, _ := f.GetStringArray("problems")
	pools, _ := f.GetStringArray("pool")
	name, _ := f.GetString("objective")
	if out, _ = f.GetString("out"); out == "" {
		return "", objective, usagef("--out is missing: name the model file to write")
	}
	if len(problems)+len(pools) == 0 {
		return "", objective, usagef("nothing to train on: give --problems (reference solutions) or --pool (graded candidates)")
	}
	if name == "" {
		name = cvae.Paper
		if len(pools) > 0 {
			name = cvae.Contrastive
		}
	}
	if objective, err = cvae.LookupObjective(name); err != nil {
		return "", objective, usageError{err}
	}
	if objective.Graded && len(pools) == 0 {
		return "", objective, usagef("objective %s needs graded candidates: give --pool", name)
	}
	return out, objective, checkOutputs(cmd, append(problems, pools...)...)
}

// trainQuestions reads all files, whose texts lie in the space. Reference solutions become
// questions with one correct candidate.
func trainQuestions(cmd *cobra.Command, objective cvae.Objective, space *scratch.Space) ([]rcvae.Question, error) {
	f := cmd.Flags()
	limit, _ := f.GetInt("max-questions")
	problems, _ := f.GetStringArray("problems")
	pools, _ := f.GetStringArray("pool")
	var questions []rcvae.Question
	for _, path := range problems {
		list, err := dataset.LoadProblems(path)
		if err != nil {
			return nil, err
		}
		if limit > 0 {
			list = list[:min(limit, len(list))]
		}
		without := 0
		for _, p := range list {
			if p.Solution == "" {
				without++
				continue
			}
			q := rcvae.Reference(p)
			if err := space.Question(&q); err != nil {
				return nil, err
			}
			questions = append(questions, q)
		}
		if without > 0 {
			note(cmd, "%s: %d of %d problems have no reference solution and are left out", poolName(path), without, len(list))
		}
	}
	for _, path := range pools {
		list, _, err := loadPool(cmd, path, limit, space)
		if err != nil {
			return nil, err
		}
		questions = append(questions, list...)
	}
	if len(problems)+len(pools) > 1 { // of one file loadPool has said it
		noteDoubled(cmd, "together", questions)
	}
	if len(questions) == 0 {
		return nil, fmt.Errorf("train: nothing is left to train the objective %s on", objective.Name)
	}
	return questions, nil
}

func trainConfig(cmd *cobra.Command, objective cvae.Objective, dimension int) (cvae.Config, error) {
	f := cmd.Flags()
	config, err := withSignals(cmd, objective, dimension)
	if err != nil {
		return config, err
	}
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
	if holdout, _ := f.GetFloat64("holdout"); holdout >= 0 {
		config.Holdout = holdout
	}
	if latent, _ := f.GetInt("latent"); latent != 0 {
		config.Latent = latent
	}
	if f.Changed("hidden") {
		if config.Hidden, _ = f.GetIntSlice("hidden"); slices.Equal(config.Hidden, []int{0}) {
			config.Hidden = nil
		}
	}
	setPrecision(cmd, &config)
	if err := config.Validate(); err != nil {
		return config, usageError{err}
	}
	return config, nil
}

// setPrecision leaves the default out of the model file.
func setPrecision(cmd *cobra.Command, config *cvae.Config) {
	precision, _ := cmd.Flags().GetString("precision")
	if precision == cvae.Float32 {
		return
	}
	config.Precision = precision
	if precision == cvae.BFloat16 && !gemm.Rounds() {
		note(cmd, "the kernels %q multiply no bfloat16: with --precision bf16 factors are rounded first, which is slower than float32", gemm.Kernels())
	}
}

// announce says before the slow part whether the questions are enough to learn from. It
// is an error if they are not at all.
func announce(cmd *cobra.Command, questions []rcvae.Question, objective cvae.Objective, config cvae.Config) error {
	if !objective.Listwise || config.ListwiseWeight == 0 {
		return nil
	}
	all, mixed, held := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, q := range questions {
		if rcvae.HeldOut(q.ID, config.Holdout) {
			held[q.ID] = true
			continue
		}
		all[q.ID] = true
		if q.Mixed() {
			mixed[q.ID] = true
		}
	}
	if len(mixed) == 0 {
		return fmt.Errorf("train: none of %d questions has both a correct and an incorrect candidate, which objective %s learns from: draw more candidates per question with 'rcvae sample' (a higher temperature helps), or use --objective paper",
			len(all), objective.Name)
	}
	verdict, enough := cvae.EnoughMixed(len(mixed))
	if !enough {
		verdict += "; draw more with 'rcvae sample'"
	}
	note(cmd, "%d of %d questions have correct and incorrect candidates, %d more are held out: %s", len(mixed), len(all), len(held), verdict)
	return nil
}
