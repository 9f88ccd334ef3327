package selector

import (
	"fmt"
	"slices"
	"strings"

	"rcvae"
	"rcvae/signal"
)

// signalsOf returns the columns of package signal for a subset, (n) (columns), NaN where
// a column does not apply; nil if nobody looks at them.
func (p *Prepared) signalsOf(subset []int) [][]float64 {
	if p.signals == nil {
		return nil
	}
	return p.signals.Table(subset).Values
}

// findSignals returns the positions of the columns that a model was trained on, and
// whether some of them compare candidates.
func findSignals(info rcvae.ModelInfo) (columns []int, compares bool, err error) {
	known := signal.Columns()
	for _, name := range info.Signals {
		i := slices.IndexFunc(known, func(c signal.Column) bool { return c.Name == name })
		if i < 0 {
			return nil, false, fmt.Errorf("it was trained on the signal %q, which is not known here; train it again", name)
		}
		columns, compares = append(columns, i), compares || known[i].Compares()
	}
	if len(columns) > 0 && info.SignalVersion != signal.Version {
		return nil, false, fmt.Errorf("it was trained on version %d of the signals %s, this is version %d; train it again",
			info.SignalVersion, strings.Join(info.Signals, ", "), signal.Version)
	}
	return columns, compares, nil
}
