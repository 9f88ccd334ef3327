package cvae

import (
	"math"

	"rcvae/internal/nn"
)

// The encoder's ln σ² is clamped to [minLogVar, maxLogVar].
const (
	minLogVar = -10
	maxLogVar = 5
)

// network says where the parameters lie in the flat vector.
type network struct {
	layout      nn.Layout
	encoder     nn.MLP  // (rows, 2D) [q; r] → (rows, 2d) [mu; logVar]
	decoder     nn.MLP  // (rows, D+d+classes) [q; z; c] → (rows, D) r̂
	logVariance nn.View // ln s²; absent when it is not learned
	logScale    nn.View // α; absent without a listwise loss
}

func newNetwork(c Config) *network {
	n := &network{}
	n.encoder = nn.NewMLP(&n.layout, "encoder", 2*c.Dimension, c.Hidden, 2*c.Latent)
	n.decoder = nn.NewMLP(&n.layout, "decoder", c.Dimension+c.Latent+c.classes(), c.Hidden, c.Dimension)
	if c.LearnVariance {
		n.logVariance = n.layout.Add("decoder.log_variance")
	}
	if c.listwise() {
		n.logScale = n.layout.Add("score.log_scale")
	}
	return n
}

// initial returns the parameters that training starts from.
func (n *network) initial(c Config) []float32 {
	params := make([]float32, n.layout.Size())
	n.encoder.Init(params, nn.Key(c.Seed, streamInit, 0))
	n.decoder.Init(params, nn.Key(c.Seed, streamInit, 1))
	if c.LearnVariance {
		n.logVariance.Of(params)[0] = float32(c.LogVariance)
	}
	return params
}

// Streams keep the random numbers of different uses apart.
const (
	streamInit = iota
	streamOrder
	streamInputDropout
	streamHiddenDropout
	streamNoise
	streamValidation
	streamIWAE
	streamHoldout
)

// variance returns ln s². The mean squared error |e|²/D is the reconstruction
// term of s² = D/2, but for a constant.
func (n *network) variance(c Config, params []float32) float64 {
	switch {
	case c.LearnVariance:
		return float64(n.logVariance.Of(params)[0])
	case c.MeanSquared:
		return math.Log(float64(c.Dimension) / 2)
	}
	return c.LogVariance
}

// scale returns exp(α)/5, and 1/5 without a listwise loss.
func (n *network) scale(c Config, params []float32) float64 {
	if c.listwise() {
		return math.Exp(float64(n.logScale.Of(params)[0])) / 5
	}
	return 1.0 / 5
}

// standardizer maps an embedding x to (x − mean) · inverse, per dimension.
type standardizer struct {
	mean    []float32 // (D)
	scale   []float32 // (D), the deviation
	inverse []float32 // (D), 1/scale
}

func newStandardizer(mean, scale []float32) standardizer {
	inverse := make([]float32, len(scale))
	for j, s := range scale {
		inverse[j] = 1 / s
	}
	return standardizer{mean: mean, scale: scale, inverse: inverse}
}

// apply sets dst to the standardised x and reports whether all of it is finite.
func (s standardizer) apply(dst, x []float32) (finite bool) {
	mean, inverse := s.mean[:len(x)], s.inverse[:len(x)]
	dst = dst[:len(x)]
	var poison float32 // 0·v is NaN for infinities and NaN
	for j, v := range x {
		v = (v - mean[j]) * inverse[j]
		poison += 0 * v
		dst[j] = v
	}
	return poison == 0
}
