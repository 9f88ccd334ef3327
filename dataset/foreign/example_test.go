package foreign_test

import (
	"fmt"

	"rcvae/dataset/foreign"
)

func ExampleImport() {
	questions, report, err := foreign.Import("completions", []string{"testdata/completions.jsonl"}, foreign.Options{
		Fields: map[string]string{"correct": ""}, // without the verdicts of the file
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Questions, "questions,", report.Candidates, "candidates,", report.Ungraded, "without a verdict")
	fmt.Println(len(questions[0].Candidates), "candidates for", questions[0].ID)
	// Output:
	// 5 questions, 15 candidates, 15 without a verdict
	// 3 candidates for demo-test-0001
}
