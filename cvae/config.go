package cvae

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Names of the objectives; the package documentation says what they are.
const (
	Paper       = "paper"
	Authors     = "authors"
	Contrastive = "contrastive"
	Ratio       = "ratio"
)

// Objectives returns the names of all objectives.
func Objectives() []string { return []string{Paper, Authors, Contrastive, Ratio} }

// Config says what to train and how. Start from [DefaultConfig].
type Config struct {
	Objective string `json:"objective"`
	Dimension int    `json:"dimension"` // D, of the embeddings
	Latent    int    `json:"latent"`    // d, of z
	Hidden    []int  `json:"hidden"`    // widths of the ReLU layers, in the encoder and in the decoder; empty: linear

	Standardize   bool    `json:"standardize"`    // inputs per dimension to mean 0 and deviation 1 of the training part
	InputDropout  float64 `json:"input_dropout"`  // rate on the encoder's inputs
	HiddenDropout float64 `json:"hidden_dropout"` // rate after each hidden layer of the encoder

	MeanSquared    bool    `json:"mean_squared"`    // recon is |e|²/D, which has no variance
	LearnVariance  bool    `json:"learn_variance"`  // ln s² is a parameter that starts at LogVariance
	LogVariance    float64 `json:"log_variance"`    // ln s²
	Beta           float64 `json:"beta"`            // weight of the KL divergence in the ELBO
	KLWarmup       float64 `json:"kl_warmup"`       // epochs in which Beta rises from 0
	ELBOWeight     float64 `json:"elbo_weight"`     // weight of −ELBO in the loss
	ListwiseWeight float64 `json:"listwise_weight"` // λ, weight of the listwise loss; 0 for paper and authors

	LearningRate float64 `json:"learning_rate"` // of AdamW, at its highest
	Cosine       bool    `json:"cosine"`        // the learning rate falls to 0 along a cosine; otherwise it stays
	WeightDecay  float64 `json:"weight_decay"`  // decoupled
	ClipNorm     float64 `json:"clip_norm"`     // the gradient's norm is cut to it; 0: never
	Epochs       int     `json:"epochs"`
	Batch        int     `json:"batch"`    // about so many questions (contrastive, ratio) or pairs (paper, authors) a step
	Holdout      float64 `json:"holdout"`  // share of the questions that is held out for validation
	Patience     int     `json:"patience"` // stop after so many epochs without a better validation value; 0: never

	IWAESamples int    `json:"iwae_samples"` // draws of z for Likelihood.IWAE, even
	Seed        uint64 `json:"seed"`
}

// DefaultConfig returns the settings of an objective for embeddings of the given
// dimension. An unknown objective is left for [Config.Validate] to report.
func DefaultConfig(objective string, dimension int) Config {
	c := Config{
		Objective: objective, Dimension: dimension, Latent: 32, Hidden: []int{256},
		Beta: 1, ELBOWeight: 1, LearningRate: 1e-3, Cosine: true,
		Holdout: 1.0 / 8, IWAESamples: 16,
	}
	switch objective {
	case Contrastive, Ratio:
		c.Standardize, c.InputDropout, c.HiddenDropout = true, 0.2, 0.1
		c.LearnVariance, c.LogVariance = true, -0.3
		c.ELBOWeight, c.ListwiseWeight = 1/float64(max(dimension, 1)), 1
		c.WeightDecay, c.ClipNorm, c.Epochs, c.Batch = 0.05, 5, 8, 64
	case Paper:
		c.KLWarmup, c.Epochs, c.Batch, c.Patience = 3, 30, 256, 8
		if dimension == 1024 {
			c.Latent, c.Hidden = 256, []int{1024, 1024}
		}
	case Authors:
		c.MeanSquared, c.Cosine = true, false
		c.Latent, c.Hidden = 256, []int{256, 256}
		c.LearningRate, c.Epochs, c.Batch = 1e-4, 100, 256
	}
	return c
}

// Validate reports every field that makes no sense.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(slices.Contains(Objectives(), c.Objective), "objective %q is unknown: use one of %s", c.Objective, strings.Join(Objectives(), ", "))
	check(c.Dimension >= 1 && c.Dimension <= 1<<16, "dimension %d is outside [1, 65536]", c.Dimension)
	check(c.Latent >= 1 && c.Latent <= 1<<14, "latent %d is outside [1, 16384]", c.Latent)
	check(len(c.Hidden) <= 16, "hidden has %d layers, at most 16 are allowed", len(c.Hidden))
	for i, h := range c.Hidden {
		check(h >= 1 && h <= 1<<14, "hidden[%d] = %d is outside [1, 16384]", i, h)
	}
	for _, rate := range []struct {
		name  string
		value float64
	}{{"input_dropout", c.InputDropout}, {"hidden_dropout", c.HiddenDropout}, {"holdout", c.Holdout}} {
		check(rate.value >= 0 && rate.value <= 0.9, "%s %g is outside [0, 0.9]", rate.name, rate.value)
	}
	for _, weight := range []struct {
		name  string
		value float64
	}{
		{"beta", c.Beta}, {"kl_warmup", c.KLWarmup}, {"elbo_weight", c.ELBOWeight}, {"listwise_weight", c.ListwiseWeight},
		{"learning_rate", c.LearningRate}, {"weight_decay", c.WeightDecay}, {"clip_norm", c.ClipNorm},
	} {
		check(weight.value >= 0 && !math.IsInf(weight.value, 0), "%s %g is not a finite number of at least 0", weight.name, weight.value)
	}
	check(math.Abs(c.LogVariance) <= 20, "log_variance %g is outside [−20, 20]", c.LogVariance)
	check(!c.MeanSquared || !c.LearnVariance, "learn_variance needs mean_squared off: the mean squared error has no variance")
	check(c.grouped() || c.ListwiseWeight == 0, "listwise_weight %g needs objective %s or %s", c.ListwiseWeight, Contrastive, Ratio)
	check(c.ELBOWeight > 0 || c.ListwiseWeight > 0, "elbo_weight and listwise_weight are both 0: nothing to train")
	check(c.Epochs >= 1 && c.Epochs <= 1<<20, "epochs %d is outside [1, 1048576]", c.Epochs)
	check(c.Batch >= 1, "batch %d is below 1", c.Batch)
	check(c.Patience >= 0, "patience %d is below 0", c.Patience)
	check(c.IWAESamples >= 2 && c.IWAESamples <= 4096 && c.IWAESamples%2 == 0, "iwae_samples %d is not an even number in [2, 4096]", c.IWAESamples)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cvae config: %w", err)
	}
	return nil
}

// grouped reports whether a batch is made of whole questions with graded samples.
func (c Config) grouped() bool { return c.Objective == Contrastive || c.Objective == Ratio }

// listwise reports whether the loss has a listwise term.
func (c Config) listwise() bool { return c.grouped() && c.ListwiseWeight > 0 }

// classes returns the number of inputs of the decoder that tell right from wrong.
func (c Config) classes() int {
	if c.Objective == Ratio {
		return 1
	}
	return 0
}
