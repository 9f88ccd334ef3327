package cvae

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"rcvae"
)

// TestSettingsOfSignalsAlone: without columns, how columns would be treated changes
// nothing, bit by bit.
func TestSettingsOfSignalsAlone(t *testing.T) {
	for _, objective := range Objectives() {
		data, c := synthetic(40, 6, 12, 1), small(objective, 12)
		c.Epochs, c.SignalCopies = 1, 0
		want := run(t, c, data, Options{})
		c.Signals, c.SignalCopies, c.SignalDropout = []string{}, 5, 0.5
		if got := run(t, c, data, Options{}); !slices.Equal(got.params, want.params) || !slices.Equal(got.r.mean, want.r.mean) {
			t.Errorf("%s: settings of signals change a model without any", objective)
		}
	}
}

// noise returns questions whose embeddings say nothing about the candidates.
func noise(questions, D int, seed uint64) []rcvae.Encoded {
	data := synthetic(questions, 8, D, seed)
	rng := rand.New(rand.NewPCG(seed, 5))
	for _, e := range data {
		for i := range e.Solutions {
			e.Solutions[i].Embedding = randomUnit(rng, D)
		}
	}
	return withSignals(data, seed)
}

// TestSignalsAreLearned: where only a column tells correct from incorrect, the model
// ranks by it, with an embedding beside it or without one.
func TestSignalsAreLearned(t *testing.T) {
	for _, objective := range []string{Contrastive, Ratio} {
		for _, D := range []int{12, 0} {
			c := small(objective, D, signalNames...)
			c.Epochs, c.Batch, c.LearningRate, c.SignalDropout = 20, 16, 1e-2, 0.1
			data := noise(300, D, 5)
			m := run(t, c, data, Options{})
			if got := auroc(t, m, data, func(s rcvae.Solution) bool { return !math.IsNaN(s.Signals[0]) }); got < 0.85 {
				t.Errorf("%s, D = %d: AUROC = %.3f where the column is there, want at least 0.85", objective, D, got)
			}
		}
	}
}

// auroc returns that of the scores over the pairs of held-out questions.
func auroc(t *testing.T, m *Model, data []rcvae.Encoded, of func(rcvae.Solution) bool) float64 {
	t.Helper()
	pairs, ordered := 0.0, 0.0
	for _, e := range data {
		if !rcvae.HeldOut(e.ID, m.config.Holdout) {
			continue
		}
		scores := m.scores(t, e)
		for i, x := range e.Candidates {
			for j, y := range e.Candidates {
				if of(e.Solutions[i]) && of(e.Solutions[j]) && x.Verdict > y.Verdict {
					pairs++
					if scores[i] > scores[j] {
						ordered++
					}
				}
			}
		}
	}
	return ordered / pairs
}

// TestSignalDropout: a column that is dropped looks like a missing one, the columns of
// a group go together, and about the given share of questions drops each group.
func TestSignalDropout(t *testing.T) {
	c := small(Contrastive, 0, signalNames...)
	c.SignalGroups = []string{"a", "b", "b"}
	groups, r := groupNumbers(c), randomness{key: 3, signals: 0.3}
	counts := make([]int, 3)
	for question := range 10000 {
		dropped := dropped(r, groups, question)
		if dropped[1] != dropped[2] {
			t.Fatalf("question %d drops one column of a group", question)
		}
		for j, d := range dropped {
			if d {
				counts[j]++
			}
		}
	}
	for j, n := range counts[:2] {
		if math.Abs(float64(n)/10000-0.3) > 0.02 { // over four deviations
			t.Errorf("group %d is dropped for %d of 10,000 questions, want about 3,000", j, n)
		}
	}
}

// TestMissingSignals: a missing column has no value: whatever stands beside it, the
// indicator is 1 and the element 0, and the model's answer is finite and its own.
func TestMissingSignals(t *testing.T) {
	data := withSignals(synthetic(60, 8, 12, 3), 3)
	c := small(Contrastive, 12, signalNames...)
	c.SignalCopies = 4
	m := run(t, c, data, Options{})
	target, missing := make([]float32, 15), make([]float32, 3)
	s := rcvae.Solution{Embedding: data[0].Solutions[0].Embedding, Signals: []float64{math.NaN(), 1e300, 7}}
	m.elements(target, missing, s)
	if got, want := target[12:], []float32{0, maxSignal, 0}; !slices.Equal(got, want) || !slices.Equal(missing, []float32{1, 0, 0}) {
		t.Errorf("elements = %v, missing = %v, want %v and the first missing", got, missing, want)
	}
	x := make([]float32, c.solutionInputs())
	m.encoderInput(x, target, missing)
	if got, want := x[12:], []float32{0, 0, 0, 0, 8, 8, 8, 8, 0, 0, 0, 0, 1, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("encoder input = %v, want %v", got, want)
	}
	at := s
	at.Signals = []float64{float64(m.r.mean[12]), 1e300, 7} // the mean is not the same as missing
	out := infer(t, m, data[0].Embedding, []rcvae.Solution{s, at})
	if slices.Equal(out[0].Posterior.LogVar, out[1].Posterior.LogVar) {
		t.Error("a missing column has the posterior of one at its mean")
	}
}

// TestStandardizedSignals: over the training questions' present values, columns have
// mean 0 and deviation 1; one that never varied is 0 whatever it becomes later.
func TestStandardizedSignals(t *testing.T) {
	data := withSignals(synthetic(300, 8, 4, 3), 3)
	for _, standardize := range []bool{true, false} {
		c := small(Contrastive, 4, signalNames...)
		c.Standardize, c.Holdout = standardize, 0
		d, _ := newTestData(t, c, data)
		in := d.fit(c, d.questions)
		var n, sum, square [2]float64
		target, missing := make([]float32, 7), make([]float32, 3)
		for _, s := range solutions(data) {
			in.elements(target, missing, s)
			for j := range n {
				if missing[j] == 0 {
					x := float64(target[4+j])
					n[j], sum[j], square[j] = n[j]+1, sum[j]+x, square[j]+x*x
				}
			}
		}
		for j := range n {
			if mean, variance := sum[j]/n[j], square[j]/n[j]; math.Abs(mean) > 1e-3 || math.Abs(variance-1) > 1e-2 {
				t.Errorf("column %s: mean %g, variance %g, want 0 and 1", signalNames[j], mean, variance)
			}
		}
		in.elements(target, missing, rcvae.Solution{Embedding: make(rcvae.Embedding, 4), Signals: []float64{0, 0, 1e6}})
		if target[6] > 1e-6 {
			t.Errorf("a column that never varied enters as %g, want 0", target[6])
		}
	}
}

// TestWhiteningWithConstantSignals: a column that never varied does not move distances.
func TestWhiteningWithConstantSignals(t *testing.T) {
	c := small(Contrastive, 12, signalNames...)
	m, train, _ := fitted(t, c, withSignals(gaussian(200, 12, 3), 3))
	d2 := distances(t, m, train)
	changed := make([]rcvae.Solution, len(train))
	for i, s := range train {
		changed[i] = s
		changed[i].Signals = []float64{s.Signals[0], s.Signals[1], 1e5}
	}
	if got := distances(t, m, changed); !slices.Equal(got, d2) {
		t.Error("distances depend on a column that never varied")
	}
	var mean float64
	for _, v := range d2 {
		mean += v / float64(len(d2))
	}
	if mean < 0.8 || mean > 1.1 { // 14 of the 15 elements vary
		t.Errorf("mean d² of the training samples = %g, want about 14/15", mean)
	}
}
