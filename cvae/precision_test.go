package cvae

import (
	"math"
	"slices"
	"testing"

	"rcvae"
	"rcvae/internal/gemm"
	"rcvae/internal/nn"
)

// gradient returns the loss of a batch under a precision and its gradient.
func gradient(t *testing.T, c Config, precision string) (float64, *network, []float32) {
	t.Helper()
	c.Precision = precision
	d, o := newTestData(t, c, synthetic(16, 4, c.Dimension, 3))
	pool := gemm.NewPool(1)
	defer pool.Close()
	net, noise := newNetwork(c, o), nn.NewNormal()
	p := newPass(net, d, d.fit(c, d.questions), pool, net.initial())
	r := randomness{key: 11, noise: func(_, candidate int, eps []float32) { noise.Fill(eps, uint64(candidate)) }}
	b := wholeBatch(d, o)
	loss := o.Loss(p.forward(b, r))
	p.backward(b, r, loss)
	return loss.Value, net, p.grads
}

// TestBFloat16Gradients: rounding changes the gradient of every weight matrix. Without
// hidden layers the loss is smooth and the change is a few of bfloat16's 2⁻⁸ in Euclidean
// norm; with them, units whose input is near 0 switch, and only the direction stays.
func TestBFloat16Gradients(t *testing.T) {
	for _, objective := range []string{Paper, Contrastive, Ratio} {
		for _, hidden := range [][]int{nil, {40, 37}} {
			c, limit := small(objective, 33), 5.0/256
			if c.Hidden = hidden; hidden != nil {
				limit = 0.15 // cosine 0.99
			}
			loss, net, want := gradient(t, c, Float32)
			rounded, _, got := gradient(t, c, BFloat16)
			if math.Abs(rounded-loss) > math.Abs(loss)/256 {
				t.Errorf("%s, hidden %v: loss = %v, with bf16 %v", objective, hidden, loss, rounded)
			}
			for _, v := range net.layout.Views() {
				if e := distance(v.Of(got), v.Of(want)); !(e < limit) || len(v.Shape) > 1 && e == 0 {
					t.Errorf("%s, hidden %v: gradient of %s is off by %.5f of its norm, want some, and less than %.5f", objective, hidden, v.Name, e, limit)
				}
			}
		}
	}
}

// TestBFloat16IsForTraining: what a model infers does not depend on the precision that it was
// trained with, on two layers whose products would show it.
func TestBFloat16IsForTraining(t *testing.T) {
	c := small(Contrastive, 33)
	c.Hidden = []int{40, 37}
	plain := untrained(t, c)
	c.Precision = BFloat16
	rounded := untrained(t, c)
	for i, e := range synthetic(16, 4, c.Dimension, 3) {
		want, got := infer(t, plain, e.Embedding, e.Solutions), infer(t, rounded, e.Embedding, e.Solutions)
		if !slices.EqualFunc(got, want, func(a, b rcvae.Inference) bool {
			return slices.Equal(a.Posterior.Mu, b.Posterior.Mu) && slices.Equal(a.Posterior.LogVar, b.Posterior.LogVar)
		}) {
			t.Errorf("question %d: the posteriors differ", i)
		}
	}
}

// distance returns |got − want| / |want|.
func distance(got, want []float32) float64 {
	var off, norm float64
	for i, w := range want {
		off += math.Pow(float64(got[i]-w), 2)
		norm += float64(w) * float64(w)
	}
	return math.Sqrt(off / norm)
}

// TestBFloat16TrainsAsFloat32 compares curves of five seeds: in every epoch their mean losses
// differ by less than the seeds' standard deviation.
func TestBFloat16TrainsAsFloat32(t *testing.T) {
	for _, objective := range []string{Paper, Contrastive} {
		c := small(objective, 24)
		c.Epochs, c.Batch, c.LearningRate = 12, 16, 1e-2
		data := synthetic(80, 6, 24, 5)
		curves := map[string][][]float64{} // by precision: (epochs, seeds)
		for _, precision := range []string{Float32, BFloat16} {
			curves[precision] = make([][]float64, c.Epochs)
			for seed := range uint64(5) {
				c.Precision, c.Seed = precision, seed
				for i, e := range run(t, c, data, Options{}).Summary().Curve {
					curves[precision][i] = append(curves[precision][i], e.Loss)
				}
			}
		}
		same := true
		for i, losses := range curves[Float32] {
			want, spread := meanAndDeviation(losses)
			got, _ := meanAndDeviation(curves[BFloat16][i])
			if math.Abs(got-want) > spread {
				t.Errorf("%s, epoch %d: mean loss = %.5f with bf16, %.5f with float32, whose seeds spread by %.5f", objective, i+1, got, want, spread)
			}
			same = same && slices.Equal(losses, curves[BFloat16][i])
		}
		if same {
			t.Errorf("%s: bf16 changes nothing", objective)
		}
	}
}

func meanAndDeviation(x []float64) (mean, deviation float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		deviation += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return mean, math.Sqrt(deviation)
}
