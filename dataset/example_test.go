package dataset_test

import (
	"fmt"
	"os"
	"strings"

	"rcvae/dataset"
)

func ExampleProblems() {
	const gsm8k = `{"question": "What is 6 times 7?", "answer": "6*7 = <<6*7=42>>42\n#### 42"}`
	for problem, err := range dataset.Problems(strings.NewReader(gsm8k), "train.jsonl") {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(problem.ID, problem.Answer)
	}
	// Output: line-1 42
}

func ExampleProblems_error() {
	const bad = `{"question": "What is 6 times 7?"}`
	for _, err := range dataset.Problems(strings.NewReader(bad), "train.jsonl") {
		fmt.Println(err)
	}
	// Output: train.jsonl:1: field "answer" is missing, and there is no "solution" with "####" or \boxed{} to take it from
}

func ExamplePool() {
	const pool = `{"id": "a", "question": "6*7?", "answer": "42", "candidates": [{"text": "It is 42.", "answer": "42", "correct": true, "rm_score": 0.90}]}`
	writer := dataset.NewPoolWriter(os.Stdout)
	for item, err := range dataset.Pool(strings.NewReader(pool), "pool.jsonl") {
		if err != nil {
			fmt.Println(err)
			return
		}
		item.Samples[0].Sampler = "greedy" // is added; the rest stays as it was
		if err := writer.Write(item); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := writer.Close(); err != nil {
		fmt.Println(err)
	}
	// Output: {"id": "a", "question": "6*7?", "answer": "42", "candidates": [{"text": "It is 42.", "answer": "42", "correct": true, "rm_score": 0.90, "sampler": "greedy"}]}
}
