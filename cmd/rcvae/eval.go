package main

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/embed"
	"rcvae/eval"
	"rcvae/internal/atomicfile"
	"rcvae/internal/scratch"
	"rcvae/selector"
	"rcvae/train"
)

func newEval() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "eval",
		Short: "Compare selection rules on pools of graded candidates",
		Long: `Measure every selection rule on pools of graded candidates: accuracy with a paired
bootstrap interval, the difference to a random candidate and to majority vote, the share
of the way from majority to pass@k, and accuracy against k, averaged over random subsets
of each question's candidates. Of a pool with candidates of several samplers, those of
the sampler with most candidates are used.

Several models of different seeds are averaged, and each is shown alone. Two runs give
the same bytes in --out, but for --timing. Rules (--selector, repeatable; default: all
that apply):
` + ruleHelp(),
		Example: `  rcvae eval --pool test-pool.jsonl.gz --model m1.rcvae --model m2.rcvae -k 4,8,16 --out result.json
  rcvae eval --pool test-pool.jsonl.gz --selector majority --selector logprob`,
		Args: noArgs,
		RunE: runEval,
	}
	config := eval.DefaultConfig()
	f := cmd.Flags()
	f.StringArray("pool", nil, "`FILE` of graded candidates (repeatable, required)")
	addModelFlag(cmd)
	f.StringArray("selector", nil, "selection `RULE` (repeatable)")
	f.IntSliceP("k", "k", nil, "candidates per question for the table of accuracy against k, for example 4,8,16")
	addSamplerFlag(cmd)
	f.Int("max-questions", 0, "use the first `N` questions of each pool (0: all)")
	addGraderFlag(cmd)
	addTauFlag(f)
	f.Uint64("seed", config.Seed, "seed of subsets and resamples")
	f.Int("subsets", config.Subsets, "random subsets per question and k")
	f.Bool("timing", false, "measure the time that a selection takes")
	f.String("out", "", "`FILE` to write result.json to")
	f.String("details", "", "`FILE`.jsonl.gz for a line per question: candidates, scores, choices")
	f.Bool("json", false, "print the result as JSON instead of a table")
	addModelEmbedderFlags(cmd)
	addWorkersFlags(cmd)
	return cmd
}

func runEval(cmd *cobra.Command, _ []string) error {
	paths, _ := cmd.Flags().GetStringArray("pool")
	if len(paths) == 0 {
		return usagef("--pool is missing: name a file of graded candidates")
	}
	if err := checkOutputs(cmd, paths...); err != nil {
		return err
	}
	config, err := evalConfig(cmd)
	if err != nil {
		return err
	}
	need, err := evalNeeds(cmd, config)
	if err != nil {
		return err
	}
	sources, embedder, err := openSources(cmd, need)
	if err != nil {
		return err
	}
	defer embedder.Close()
	if len(sources.Models) == 0 { // no rule needs them
		config.ModelNames = nil
	}
	details, err := createDetails(cmd)
	if err != nil {
		return err
	}
	defer details.abort()
	result := &eval.Result{Version: eval.Version}
	for i, path := range paths {
		if len(paths) > 1 {
			embedder.of = fmt.Sprintf(", pool %d of %d, %s", i+1, len(paths), poolName(path))
		}
		one, err := evalPool(cmd, config, path, sources, embedder, details)
		if err != nil {
			return err
		}
		result.Run = one.Run
		result.Pools = append(result.Pools, one.Pools...)
	}
	result.Run.Commit, result.Run.Command = commit, commandLine(cmd)
	result.Models = trainings(sources.Models, config.ModelNames)
	if config.Timing {
		result.Run.Started = time.Now().UTC().Format(time.RFC3339)
	}
	if err := details.close(); err != nil {
		return err
	}
	return writeResult(cmd, result)
}

