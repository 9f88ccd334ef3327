package signal

import (
	"fmt"
	"slices"
)

// Find returns the columns of that name, or all of the group of that name.
func Find(name string) []Column {
	return slices.DeleteFunc(Columns(), func(c Column) bool { return c.Name != name && c.Group != name })
}

// Pick returns the columns of those names for every candidate, (candidates, names).
func (t Table) Pick(names []string) ([][]float64, error) {
	index := make([]int, len(names))
	for j, name := range names {
		if index[j] = slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name }); index[j] < 0 {
			return nil, fmt.Errorf("there is no signal column %q", name)
		}
	}
	out := make([][]float64, len(t.Values))
	for i, row := range t.Values {
		out[i] = make([]float64, len(names))
		for j, c := range index {
			out[i][j] = row[c]
		}
	}
	return out, nil
}
