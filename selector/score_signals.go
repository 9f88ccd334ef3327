package selector

import (
	"context"
	"fmt"
	"slices"

	"rcvae/signal"
)

// Signal returns the score that is a column of package signal, for the terms of fused
// scores. Where the column does not apply a candidate counts as the mean of the others.
func Signal(column string) Score {
	columns := signal.Columns()
	at := slices.IndexFunc(columns, func(c signal.Column) bool { return c.Name == column })
	s := Score{Name: column, About: "highest " + column, Best: "highest " + column, Needs: NeedSignals, Partial: true}
	s.Values = func(_ context.Context, e *Evidence) ([]float64, error) {
		if at < 0 {
			return nil, fmt.Errorf("there is no signal %q", column)
		}
		values := make([]float64, e.Len())
		for i := range values {
			values[i] = e.signals[i][at]
		}
		return values, nil
	}
	return s
}

// arithmetic tells candidates whose equations are wrong from others. It needs no model
// and no embedder: see [signal.ArithmeticScore].
func arithmetic() Score {
	return Score{
		Name: "arithmetic", About: "fewest wrong equations", Best: "fewest wrong equations", Needs: NeedSignals, Tau: new(1.0),
		Values: func(_ context.Context, e *Evidence) ([]float64, error) { return e.arithmetic(), nil },
	}
}

func (e *Evidence) arithmetic() []float64 {
	return signal.ArithmeticScore(signal.Table{Columns: signal.Columns(), Values: e.signals})
}

// signals is the entropy of a model that reads signals alone. Of questions that are no
// word problems, see [signal.WordProblem], it says nothing, and checked arithmetic
// counts.
func signals() Score {
	return Score{
		Name: "signals", About: "best signals, read off the text without an embedder", Best: "best signals", Needs: NeedSignals | NeedSignalModel,
		Values: entropy().Values,
	}
}
