// Package spelling finds the name that a misspelt one may mean.
package spelling

import "iter"

// Nearest returns the name with the least [Distance] from word, the first of equals, and
// that distance; "" if there are no names.
func Nearest(word string, names iter.Seq[string]) (nearest string, distance int) {
	for name := range names {
		if d := Distance(word, name); nearest == "" || d < distance {
			nearest, distance = name, d
		}
	}
	return nearest, distance
}

// Distance is Levenshtein's, in bytes. Only the first 64 bytes of a count.
func Distance(a, b string) int {
	a = a[:min(len(a), 64)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