func evalConfig(cmd *cobra.Command) (eval.Config, error) {
	f := cmd.Flags()
	config := eval.DefaultConfig()
	config.K, _ = f.GetIntSlice("k")
	config.Selectors, _ = f.GetStringArray("selector")
	config.Seed, _ = f.GetUint64("seed")
	config.Subsets, _ = f.GetInt("subsets")
	config.Tau = tauFlag(cmd)
	config.Timing, _ = f.GetBool("timing")
	config.Grader, _ = f.GetString("grader")
	models, err := modelPaths(cmd)
	if err != nil {
		return config, err
	}
	for _, m := range models {
		config.ModelNames = append(config.ModelNames, filepath.Base(m))
	}
	if err := config.Validate(); err != nil {
		return config, usageError{err}
	}
	return config, nil
}

// evalNeeds returns what the asked rules need; without any asked, what the given
// models allow.
func evalNeeds(cmd *cobra.Command, config eval.Config) (selector.Needs, error) {
	var need selector.Needs
	for _, name := range config.Selectors {
		rule, err := selector.Parse(name)
		if err != nil {
			return 0, usageError{err}
		}
		need |= rule.Needs()
	}
	if len(config.Selectors) > 0 {
		return need, nil
	}
	models, err := modelPaths(cmd)
	if err != nil {
		return 0, err
	}
	if len(models) > 0 {
		need |= selector.NeedModel
	}
	return need | selector.NeedEmbeddings | selector.NeedSignalModel, nil
}

// evalPool measures one pool.
func evalPool(cmd *cobra.Command, config eval.Config, path string, sources selector.Sources, embedder *openedEmbedder, details *detailsFile) (*eval.Result, error) {
	space := scratch.New(scratch.InMemory)
	defer space.Close()
	limit, _ := cmd.Flags().GetInt("max-questions")
	questions, sampler, err := loadPool(cmd, path, limit, space)
	if err != nil {
		return nil, err
	}
	config.Sampler, config.Pool = sampler, poolName(path)
	if sources.Grader, err = answerGrader(config.Grader); err != nil {
		return nil, usageError{err}
	}
	encoded, err := encode(cmd, questions, embedder, space)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	label, total := "selecting", 0
	if len(sources.Models) > 1 {
		label += " by all models and by each alone"
	}
	bar := newProgress(cmd, label+embedder.of, "questions")
	config.OnQuestion, config.OnDetails = func(x eval.Progress) {
		if bar.note, total = "", x.Total; x.Model != "" {
			bar.note = "only " + x.Model
		}
		bar.update(x.Done, x.Total)
	}, details.hook()
	result, err := eval.RunEncoded(cmd.Context(), config, encoded, sources)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	bar.done(total)
	return result, nil
}

// encode embeds the questions of a pool under one progress report. The embeddings lie in
// the space.
func encode(cmd *cobra.Command, questions []rcvae.Question, embedder *openedEmbedder, space *scratch.Space) ([]rcvae.Encoded, error) {
	if embedder.embedder() == nil {
		return train.Encode(cmd.Context(), questions, nil, nil)
	}
	finish := embedder.progress(cmd, questions)
	encoded := make([]rcvae.Encoded, 0, len(questions))
	for e, err := range embed.Each(cmd.Context(), embedder.embedder(), questions) {
		if err == nil {
			err = space.Encoded(&e)
		}
		if err != nil {
			return nil, fmt.Errorf("embed %d questions: %w", len(questions), err)
		}
		encoded = append(encoded, e)
	}
	finish()
	return encoded, nil
}

func writeResult(cmd *cobra.Command, result *eval.Result) error {
	if out, _ := cmd.Flags().GetString("out"); out != "" {
		if err := atomicfile.Write(out, func(w io.Writer) error { return eval.WriteJSON(w, result) }); err != nil {
			return err
		}
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return eval.WriteJSON(cmd.OutOrStdout(), result)
	}
	return writeTable(cmd.OutOrStdout(), result)
}
