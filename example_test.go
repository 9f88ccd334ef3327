package rcvae_test

import (
	"context"
	"fmt"

	"rcvae"
	"rcvae/grade"
	"rcvae/selector"
)

// A BestOf needs a sampler and a selector. This one votes; with a trained model and
// an embedder in the Sources, "vote:entropy" weighs the votes.
func ExampleBestOf() {
	grader, err := grade.New("gsm8k")
	if err != nil {
		panic(err)
	}
	sampler := samplerFunc(func(context.Context, string, int) ([]rcvae.Candidate, error) {
		var candidates []rcvae.Candidate
		for _, text := range []string{"2 + 3 = 6", "It is 2 + 3 = 5.", "The answer is 5"} {
			answer, _ := grader.Answer(text)
			candidates = append(candidates, rcvae.Candidate{Text: text, Answer: answer})
		}
		return candidates, nil
	})
	chooser, err := selector.New("majority", selector.Sources{Grader: grader}, selector.Options{})
	if err != nil {
		panic(err)
	}
	solution, selection, err := rcvae.BestOf{K: 3, Sampler: sampler, Selector: chooser}.Solve(context.Background(), "What is 2 + 3?")
	if err != nil {
		panic(err)
	}
	fmt.Println(solution.Text)
	fmt.Println(selection.Rule)
	// Output:
	// It is 2 + 3 = 5.
	// majority
}
