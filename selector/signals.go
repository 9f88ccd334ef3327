package selector

import (
	"fmt"
	"slices"
	"strings"

	"rcvae"
	"rcvae/signal"
)

// signalReader returns the columns of package signal for some of a question's
// candidates, (n) (columns), NaN where a column does not apply.
type signalReader func(subset []int) [][]float64

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

// findSignals returns the positions of the columns that a model was trained on, and
// whether any of them compares a candidate with the others.
func findSignals(info rcvae.ModelInfo) (columns []int, ofSet bool, err error) {
	known := signal.Columns()
	for _, name := range info.Signals {
		i := slices.IndexFunc(known, func(c signal.Column) bool { return c.Name == name })
		if i < 0 {
			return nil, false, fmt.Errorf("it was trained on the signal %q, which is not known here; train it again", name)
		}
		columns = append(columns, i)
		ofSet = ofSet || known[i].Centred || known[i].Group == signal.Agreement
	}
	if len(columns) > 0 && info.SignalVersion != signal.Version {
		return nil, false, fmt.Errorf("it was trained on version %d of the signals %s, this is version %d; train it again",
			info.SignalVersion, strings.Join(info.Signals, ", "), signal.Version)
	}
	return columns, ofSet, nil
}
