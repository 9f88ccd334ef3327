package signal_test

import (
	"fmt"

	"rcvae"
	"rcvae/signal"
)

func ExampleEquations() {
	text := "He has 20 - 3 - 4 = 12 pens, so he pays 12 * $2 = $24."
	for _, e := range signal.Equations(text) {
		if e.Holds {
			fmt.Printf("%s: right\n", e.Text)
			continue
		}
		fmt.Printf("%s: should be %s\n", e.Text, e.Want)
	}
	// Output:
	// 20 - 3 - 4 = 12: should be 13
	// 12 * $2 = $24: right
}

func ExampleCompute() {
	table := signal.Compute("A box holds 6 jars. How many jars do 4 boxes hold?", []rcvae.Candidate{
		{Text: "4 * 6 = 24 jars.", Answer: "24"},
		{Text: "4 * 6 = 26 jars.", Answer: "26"},
		{Text: "I would say 24.", Answer: "24"},
	})
	for j, c := range table.Columns {
		if c.Name == "wrong_any" {
			for _, row := range table.Values {
				fmt.Println(c.Name, row[j])
			}
		}
	}
	fmt.Printf("%.1f\n", signal.ArithmeticScore(table))
	// Output:
	// wrong_any 0
	// wrong_any 1
	// wrong_any NaN
	// [0.0 -3.5 0.0]
}
