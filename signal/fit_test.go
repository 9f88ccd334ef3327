package signal_test

import (
	"math"
	"testing"

	"rcvae/signal"
)

// TestArithmeticFit fits the weights of ArithmeticScore again, from the training
// questions.
func TestArithmeticFit(t *testing.T) {
	all := ballots(t, "train-pools/gsm8k-train-qwen2.5-coder-0.5b")
	w := fit(all, columnsNamed(t, "wrong", "wrong_share", "wrong_any"))
	t.Logf("weights %.3f", w)
	got := signal.ArithmeticScore(signal.Table{Columns: signal.Columns(), Values: unitRows(t, "wrong", "wrong_share", "wrong_any")})
	for j, want := range w {
		if math.Abs(got[j]-want) > 0.05 {
			t.Errorf("weight %d = %.3f, want %.3f as fitted", j, got[j], want)
		}
	}
}

func columnsNamed(t *testing.T, names ...string) (index []int) {
	t.Helper()
	for _, name := range names {
		for j, c := range signal.Columns() {
			if c.Name == name {
				index = append(index, j)
			}
		}
	}
	if len(index) != len(names) {
		t.Fatalf("columns %v are not all there", names)
	}
	return index
}

// unitRows returns a row per named column in which it is 1 and the others 0.
func unitRows(t *testing.T, names ...string) [][]float64 {
	t.Helper()
	index := columnsNamed(t, names...)
	rows := make([][]float64, len(index))
	for i := range index {
		rows[i] = make([]float64, len(signal.Columns()))
		rows[i][index[i]] = 1
	}
	return rows
}

// fit minimises the listwise loss over weights of the columns by gradient descent and
// returns the weights of the columns as they are. NaN counts as 0.
func fit(all []ballot, columns []int) []float64 {
	n := len(columns)
	mean, dev := moments(all, columns)
	type list struct {
		x       [][]float64
		correct []bool
	}
	var lists []list
	for i := range all {
		b := &all[i]
		var l list
		right, wrong := false, false
		rows := filled(b.table.Values, columns)
		for c := range b.class {
			if b.class[c] < 0 {
				continue
			}
			x := make([]float64, n)
			for j := range x {
				x[j] = (rows[c][j] - mean[j]) / dev[j]
			}
			l.x = append(l.x, x)
			l.correct = append(l.correct, b.correct[c])
			right, wrong = right || b.correct[c], wrong || !b.correct[c]
		}
		if right && wrong {
			lists = append(lists, l)
		}
	}
	w := make([]float64, n)
	for range 400 {
		g := make([]float64, n)
		for _, l := range lists {
			var all, right float64
			e := make([]float64, len(l.x))
			for i, x := range l.x {
				var s float64
				for j := range x {
					s += w[j] * x[j]
				}
				e[i] = math.Exp(s)
				all += e[i]
				if l.correct[i] {
					right += e[i]
				}
			}
			for i, x := range l.x {
				p := e[i] / all
				if l.correct[i] {
					p -= e[i] / right
				}
				for j := range x {
					g[j] += p * x[j] / float64(len(lists))
				}
			}
		}
		for j := range w {
			w[j] -= 1 * (g[j] + 2*0.002*w[j])
		}
	}
	for j := range w {
		w[j] /= dev[j]
	}
	return w
}

// filled replaces NaN by 0.
func filled(values [][]float64, columns []int) [][]float64 {
	rows := make([][]float64, len(values))
	for i, v := range values {
		rows[i] = make([]float64, len(columns))
		for j, c := range columns {
			if !math.IsNaN(v[c]) {
				rows[i][j] = v[c]
			}
		}
	}
	return rows
}

func moments(all []ballot, columns []int) (mean, dev []float64) {
	mean, dev = make([]float64, len(columns)), make([]float64, len(columns))
	var n float64
	for i := range all {
		for _, row := range filled(all[i].table.Values, columns) {
			n++
			for j, x := range row {
				mean[j] += x
				dev[j] += x * x
			}
		}
	}
	for j := range mean {
		mean[j] /= n
		dev[j] = math.Sqrt(dev[j]/n - mean[j]*mean[j])
	}
	return mean, dev
}
