package selector_test

import (
	"context"
	"fmt"

	"rcvae"
	"rcvae/selector"
)

func ExampleNew() {
	s, err := selector.New("majority", selector.Sources{}, selector.Options{})
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

func ExampleParse() {
	rule, _ := selector.Parse("vote:entropy")
	fmt.Printf("%s: %s (needs %v)\n", rule.Name, rule.Description, rule.Needs)
	_, err := selector.Parse("entropie")
	fmt.Println(err)
	// Output:
	// vote:entropy: vote of the answers, weighted by exp(τ·score) of entropy (needs embeddings, model, answers)
	// unknown selector "entropie"; did you mean entropy?
}

func ExampleRule_Choose() {
	candidates := []rcvae.Candidate{{Answer: "1"}, {Answer: "2"}, {Answer: "2"}, {Answer: "1"}, {Answer: ""}}
	rule, _ := selector.Parse("majority")
	evidence, err := selector.Gather(context.Background(), "q", candidates, selector.Sources{}, rule.Needs)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rule.Choose(evidence, nil).Tied, rule.Choose(evidence, []int{0, 1, 2}).Tied)
	// Output: [0 1] [1]
}
