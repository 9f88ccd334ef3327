package eval_test

import (
	"context"
	"fmt"

	"rcvae"
	"rcvae/eval"
	"rcvae/selector"
)

func ExampleRun() {
	var questions []rcvae.Question
	for q := range 6 {
		guess := rcvae.Candidate{Text: "guess", Answer: "3", Verdict: rcvae.Incorrect}
		if q == 2 {
			guess.Verdict = rcvae.Correct
		}
		questions = append(questions, rcvae.Question{
			Problem: rcvae.Problem{ID: fmt.Sprint("sum-", q), Question: fmt.Sprintf("What is %d + 1?", q)},
			Candidates: []rcvae.Candidate{
				{Text: "no idea", Verdict: rcvae.Incorrect},
				{Text: "adding one", Answer: fmt.Sprint(q + 1), Verdict: rcvae.Correct},
				guess,
			},
		})
	}
	config := eval.DefaultConfig()
	config.Selectors, config.K = []string{"majority", "longest"}, nil
	result, err := eval.Run(context.Background(), config, questions, selector.Sources{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range result.Pools[0].Selectors {
		fmt.Printf("%-8s %.2f (%+.2f against majority, n = %d)\n", s.Name, s.Accuracy, s.VsMajority.Diff, s.N)
	}
	// Output:
	// majority 0.58 (+0.00 against majority, n = 6)
	// longest  1.00 (+0.42 against majority, n = 6)
}
