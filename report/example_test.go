package report_test

import (
	"fmt"
	"strings"

	"rcvae/report"
)

func ExampleWrite() {
	m := makePool("pool", 20, 4, 5, 1, 1)
	var page strings.Builder
	if err := report.Write(&page, []report.Source{{Name: "result.json", Result: m.result, Details: m.all()}}, report.Options{Rule: "vote:entropy"}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.Count(page.String(), "data-c="), "questions")
	// Output:
	// 20 questions
}
