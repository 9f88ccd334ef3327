package rcvae_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"rcvae"
)

// posteriors draws Gaussians with ln σ² in the range that an encoder gives.
func posteriors() *rapid.Generator[rcvae.Posterior] {
	return rapid.Custom(func(t *rapid.T) rcvae.Posterior {
		d := rapid.IntRange(1, 8).Draw(t, "d")
		return rcvae.Posterior{
			Mu:     rapid.SliceOfN(rapid.Float32Range(-3, 3), d, d).Draw(t, "mu"),
			LogVar: rapid.SliceOfN(rapid.Float32Range(-10, 5), d, d).Draw(t, "logVar"),
		}
	})
}

func TestKLIsADivergence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := posteriors().Draw(t, "posterior")
		if kl := p.KL(); kl < 0 {
			t.Errorf("KL() = %g, want at least 0", kl)
		}
		if got, want := p.Entropy()-p.HalfLogVar(), float64(len(p.Mu))/2*math.Log(2*math.Pi*math.E); math.Abs(got-want) > 1e-12*want+1e-12 {
			t.Errorf("Entropy() − HalfLogVar() = %g, want %g", got, want)
		}
	})
	prior := rcvae.Posterior{Mu: make([]float32, 5), LogVar: make([]float32, 5)}
	if got := prior.KL(); got != 0 {
		t.Errorf("KL() of the prior = %g, want 0", got)
	}
}

// TestPosteriorMatchesMonteCarlo estimates −E ln q and E ln q/p from draws of q.
func TestPosteriorMatchesMonteCarlo(t *testing.T) {
	p := rcvae.Posterior{Mu: []float32{0.5, -1.2, 0}, LogVar: []float32{-2, 0.3, 1}}
	rng := rand.New(rand.NewPCG(1, 2))
	const draws = 200_000
	var entropy, kl float64
	for range draws {
		var logQ, logP float64
		for j, lv := range p.LogVar {
			e := rng.NormFloat64()
			z := float64(p.Mu[j]) + math.Exp(float64(lv)/2)*e
			logQ -= (e*e + float64(lv) + math.Log(2*math.Pi)) / 2
			logP -= (z*z + math.Log(2*math.Pi)) / 2
		}
		entropy -= logQ / draws
		kl += (logQ - logP) / draws
	}
	if got := p.Entropy(); math.Abs(got-entropy) > 0.01 {
		t.Errorf("Entropy() = %.4f, want %.4f ± 0.01", got, entropy)
	}
	if got := p.KL(); math.Abs(got-kl) > 0.02 {
		t.Errorf("KL() = %.4f, want %.4f ± 0.02", got, kl)
	}
}

// TestHalfLogVarKeepsDigits ranks two posteriors whose entropies float32 cannot tell apart.
func TestHalfLogVarKeepsDigits(t *testing.T) {
	a, b := rcvae.Posterior{LogVar: make([]float32, 256)}, rcvae.Posterior{LogVar: make([]float32, 256)}
	b.LogVar[255] = 1e-6
	if float32(a.Entropy()) != float32(b.Entropy()) {
		t.Fatal("the case is too easy")
	}
	if a.HalfLogVar() >= b.HalfLogVar() {
		t.Errorf("HalfLogVar() = %g and %g, want the second larger", a.HalfLogVar(), b.HalfLogVar())
	}
}

func TestNorm(t *testing.T) {
	if got := (rcvae.Posterior{Mu: []float32{3, -4}}).Norm(); got != 5 {
		t.Errorf("Norm() = %g, want 5", got)
	}
}

func ExamplePosterior() {
	p := rcvae.Posterior{Mu: []float32{1, 0}, LogVar: []float32{-2, 0}}
	fmt.Printf("entropy %.3f nats, KL %.3f nats, norm %.0f\n", p.Entropy(), p.KL(), p.Norm())
	// Output: entropy 1.838 nats, KL 1.068 nats, norm 1
}
