package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/cvae"
	"rcvae/dataset"
	"rcvae/embed"
	"rcvae/embed/minilm"
	"rcvae/eval"
	"rcvae/internal/atomicfile"
	"rcvae/internal/demo"
	"rcvae/selector"
)

func newDemo() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Train and evaluate on bundled samples, offline, in under a minute",
		Long: `Train a model on bundled samples of a real language model (Qwen2.5-Coder-0.5B-Instruct,
eight solutions each of word problems written for this project), let every selection
rule choose among samples of problems that the model has not seen, and print what each
rule is worth. Beside it, train the paper's literal objective on the reference solutions
and show why it does not choose well. Writes model.rcvae, paper.rcvae and result.json.`,
		Example: "  rcvae demo --out demo-out",
		Args:    noArgs,
		RunE:    runDemo,
	}
	cmd.Flags().String("out", "demo-out", "`FOLDER` to write to")
	cmd.Flags().Bool("json", false, "print the result as JSON instead of a table")
	return cmd
}

func runDemo(cmd *cobra.Command, _ []string) error {
	out, _ := cmd.Flags().GetString("out")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("make the output folder: %w", err)
	}
	embedder, err := minilm.New(minilm.DefaultOptions())
	if err != nil {
		return err
	}
	cache, err := embed.OpenCache("", embedder)
	if err != nil {
		return err
	}
	defer cache.Close()
	model, err := demoModel(cmd, cvae.Contrastive, filepath.Join(out, "model.rcvae"), embedder.Fingerprint())
	if err != nil {
		return err
	}
	paper, err := demoModel(cmd, cvae.Paper, filepath.Join(out, "paper.rcvae"), embedder.Fingerprint())
	if err != nil {
		return err
	}
	result, err := demoEval(cmd, cache, model, "demo")
	if err != nil {
		return err
	}
	literal, err := demoEval(cmd, cache, paper, "demo, literal objective", "entropy", "norm")
	if err != nil {
		return err
	}
	result.Pools = append(result.Pools, literal.Pools...)
	result.Run.Commit, result.Run.Command = commit, "rcvae demo"
	path := filepath.Join(out, "result.json")
	if err := atomicfile.Write(path, func(w io.Writer) error { return eval.WriteJSON(w, result) }); err != nil {
		return err
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return eval.WriteJSON(cmd.OutOrStdout(), result)
	}
	if err := eval.WriteText(cmd.OutOrStdout(), result); err != nil {
		return err
	}
	demoComment(cmd.OutOrStdout(), result, paper, out)
	return nil
}

// demoModel trains one objective on the bundled training part and saves the model.
func demoModel(cmd *cobra.Command, objective, path string, fp rcvae.Fingerprint) (*cvae.Model, error) {
	corpus, embeddings, err := demoCorpus(objective, fp)
	if err != nil {
		return nil, err
	}
	config := cvae.DefaultConfig(objective, fp.Dimension)
	config.Seed = 1
	bar := newProgress(cmd, "training "+objective, "steps")
	done := 0
	model, err := cvae.Train(cmd.Context(), config, corpus.data(embeddings), cvae.Options{
		Fingerprint: fp,
		OnStep: func(s cvae.StepLog) {
			done = (s.Epoch-1)*s.Steps + s.Step
			bar.update(done, s.Epochs*s.Steps)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("train %s: %w", objective, err)
	}
	bar.done(done)
	return model, model.Save(path)
}

// demoCorpus returns the bundled graded samples, or the reference solutions for the
// paper's objective, with their embeddings.
func demoCorpus(objective string, fp rcvae.Fingerprint) (*corpus, []rcvae.Embedding, error) {
	corpus, names := &corpus{}, []string{"questions", "solutions"}
	if objective == cvae.Paper {
		names = []string{"gold-questions", "gold"}
		for p, err := range dataset.Problems(demo.Gold(), "bundled problems") {
			if err != nil {
				return nil, nil, err
			}
			corpus.addProblems([]rcvae.Problem{p})
		}
	} else {
		for item, err := range dataset.Pool(demo.Train(), "bundled training pool") {
			if err != nil {
				return nil, nil, err
			}
			corpus.addPool([]dataset.Item{item})
		}
	}
	var embeddings []rcvae.Embedding
	for _, name := range names {
		list, err := demo.Embeddings(fp, name)
		if err != nil {
			return nil, nil, err
		}
		embeddings = append(embeddings, list...)
	}
	return corpus, embeddings, nil
}

// demoEval measures the rules on the bundled test part, embedded live.
func demoEval(cmd *cobra.Command, cache *embed.Cache, model *cvae.Model, name string, rules ...string) (*eval.Result, error) {
	var items []dataset.Item
	for item, err := range dataset.Pool(demo.Test(), "bundled test pool") {
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	grader, err := answerGrader(graderFromPool)
	if err != nil {
		return nil, err
	}
	qs := questions(items)
	if err := embedQuestions(cmd.Context(), cmd, cache, qs); err != nil {
		return nil, err
	}
	config := eval.DefaultConfig()
	config.Pool, config.Sampler, config.Grader, config.ModelNames = name, "top_p", graderFromPool, []string{model.Config().Objective}
	config.K, config.Selectors = []int{4, 8}, rules
	return eval.Run(cmd.Context(), config, qs, selector.Sources{Embedder: cache, Models: []rcvae.Model{model}, Grader: grader})
}

// demoComment says in words what the table shows.
func demoComment(w io.Writer, result *eval.Result, paper *cvae.Model, out string) {
	pool := result.Pools[0]
	fmt.Fprintf(w, "\nA language model was right in %.0f of 100 single tries; a plain vote of %d tries makes that %.0f.\n",
		100*pool.MeanAt1, pool.K, 100*pool.Majority)
	for _, s := range pool.Selectors {
		if s.Name == selector.Default {
			fmt.Fprintf(w, "The vote weighted by posterior entropy (%s) makes it %.0f: %+.1f points over the plain vote [%+.1f, %+.1f].\n",
				s.Name, 100*s.Accuracy, 100*s.VsMajority.Diff, 100*s.VsMajority.CI95[0], 100*s.VsMajority.CI95[1])
		}
	}
	for _, s := range result.Pools[1].Selectors {
		if s.Name != "entropy" {
			continue
		}
		d := paper.Summary().Diagnostics
		fmt.Fprintf(w, "The paper's objective, taken literally (paper.rcvae: %d of %d latent units active), picks by entropy with\n%+.1f points against a random candidate [%+.1f, %+.1f].\n",
			d.ActiveUnits, d.Latent, 100*s.VsMean.Diff, 100*s.VsMean.CI95[0], 100*s.VsMean.CI95[1])
	}
	fmt.Fprintf(w, "\nWritten to %s: model.rcvae, paper.rcvae, result.json. Next: rcvae train --help\n", out)
}
