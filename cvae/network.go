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
	config      Config
	layout      nn.Layout
	encoder     nn.MLP  // (rows, D + D + S·copies + S) [q; r; φ; missing] → (rows, 2d) [mu; logVar]
	decoder     nn.MLP  // (rows, D + d + classes) [q; z; c] → (rows, D + S) R̂
	logVariance nn.View // ln s²; absent when it is not learned
	logScale    nn.View // α; absent without a listwise loss
}

func newNetwork(c Config, o Objective) *network {
	n := &network{config: c}
	classes := 0
	if o.Classes {
		classes = 1
	}
	n.encoder = nn.NewMLP(&n.layout, "encoder", c.Dimension+c.solutionInputs(), c.Hidden, 2*c.Latent)
	n.decoder = nn.NewMLP(&n.layout, "decoder", c.Dimension+c.Latent+classes, c.Hidden, c.elements())
	if c.LearnVariance {
		n.logVariance = n.layout.Add("decoder.log_variance")
	}
	if o.Listwise && c.ListwiseWeight > 0 {
		n.logScale = n.layout.Add("score.log_scale")
	}
	return n
}

// initial returns the parameters that training starts from.
func (n *network) initial() []float32 {
	c, params := n.config, make([]float32, n.layout.Size())
	n.encoder.Init(params, nn.Key(c.Seed, streamInit, 0))
	n.decoder.Init(params, nn.Key(c.Seed, streamInit, 1))
	if c.LearnVariance {
		n.logVariance.Of(params)[0] = float32(c.LogVariance)
	}
	return params
}

// logVarianceOf returns ln s². The mean squared error |e|²/(D+S) is the reconstruction
// term of s² = (D+S)/2, but for a constant.
func (n *network) logVarianceOf(params []float32) float64 {
	switch {
	case n.config.LearnVariance:
		return float64(n.logVariance.Of(params)[0])
	case n.config.MeanSquared:
		return math.Log(float64(n.config.elements()) / 2)
	}
	return n.config.LogVariance
}

// logScaleOf returns α, 0 without a listwise loss.
func (n *network) logScaleOf(params []float32) float64 {
	if n.logScale.Len == 0 {
		return 0
	}
	return float64(n.logScale.Of(params)[0])
}

// clamp keeps NaN, which the loss then reports.
func clamp(logVar float32) float32 { return min(max(logVar, minLogVar), maxLogVar) }

// Streams keep the random numbers of different uses apart.
const (
	streamInit = iota
	streamOrder
	streamInputDropout
	streamHiddenDropout
	streamNoise
	streamValidation
	streamIWAE
	streamSignalDropout
)

// randomness is all that a forward pass leaves to chance. The zero value with a noise
// drops nothing.
type randomness struct {
	key           uint64 // of the dropout, with the candidate's or the question's number
	input, hidden nn.Dropout
	signals       float64                                    // probability that a question drops a group of columns
	noise         func(worker, candidate int, eps []float32) // standard normal, (d)
}

// drop makes the columns of the groups that a question drops missing ones.
func (r randomness) drop(columns, missing []float32, groups []int, question int) {
	for j, group := range groups {
		u := float64(nn.Key(r.key, streamSignalDropout, uint64(question), uint64(group))>>11) / (1 << 53)
		if u < r.signals {
			columns[j], missing[j] = 0, 1
		}
	}
}
