package selector

import (
	"fmt"
	"slices"
	"strings"

	"rcvae"
	"rcvae/signal"
)

// signalSource is where signal columns come from.
type signalSource struct {
	version int
	names   []string // (columns)
	set     []bool   // (columns), the column compares a candidate with the others
	read    func(rcvae.Question) signalReader
}

// signalReader returns the columns of some of a question's candidates, (n) (columns),
// NaN where a column does not apply. What does not depend on the subset it has
// computed before.
type signalReader func(subset []int) [][]float64

// signalSource returns the source of the signal columns.
func (s Sources) signalSource() *signalSource {
	if s.signals != nil {
		return s.signals
	}
	return textSignals()
}

// textSignals are the signals of package signal.
func textSignals() *signalSource {
	s := &signalSource{version: signal.Version}
	for _, c := range signal.Columns() {
		s.names = append(s.names, c.Name)
		s.set = append(s.set, c.Centred || c.Group == signal.Agreement)
	}
	s.read = readSignals
	return s
}

// readSignals reads all candidates at once. Columns that compare candidates are computed
// anew for a proper subset.
func readSignals(q rcvae.Question) signalReader {
	all := signal.Compute(q.Problem.Question, q.Candidates).Values
	return func(subset []int) [][]float64 {
		if slices.Equal(subset, positions(len(all))) {
			return all
		}
		return signal.Compute(q.Problem.Question, at(q.Candidates, subset)).Values
	}
}

// find returns the positions of the columns that a model was trained on.
func (s *signalSource) find(names []string, version int) ([]int, error) {
	if len(names) == 0 {
		return nil, nil
	}
	columns := make([]int, len(names))
	for j, name := range names {
		if columns[j] = slices.Index(s.names, name); columns[j] < 0 {
			return nil, fmt.Errorf("it was trained on the signal %q, which is not among %s; train it again", name, strings.Join(s.names, ", "))
		}
	}
	if version != s.version {
		return nil, fmt.Errorf("it was trained on version %d of the signals %s, this is version %d; train it again", version, strings.Join(names, ", "), s.version)
	}
	return columns, nil
}

// ofSet reports whether any of the columns compares a candidate with the others.
func (s *signalSource) ofSet(columns []int) bool {
	return slices.ContainsFunc(columns, func(c int) bool { return s.set[c] })
}
