package main

import (
	"fmt"
	"io"
	"math"
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
	"rcvae/internal/scratch"
	"rcvae/report"
	"rcvae/selector"
	"rcvae/train"
)

func newDemo() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Train and evaluate on bundled samples, offline, in under a minute",
		Long: `Train a model on bundled samples of a real language model (Qwen2.5-Coder-0.5B-Instruct,
eight solutions each of word problems written for this project), let every selection
rule choose among samples of problems that the model has not seen, and print what each
rule is worth. Beside it, train the paper's literal objective on the reference solutions
and show why it does not choose well. Writes model.rcvae, paper.rcvae, result.json,
details.jsonl.gz, and report.html, a page to look at.`,
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
	embedder, err := demoEmbedder()
	if err != nil {
		return err
	}
	defer embedder.Close()
	model, err := demoModel(cmd, cvae.Contrastive, filepath.Join(out, "model.rcvae"), embedder)
	if err != nil {
		return err
	}
	paper, err := demoModel(cmd, cvae.Paper, filepath.Join(out, "paper.rcvae"), embedder)
	if err != nil {
		return err
	}
	test, err := demoTest(cmd, embedder)
	if err != nil {
		return err
	}
	result, err := demoMeasure(cmd, test, model, paper, out)
	if err != nil {
		return err
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return eval.WriteJSON(cmd.OutOrStdout(), result)
	}
	if err := writeTable(cmd.OutOrStdout(), result); err != nil {
		return err
	}
	demoComment(cmd.OutOrStdout(), result, paper, out)
	return nil
}

// demoMeasure measures both models and writes the result, its details and their page.
func demoMeasure(cmd *cobra.Command, test []rcvae.Encoded, model, paper *cvae.Model, out string) (*eval.Result, error) {
	path, detailsPath := filepath.Join(out, "result.json"), filepath.Join(out, "details.jsonl.gz")
	details, err := createDetailsFile(detailsPath)
	if err != nil {
		return nil, err
	}
	defer details.abort()
	result, err := demoEval(cmd, test, model, "demo", details)
	if err != nil {
		return nil, err
	}
	literal, err := demoEval(cmd, test, paper, "demo, literal objective", details, "entropy", "norm", "majority")
	if err != nil {
		return nil, err
	}
	result.Pools = append(result.Pools, literal.Pools...)
	result.Models = append(result.Models, literal.Models...)
	result.Run.Commit, result.Run.Command = commit, "rcvae demo"
	if err := details.close(); err != nil {
		return nil, err
	}
	if err := atomicfile.Write(path, func(w io.Writer) error { return eval.WriteJSON(w, result) }); err != nil {
		return nil, err
	}
	sources, done, err := openResults([]string{path}, []string{detailsPath})
	defer done()
	if err != nil {
		return nil, err
	}
	return result, atomicfile.Write(filepath.Join(out, "report.html"), func(w io.Writer) error {
		return report.Write(w, sources, report.Options{Command: "rcvae demo", Commit: commit})
	})
}

// demoEmbedder returns the embedder of the demo, which knows the bundled texts.
func demoEmbedder() (*openedEmbedder, error) {
	inner, err := minilm.New(minilm.DefaultOptions())
	if err != nil {
		return nil, err
	}
	bundled, err := demo.Embedder(inner)
	if err != nil {
		return nil, err
	}
	cache, err := embed.OpenCache("", bundled)
	return &openedEmbedder{cache: cache}, err
}

// demoModel trains one objective on the bundled training part and saves the model.
func demoModel(cmd *cobra.Command, name, path string, embedder *openedEmbedder) (*cvae.Model, error) {
	objective, err := cvae.LookupObjective(name)
	if err != nil {
		return nil, err
	}
	questions, err := demoQuestions(objective)
	if err != nil {
		return nil, err
	}
	grader, err := answerGrader(graderFromPool)
	if err != nil {
		return nil, err
	}
	config := defaultConfig(objective, embedder.Fingerprint().Dimension)
	config.Seed = 1
	bar, done := newProgress(cmd, "training "+name, "steps"), 0
	result, err := train.Run(cmd.Context(), config, questions, train.Options{
		Embedder: embedder.embedder(), Grader: grader,
		Options: cvae.Options{OnStep: func(s cvae.StepLog) {
			done = (s.Epoch-1)*s.Steps + s.Step
			bar.update(done, s.Epochs*s.Steps)
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("objective %s: %w", name, err)
	}
	bar.done(done)
	return result.Model, result.Model.Save(path)
}

// demoQuestions returns the bundled graded candidates, or the reference solutions for
// an objective that learns from those.
func demoQuestions(objective cvae.Objective) (questions []rcvae.Question, err error) {
	if objective.Graded {
		return demo.Questions(dataset.Pool(demo.Train(), "bundled training pool"))
	}
	for p, err := range dataset.Problems(demo.Gold(), "bundled problems") {
		if err != nil {
			return nil, err
		}
		questions = append(questions, rcvae.Reference(p))
	}
	return questions, nil
}

// demoTest returns the bundled test part, embedded live.
func demoTest(cmd *cobra.Command, embedder *openedEmbedder) ([]rcvae.Encoded, error) {
	questions, err := demo.Questions(dataset.Pool(demo.Test(), "bundled test pool"))
	if err != nil {
		return nil, err
	}
	return encode(cmd, questions, embedder, scratch.New(math.MaxInt64))
}

// demoEval measures the rules on the test part.
func demoEval(cmd *cobra.Command, test []rcvae.Encoded, model *cvae.Model, name string, details *detailsFile, rules ...string) (*eval.Result, error) {
	grader, err := answerGrader(graderFromPool)
	if err != nil {
		return nil, err
	}
	config := eval.DefaultConfig()
	config.Pool, config.Sampler, config.Grader, config.ModelNames = name, "top_p", graderFromPool, []string{model.Config().Objective}
	config.K, config.Selectors, config.OnDetails = []int{2, 4, 8}, rules, details.hook()
	sources := selector.Sources{Models: []rcvae.Model{model}, Grader: grader}
	result, err := eval.RunEncoded(cmd.Context(), config, test, sources)
	if err != nil {
		return nil, err
	}
	result.Models = trainings(sources.Models, config.ModelNames)
	return result, nil
}

// demoComment says in words what the table shows.
func demoComment(w io.Writer, result *eval.Result, paper *cvae.Model, out string) {
	pool := result.Pools[0]
	fmt.Fprintf(w, "\nA language model was right in %.0f of 100 single tries; a plain vote of %d tries makes that %.0f.\n",
		100*pool.MeanAt1, pool.K, 100*pool.Majority)
	for _, s := range pool.Selectors {
		if s.Name == selector.Default {
			fmt.Fprintf(w, "The vote weighted by posterior entropy (%s) makes it %.0f: %s over the plain vote.\n",
				s.Name, 100*s.Accuracy, pointsWithInterval(s.VsMajority))
		}
	}
	for _, s := range result.Pools[1].Selectors {
		if s.Name != "entropy" {
			continue
		}
		d := paper.Summary().Diagnostics
		fmt.Fprintf(w, "The paper's objective, taken literally (paper.rcvae: %d of %d latent units active), picks by entropy with\n%s against a random candidate.\n",
			d.ActiveUnits, d.Latent, pointsWithInterval(s.VsMean))
	}
	fmt.Fprintf(w, "\nWritten to %s: model.rcvae, paper.rcvae, result.json, details.jsonl.gz and report.html.\n", out)
	fmt.Fprintf(w, "Look at %s in a browser. Next: rcvae train --help\n", filepath.Join(out, "report.html"))
}
