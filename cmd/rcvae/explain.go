package main

import (
	"fmt"
	"io"
	"strings"

	"rcvae"
	"rcvae/signal"
)

// explainEquations shows what checked arithmetic holds against each candidate.
func explainEquations(w io.Writer, candidates []rcvae.Candidate) {
	fmt.Fprintln(w, "\nchecked arithmetic:")
	for i, c := range candidates {
		equations := signal.Equations(c.Text)
		wrong := 0
		for _, e := range equations {
			if !e.Holds {
				wrong++
			}
		}
		fmt.Fprintf(w, "  candidate %d: %s checked, %s wrong\n", i+1, count(len(equations), "equation was", "equations were"), count(wrong, "is", "are"))
		for _, e := range equations {
			if !e.Holds {
				fmt.Fprintf(w, "    %s    should be %s\n", strings.Join(strings.Fields(e.Text), " "), e.Want)
			}
		}
	}
}

// count returns a number with the word that goes with it.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
