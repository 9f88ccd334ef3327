package dataset_test

import (
	"fmt"
	"os"
	"strings"

	"rcvae"
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
	// Output: train.jsonl:line-1 42
}

func ExampleProblems_error() {
	const bad = `{"question": "What is 6 times 7?"}`
	for _, err := range dataset.Problems(strings.NewReader(bad), "train.jsonl") {
		fmt.Println(err)
	}
	// Output: train.jsonl:1: field "answer" is missing, and there is no "solution" with "####" or \boxed{} to take it from
}

func ExamplePool() {
	const pool = `{"id": "a", "question": "6*7?", "answer": "42", "rm_score": 0.90, "candidates": [{"correct": true, "text": "It is 42.", "answer": "42"}]}`
	for question, err := range dataset.Pool(strings.NewReader(pool), "pool.jsonl") {
		if err != nil {
			fmt.Println(err)
			return
		}
		question.Candidates[0].Sampler = "greedy"
		if err := dataset.WritePool(os.Stdout, []rcvae.Question{question}); err != nil {
			fmt.Println(err)
		}
	}
	// Output: {"id":"a","question":"6*7?","answer":"42","candidates":[{"text":"It is 42.","answer":"42","correct":true,"sampler":"greedy"}],"rm_score":0.90}
}

func ExampleComplete() {
	const pool = `{"question": "6*7?", "candidates": [{"text": "It is 42", "correct": true}, {"text": "no idea", "correct": false}]}`
	var questions []rcvae.Question
	for question, err := range dataset.Pool(strings.NewReader(pool), "pool.jsonl") {
		if err != nil {
			fmt.Println(err)
			return
		}
		questions = append(questions, question)
	}
	gaps := dataset.Complete(questions, func(solution string) (answer, from string) {
		answer, found := strings.CutPrefix(solution, "It is ")
		if !found {
			return "", ""
		}
		return answer, "phrase"
	})
	fmt.Println(questions[0].Candidates[0].Answer)
	fmt.Println(strings.Join(gaps.Lines(), "\n"))
	// Output:
	// 42
	// 2 of 2 candidates have no answer in the pool: it was found in the text of 1 of them, the others do not vote
}
