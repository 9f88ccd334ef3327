// Command outside is a program of another module on the public packages: it chooses
// with the built-in model, takes the best of what a server samples, measures a rule of its own, and trains a model on a pool.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"strings"

	"rcvae"
	"rcvae/bestof"
	"rcvae/builtin"
	"rcvae/cvae"
	"rcvae/dataset"
	"rcvae/embed"
	"rcvae/embed/minilm"
	"rcvae/eval"
	"rcvae/grade"
	"rcvae/llm"
	"rcvae/rcvaetest"
	"rcvae/selector"
	"rcvae/train"
)

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, pool string) error {
	encoder, err := minilm.NewMath(minilm.DefaultMathOptions())
	if err != nil {
		return err
	}
	embedder, err := embed.OpenCache("", encoder)
	if err != nil {
		return err
	}
	defer embedder.Close()
	grader, err := grade.New("gsm8k")
	if err != nil {
		return err
	}
	model, err := builtin.Open(builtin.Math)
	if err != nil {
		return err
	}
	sources := selector.Sources{Embedder: embedder, Models: []rcvae.Model{model}, Grader: grader}
	if err := choose(ctx, sources); err != nil {
		return err
	}
	if err := bestOfServer(ctx, grader); err != nil {
		return err
	}
	questions, err := dataset.LoadPool(pool)
	if err != nil {
		return err
	}
	if err := measure(ctx, questions, sources); err != nil {
		return err
	}
	return fit(ctx, questions, embedder, grader)
}

// choose picks one of three solutions with the built-in model.
func choose(ctx context.Context, sources selector.Sources) error {
	rule, err := selector.Parse(selector.Default)
	if err != nil {
		return err
	}
	chooser, err := selector.New(rule, sources, selector.Options{})
	if err != nil {
		return err
	}
	var candidates []rcvae.Candidate
	for _, text := range []string{"3 + 4 = 8, so \\boxed{8}", "She has 3 + 4 = 7 apples: \\boxed{7}", "Maybe \\boxed{12}"} {
		answer, _ := sources.Grader.Answer(text)
		candidates = append(candidates, rcvae.Candidate{Text: text, Answer: answer})
	}
	question := "Ann has 3 apples and buys 4 more. How many has she?"
	selection, err := chooser.Select(ctx, question, candidates)
	if err != nil {
		return err
	}
	fmt.Println("chosen:", candidates[selection.Index].Answer)
	return nil
}

// bestOfServer samples three at a time from a server and stops when the majority cannot
// change any more.
func bestOfServer(ctx context.Context, grader *grade.Grader) error {
	server := httptest.NewServer(rcvaetest.NewOpenAI(rcvaetest.Script{Server: rcvaetest.Ollama})) // in place of a real one
	defer server.Close()
	upstream, err := llm.New(llm.DefaultOptions(server.URL))
	if err != nil {
		return err
	}
	sampler, err := llm.NewSampler(upstream, llm.DefaultSettings("m"))
	if err != nil {
		return err
	}
	rule := selector.Rule{Aggregate: selector.Majority}
	chooser, err := selector.New(rule, selector.Sources{Grader: grader}, selector.Options{})
	if err != nil {
		return err
	}
	engine := bestof.Engine{Extract: func(text string) (answer, from string) {
		e := grader.Extract(text)
		return e.Answer, e.From
	}}
	const question = "What is 3 + 4?"
	result, err := engine.Run(ctx, bestof.Request{
		Question: question, K: 9, Round: 3, Sampler: bestof.Solutions(sampler, question),
		Rule: bestof.Rule{Name: rule.Name(), Selector: chooser, Decided: rule.Decided},
	})
	if err != nil {
		return err
	}
	fmt.Printf("best of %d: %s\n", len(result.Candidates), result.Reason)
	return nil
}

// fewestLines is a rule of this program's own: a vote for the shorter solutions.
func fewestLines() selector.Rule {
	tau := 0.1
	return selector.Rule{Aggregate: selector.Vote, Score: selector.Score{
		Name: "fewest-lines", About: "fewest lines", Best: "fewest lines", Tau: &tau,
		Values: func(_ context.Context, e *selector.Evidence) ([]float64, error) {
			scores := make([]float64, e.Len())
			for i, c := range e.Candidates() {
				scores[i] = -float64(strings.Count(c.Text, "\n"))
			}
			return scores, nil
		},
	}}
}

func measure(ctx context.Context, questions []rcvae.Question, sources selector.Sources) error {
	config := eval.DefaultConfig()
	config.K, config.Rules = nil, []selector.Rule{fewestLines()}
	result, err := eval.Run(ctx, config, questions, sources)
	if err != nil {
		return err
	}
	for _, s := range result.Pools[0].Selectors {
		fmt.Printf("measured: %s on %d questions\n", s.Name, s.N)
	}
	return nil
}

func fit(ctx context.Context, questions []rcvae.Question, embedder rcvae.Embedder, grader rcvae.Grader) error {
	config := cvae.DefaultConfig(cvae.Contrastive, embedder.Fingerprint().Dimension)
	config.Epochs = 1
	result, err := train.Run(ctx, config, questions, train.Options{Embedder: embedder, Grader: grader})
	if err != nil {
		return err
	}
	fmt.Println("trained:", result.Model.Info().Calibration.Objective)
	return nil
}
