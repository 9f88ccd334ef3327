package selector_test

import (
	"context"
	"fmt"
	"strings"

	"rcvae"
	"rcvae/selector"
)

func ExampleNew() {
	s, err := selector.New(selector.Rule{Aggregate: selector.Majority}, selector.Sources{}, selector.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	selection, err := s.Select(context.Background(), "What is 60 + 12?", []rcvae.Candidate{
		{Text: "It is 71.", Answer: "71"},
		{Text: "60 + 12 = 72", Answer: "72"},
		{Text: "The answer is 72.", Answer: "72"},
	})
	fmt.Println(selection.Index, selection.Reason, err)
	// Output: 1 2 of 3 votes for 72 <nil>
}

// A rule of one's own is a score, and what becomes of it.
func ExampleRule() {
	longestLine := selector.Score{
		Name: "longest-line", About: "longest line of text", Best: "longest line",
		Values: func(_ context.Context, e *selector.Evidence) ([]float64, error) {
			values := make([]float64, e.Len())
			for i, c := range e.Candidates() {
				for line := range strings.Lines(c.Text) {
					values[i] = max(values[i], float64(len(line)))
				}
			}
			return values, nil
		},
	}
	rule := selector.Rule{Score: longestLine, Aggregate: selector.Vote, Tau: new(0.1)}
	s, err := selector.New(rule, selector.Sources{}, selector.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	selection, err := s.Select(context.Background(), "What is 60 + 12?", []rcvae.Candidate{
		{Text: "71", Answer: "71"},
		{Text: "72", Answer: "72"},
		{Text: "60 + 12 = 72, because 60 + 10 = 70", Answer: "72"},
	})
	fmt.Println(selection.Rule, selection.Index, err)
	fmt.Println(selection.Reason)
	// Output:
	// vote:longest-line 2 <nil>
	// 2 of 3 votes for 72; candidate 3: longest line inside that class
}

func ExampleParse() {
	rule, _ := selector.Parse("vote:entropy")
	fmt.Printf("%s: %s (needs %v)\n", rule.Name(), rule.About(), rule.Needs())
	_, err := selector.Parse("entropie")
	fmt.Println(err)
	// Output:
	// vote:entropy: vote of the answers, weighted by exp(τ·score) of entropy (needs model, answers)
	// unknown selector "entropie"; did you mean entropy?
}

func ExamplePrepare() {
	candidates := []rcvae.Candidate{{Answer: "1"}, {Answer: "2"}, {Answer: "2"}, {Answer: "1"}, {Answer: ""}}
	rule, _ := selector.Parse("majority")
	prepared, err := selector.Prepare(context.Background(), "q", candidates, selector.Sources{}, rule.Needs())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, subset := range [][]int{nil, {0, 1, 2}} {
		evidence, err := prepared.Evidence(subset)
		if err != nil {
			fmt.Println(err)
			return
		}
		choice, err := rule.Choose(context.Background(), evidence)
		fmt.Println(choice.Tied, choice.Weights, err)
	}
	// Output:
	// [0 1] [2 2] <nil>
	// [1] [1 2] <nil>
}
