package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rcvae/embed"
	"rcvae/eval"
	"rcvae/internal/atomicfile"
	"rcvae/selector"
)

func newEval() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "eval",
		Short: "Compare selection rules on pools of graded samples",
		Long: `Measure every selection rule on pools of graded samples: accuracy with a paired
bootstrap interval, the difference to a random candidate and to majority vote, and
accuracy against k, averaged over random subsets of each question's candidates. Of a
pool with samples of several samplers, those of the sampler with most samples are used.

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
	f.StringArray("pool", nil, "`FILE` of graded samples (repeatable, required)")
	addModelFlag(cmd)
	f.StringArray("selector", nil, "selection `RULE` (repeatable)")
	f.IntSliceP("k", "k", nil, "candidates a question for the table of accuracy against k, for example 4,8,16")
	addSamplerFlag(cmd)
	f.Int("max-questions", 0, "use the first `N` questions of each pool (0: all)")
	f.String("grader", graderFromPool, "verdicts and answers: pool (as recorded), gsm8k, gsm8k-strict or math")
	f.Float64("tau", 0, "temperature of weighted votes (0: the models' own)")
	f.Uint64("seed", config.Seed, "seed of subsets and resamples")
	f.Int("subsets", config.Subsets, "random subsets a question and k")
	f.Bool("timing", false, "measure the time that a selection takes")
	f.String("out", "", "`FILE` to write result.json to")
	f.Bool("json", false, "print the result as JSON instead of a table")
	addModelEmbedderFlags(cmd)
	return cmd
}

func runEval(cmd *cobra.Command, _ []string) error {
	paths, _ := cmd.Flags().GetStringArray("pool")
	out, _ := cmd.Flags().GetString("out")
	if len(paths) == 0 {
		return usagef("--pool is missing: name a file of graded samples")
	}
	config, err := evalConfig(cmd)
	if err != nil {
		return err
	}
	if out != "" {
		if err := checkWritable(out); err != nil {
			return err
		}
	}
	need, err := needs(cmd, config)
	if err != nil {
		return err
	}
	sources, closeSources, err := openSources(cmd, need)
	if err != nil {
		return err
	}
	defer closeSources()
	if len(sources.Models) == 0 { // no rule needs them
		config.ModelNames = nil
	}
	result := &eval.Result{Version: eval.Version}
	for _, path := range paths {
		one, err := evalPool(cmd, config, path, sources)
		if err != nil {
			return err
		}
		result.Run = one.Run
		result.Pools = append(result.Pools, one.Pools...)
	}
	result.Run.Commit, result.Run.Command = commit, commandLine(cmd)
	if config.Timing {
		result.Run.Started = time.Now().UTC().Format(time.RFC3339)
	}
	return writeResult(cmd, result, out)
}

func evalConfig(cmd *cobra.Command) (eval.Config, error) {
	f := cmd.Flags()
	config := eval.DefaultConfig()
	config.K, _ = f.GetIntSlice("k")
	config.Selectors, _ = f.GetStringArray("selector")
	config.Seed, _ = f.GetUint64("seed")
	config.Subsets, _ = f.GetInt("subsets")
	config.Tau, _ = f.GetFloat64("tau")
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

// needs returns what the asked rules need; without any asked, what the given models
// allow.
func needs(cmd *cobra.Command, config eval.Config) (selector.Needs, error) {
	var need selector.Needs
	for _, name := range config.Selectors {
		rule, err := selector.Parse(name)
		if err != nil {
			return 0, usageError{err}
		}
		need |= rule.Needs
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
	return need | selector.NeedEmbeddings, nil
}

// evalPool measures one pool.
func evalPool(cmd *cobra.Command, config eval.Config, path string, sources selector.Sources) (*eval.Result, error) {
	limit, _ := cmd.Flags().GetInt("max-questions")
	items, sampler, err := loadPool(cmd, path, limit)
	if err != nil {
		return nil, err
	}
	config.Sampler = sampler
	if config.Grader != graderFromPool {
		if err := regrade(items, config.Grader); err != nil {
			return nil, err
		}
	}
	if sources.Grader, err = answerGrader(config.Grader); err != nil {
		return nil, usageError{err}
	}
	config.Pool = poolName(path)
	qs := questions(items)
	if cache, ok := sources.Embedder.(*embed.Cache); ok {
		if err := embedQuestions(cmd.Context(), cmd, cache, qs); err != nil {
			return nil, err
		}
	}
	bar := newProgress(cmd, "selecting", "questions")
	config.OnQuestion = bar.update
	result, err := eval.Run(cmd.Context(), config, qs, sources)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	bar.done(len(qs))
	return result, nil
}

func poolName(path string) string {
	name := filepath.Base(path)
	for _, ending := range []string{".gz", ".zst", ".jsonl"} {
		name = strings.TrimSuffix(name, ending)
	}
	return name
}

func writeResult(cmd *cobra.Command, result *eval.Result, out string) error {
	if out != "" {
		if err := atomicfile.Write(out, func(w io.Writer) error { return eval.WriteJSON(w, result) }); err != nil {
			return err
		}
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return eval.WriteJSON(cmd.OutOrStdout(), result)
	}
	return eval.WriteText(cmd.OutOrStdout(), result)
}
