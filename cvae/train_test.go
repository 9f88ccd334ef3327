package cvae

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"rcvae"
)

func run(t testing.TB, c Config, questions []rcvae.Encoded, options Options) *Model {
	t.Helper()
	m, err := Train(t.Context(), c, questions, options)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWorkersDoNotChangeWeights(t *testing.T) {
	for _, objective := range Objectives() {
		for _, precision := range []string{Float32, BFloat16} {
			data := withSignals(synthetic(40, 6, 33, 1), 1)
			c := small(objective, 33, signalNames...)
			c.SignalDropout, c.Precision = 0.3, precision
			one, two := run(t, c, data, Options{Workers: 1}), run(t, c, data, Options{Workers: 2})
			if !slices.Equal(one.params, two.params) {
				t.Errorf("%s, %s: weights with 1 and 2 workers differ", objective, precision)
			}
		}
	}
}

// TestContrastiveLearns trains on questions whose right answers can be told, and
// expects held-out ones to have the lower entropy.
func TestContrastiveLearns(t *testing.T) {
	for _, objective := range []string{Contrastive, Ratio} {
		data, c := synthetic(200, 8, 24, 5), small(objective, 24)
		c.Epochs, c.Batch, c.LearningRate = 20, 16, 1e-2
		m := run(t, c, data, Options{})
		pairs, ordered := 0.0, 0.0
		for _, e := range data {
			if !rcvae.HeldOut(e.ID, c.Holdout) {
				continue
			}
			scores := m.scores(t, e)
			for i, x := range e.Candidates {
				for j, y := range e.Candidates {
					if x.Verdict == rcvae.Correct && y.Verdict == rcvae.Incorrect {
						pairs++
						if scores[i] > scores[j] {
							ordered++
						}
					}
				}
			}
		}
		if ordered < 0.9*pairs {
			t.Errorf("%s: AUROC = %.3f, want at least 0.9", objective, ordered/pairs)
		}
	}
}

func (m *Model) scores(t testing.TB, e rcvae.Encoded) []float64 {
	t.Helper()
	var out []float64
	for _, inference := range infer(t, m, e.Embedding, e.Solutions) {
		score := -inference.Posterior.HalfLogVar()
		if m.Info().Calibration.Score == ScoreRatio {
			score = inference.Likelihood.Ratio
		}
		out = append(out, m.Info().Calibration.Scale*score)
	}
	return out
}

func TestOverfitsOneBatch(t *testing.T) {
	data, c := allCorrect(synthetic(4, 2, 16, 1)), small(Paper, 16)
	c.Hidden, c.Latent, c.LearnVariance, c.LogVariance, c.Beta = []int{64}, 8, true, -3, 1e-3
	c.Epochs, c.Holdout, c.LearningRate, c.KLWarmup = 1500, 0, 5e-3, 0
	var first, last EpochLog
	run(t, c, data, Options{OnEpoch: func(l EpochLog) {
		if l.Epoch == 1 {
			first = l
		}
		last = l
	}})
	// In nats: eight vectors of 16 elements are rebuilt almost exactly.
	if last.Recon > first.Recon-40 {
		t.Errorf("reconstruction went from %.2f to %.2f nats, want at least 40 lower", first.Recon, last.Recon)
	}
}

// TestLiteralLossCollapses: on unit vectors each nat of KL lowers the mean squared error
// by at most 2/D, so that for every Beta above 2/D the cheapest posterior is the prior.
func TestLiteralLossCollapses(t *testing.T) {
	const D = 32
	data := synthetic(60, 4, D, 4)
	for name, c := range map[string]Config{Paper: small(Paper, D), Authors: small(Authors, D), "beta 4/D": small(Authors, D)} {
		c.Epochs, c.LearningRate, c.KLWarmup = 60, 1e-2, 0
		if name == "beta 4/D" {
			c.Beta = 4.0 / D
		}
		m := run(t, c, data, Options{})
		s := m.Summary()
		if d := s.Diagnostics; !d.Collapsed() || d.ActiveUnits != 0 || d.KL > 0.1 {
			t.Errorf("%s: %d active units, KL %.3g nats, want a collapsed posterior", name, d.ActiveUnits, d.KL)
		}
		if !strings.Contains(strings.Join(s.Warnings, "\n"), "collapsed") {
			t.Errorf("%s: warnings = %q, want one about the collapse", name, s.Warnings)
		}
	}
	c := small(Authors, D)
	c.Epochs, c.LearningRate, c.Beta = 60, 1e-2, 1e-4
	if d := run(t, c, data, Options{}).Summary().Diagnostics; d.Collapsed() {
		t.Errorf("beta 1e-4: collapsed, want active units")
	}
}

// TestEarlyStop trains without progress: the best epoch's weights are kept.
func TestEarlyStop(t *testing.T) {
	c := small(Paper, 8)
	c.Epochs, c.Patience, c.LearningRate, c.KLWarmup = 50, 2, 0, 0
	s := run(t, c, synthetic(40, 2, 8, 1), Options{}).Summary()
	if !s.StoppedEarly || s.Epochs != 3 || s.BestEpoch != 1 {
		t.Errorf("stopped early %v after %d epochs with the best %d, want true, 3, 1", s.StoppedEarly, s.Epochs, s.BestEpoch)
	}
}

func TestSameSeedSameModel(t *testing.T) {
	data := synthetic(30, 4, 16, 1)
	var files [][]byte
	for range 2 {
		file, err := run(t, small(Contrastive, 16), data, Options{}).encodeFile()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("two runs of one seed give different models")
	}
}
