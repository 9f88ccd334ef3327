package rcvae_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat"

	"rcvae"
)

// TestDiagnostics compares the sums with the definitions, computed in two passes.
func TestDiagnostics(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var sum rcvae.DiagnosticsSum
	var first, second, spreads []float64 // means of both units; entropy spreads
	var kl float64
	for range 40 {
		var question []rcvae.Posterior
		var entropies []float64
		for range 5 {
			p := rcvae.Posterior{Mu: []float32{float32(rng.NormFloat64()), float32(0.01 * rng.NormFloat64())}, LogVar: []float32{float32(rng.NormFloat64()), 0}}
			question = append(question, p)
			first, second = append(first, float64(p.Mu[0])), append(second, float64(p.Mu[1]))
			entropies = append(entropies, p.Entropy())
			kl += p.KL() / 200
		}
		spreads = append(spreads, stat.StdDev(entropies, nil))
		sum.Add(question...)
	}
	d := sum.Diagnostics()
	if stat.PopVariance(first, nil) < 0.01 || stat.PopVariance(second, nil) > 0.01 {
		t.Fatal("the case does not have one active unit of two")
	}
	if d.ActiveUnits != 1 || d.Latent != 2 || d.Solutions != 200 || d.EntropyQuestions != 40 {
		t.Errorf("Diagnostics() = %+v, want 1 of 2 units, 200 solutions of 40 questions", d)
	}
	if math.Abs(d.KL-kl) > 1e-9 || math.Abs(*d.EntropySD-stat.Mean(spreads, nil)) > 1e-9 {
		t.Errorf("KL %v, entropy SD %v, want %v and %v", d.KL, *d.EntropySD, kl, stat.Mean(spreads, nil))
	}
	if w := d.Warning(); w != "" {
		t.Errorf("Warning() = %q of a posterior in order", w)
	}
}

// TestDiagnosticsOfTooLittle: what was not measured is not judged.
func TestDiagnosticsOfTooLittle(t *testing.T) {
	var sum rcvae.DiagnosticsSum
	if d := sum.Diagnostics(); d.Collapsed() || d.Warning() != "" || d.EntropySD != nil {
		t.Errorf("of nothing: %+v, warning %q", d, d.Warning())
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 30 { // one candidate per question: no spread to measure
		sum.Add(rcvae.Posterior{Mu: []float32{float32(rng.NormFloat64())}, LogVar: []float32{0}})
	}
	if d := sum.Diagnostics(); d.EntropySD != nil || d.Warning() != "" {
		t.Errorf("of single candidates: entropy SD %v, warning %q", d.EntropySD, d.Warning())
	}
	var one rcvae.DiagnosticsSum
	one.Add(rcvae.Posterior{Mu: []float32{1}, LogVar: []float32{0}})
	if one.Diagnostics().Collapsed() {
		t.Error("one solution of a good model is called collapsed")
	}
}

func TestDiagnosticsWarn(t *testing.T) {
	var collapsed, flat rcvae.DiagnosticsSum
	rng := rand.New(rand.NewPCG(2, 1))
	for range 30 {
		collapsed.Add(rcvae.Posterior{Mu: []float32{0}, LogVar: []float32{0}}, rcvae.Posterior{Mu: []float32{0.01}, LogVar: []float32{0}})
		m := float32(rng.NormFloat64())
		flat.Add(rcvae.Posterior{Mu: []float32{m}, LogVar: []float32{-1}}, rcvae.Posterior{Mu: []float32{-m}, LogVar: []float32{-1}})
	}
	if d := collapsed.Diagnostics(); !d.Collapsed() || !strings.Contains(d.Warning(), "collapsed") {
		t.Errorf("collapsed posterior: %q", d.Warning())
	}
	if d := flat.Diagnostics(); d.Collapsed() || !strings.Contains(d.Warning(), "arbitrary") {
		t.Errorf("equal entropies: %q", d.Warning())
	}
}
