package selector

import (
	"fmt"
	"slices"
	"strings"

	"rcvae"
	"rcvae/signal"
)

// signalsOf returns the columns of package signal for a subset, (n) (columns), NaN where
// a column does not apply; nil if nobody looks at them. Those that compare candidates are
// right only if somebody looks at one of them: the texts must be read again.
func (p *Prepared) signalsOf(subset []int) [][]float64 {
	switch {
	case p.signals == nil:
		return nil
	case p.need.Has(NeedAgreement) && !slices.Equal(subset, positions(len(p.signals))):
		return signal.Compute(p.encoded.Problem.Question, at(p.encoded.Candidates, subset)).Values
	default:
		return at(p.signals, subset)
	}
}

// needOf returns what must be computed for a column.
func needOf(c signal.Column) Needs {
	if c.Centred || c.Group == signal.Agreement {
		return NeedSignals | NeedAgreement
	}
	return NeedSignals
}

// findSignals returns the positions of the columns that a model was trained on, and what
// must be computed for them.
func findSignals(info rcvae.ModelInfo) (columns []int, need Needs, err error) {
	known := signal.Columns()
	for _, name := range info.Signals {
		i := slices.IndexFunc(known, func(c signal.Column) bool { return c.Name == name })
		if i < 0 {
			return nil, 0, fmt.Errorf("it was trained on the signal %q, which is not known here; train it again", name)
		}
		columns, need = append(columns, i), need|needOf(known[i])
	}
	if len(columns) > 0 && info.SignalVersion != signal.Version {
		return nil, 0, fmt.Errorf("it was trained on version %d of the signals %s, this is version %d; train it again",
			info.SignalVersion, strings.Join(info.Signals, ", "), signal.Version)
	}
	return columns, need, nil
}
