package cvae

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Config says what to train and how. Start from [DefaultConfig].
type Config struct {
	Objective string `json:"objective"`
	Dimension int    `json:"dimension"` // D, of the embeddings; 0: signals alone
	Latent    int    `json:"latent"`    // d, of z
	Hidden    []int  `json:"hidden"`    // widths of the ReLU layers, in the encoder and in the decoder; empty: linear

	Signals       []string `json:"signals,omitempty"`        // (S) names of the columns beside the embedding
	SignalVersion int      `json:"signal_version,omitempty"` // of the columns' definition
	SignalGroups  []string `json:"signal_groups,omitempty"`  // (S) columns of one name are dropped together; empty: each alone
	SignalCopies  int      `json:"signal_copies,omitempty"`  // how often the encoder sees each column
	SignalDropout float64  `json:"signal_dropout,omitempty"` // probability that a question's step drops a group

	Standardize   bool    `json:"standardize"`    // embeddings per dimension to mean 0 and deviation 1 of the training part; signals always are
	InputDropout  float64 `json:"input_dropout"`  // rate on the encoder's inputs
	HiddenDropout float64 `json:"hidden_dropout"` // rate after each hidden layer of the encoder

	MeanSquared    bool    `json:"mean_squared"`    // the reconstruction term is |e|²/(D+S), which has no variance
	LearnVariance  bool    `json:"learn_variance"`  // ln s² is a parameter that starts at LogVariance
	LogVariance    float64 `json:"log_variance"`    // ln s²
	Beta           float64 `json:"beta"`            // weight of the KL divergence in the ELBO
	KLWarmup       float64 `json:"kl_warmup"`       // epochs in which Beta rises from 0
	ELBOWeight     float64 `json:"elbo_weight"`     // weight of −ELBO in the loss
	ListwiseWeight float64 `json:"listwise_weight"` // λ, weight of the listwise loss; 0 for objectives without one

	LearningRate float64 `json:"learning_rate"` // of AdamW, at its highest
	Cosine       bool    `json:"cosine"`        // the learning rate falls to 0 along a cosine; otherwise it stays
	WeightDecay  float64 `json:"weight_decay"`  // decoupled
	ClipNorm     float64 `json:"clip_norm"`     // the gradient's norm is cut to it; 0: never
	Epochs       int     `json:"epochs"`
	Batch        int     `json:"batch"`    // target batch size, in questions (graded objectives) or candidates; an epoch is cut into equal steps, of up to twice as many
	Holdout      float64 `json:"holdout"`  // share of the questions that is held out for validation, by [rcvae.HeldOut]
	Patience     int     `json:"patience"` // stop after so many epochs without a better validation value; 0: never

	Precision string `json:"precision,omitempty"` // of products in training: Float32, which "" is too, or BFloat16

	IWAESamples int    `json:"iwae_samples"` // draws of z for Likelihood.ELBO and Likelihood.IWAE, even
	Seed        uint64 `json:"seed"`
}

// What [Config.Precision] can be. Weights, their updates and sums are float32 and losses
// float64 in both.
const (
	Float32  = "float32"
	BFloat16 = "bf16" // the factors of products are rounded to bfloat16
)

// DefaultConfig returns the settings of an objective for embeddings of the given
// dimension, with the signal columns of those names beside them. An unknown objective
// is left for [Config.Validate] to report.
func DefaultConfig(objective string, dimension int, signals ...string) Config {
	o, err := LookupObjective(objective)
	if err != nil {
		o.Name = objective
	}
	return o.Config(dimension, signals...)
}

// commonConfig returns what all objectives share.
func commonConfig(dimension int, signals []string) Config {
	return Config{
		Dimension: dimension, Latent: 32, Hidden: []int{256},
		Signals: slices.Clone(signals), SignalCopies: 8, SignalDropout: 0.1,
		Beta: 1, ELBOWeight: 1, LearningRate: 1e-3, Cosine: true,
		Holdout: 1.0 / 8, IWAESamples: 16,
	}
}

// Validate reports every field that makes no sense for an objective of this package.
func (c Config) Validate() error {
	objective, err := LookupObjective(c.Objective)
	return c.validate(objective, err)
}

// validate is Validate for the given objective, with an error found before.
func (c Config) validate(objective Objective, err error) error {
	errs := append([]error{err}, c.checkRanges()...)
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	names := slices.Sorted(slices.Values(c.Signals))
	check(len(names) == len(slices.Compact(slices.Clone(names))), "signals %q has a name twice", c.Signals)
	check(len(names) == 0 || names[0] != "", "signals %q has an empty name", c.Signals)
	check(len(c.SignalGroups) == 0 || len(c.SignalGroups) == len(names), "signal_groups has %d names for %d signals", len(c.SignalGroups), len(names))
	check(c.elements() > 0, "dimension 0 needs signals: there is nothing to train on")
	check(!c.MeanSquared || !c.LearnVariance, "learn_variance needs mean_squared off: the mean squared error has no variance")
	check(objective.Listwise || c.ListwiseWeight == 0, "listwise_weight %g needs an objective with a listwise loss: %s or %s", c.ListwiseWeight, Contrastive, Ratio)
	check(c.ELBOWeight > 0 || c.ListwiseWeight > 0, "elbo_weight and listwise_weight are both 0: nothing to train")
	check(c.Precision == "" || c.Precision == Float32 || c.Precision == BFloat16, "precision %q is not %s or %s", c.Precision, Float32, BFloat16)
	check(c.IWAESamples%2 == 0, "iwae_samples %d is not even", c.IWAESamples)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cvae config: %w", err)
	}
	return nil
}

// checkRanges reports every number that is out of its range.
func (c Config) checkRanges() (errs []error) {
	between := func(name string, value, low, high float64) {
		if !(value >= low && value <= high) {
			errs = append(errs, fmt.Errorf("%s %g is outside [%g, %g]", name, value, low, high))
		}
	}
	between("dimension", float64(c.Dimension), 0, 1<<16)
	between("latent", float64(c.Latent), 1, 1<<14)
	between("number of hidden layers", float64(len(c.Hidden)), 0, 16)
	for i, h := range c.Hidden {
		between(fmt.Sprintf("hidden[%d]", i), float64(h), 1, 1<<14)
	}
	between("number of signals", float64(len(c.Signals)), 0, 1024)
	between("signal_copies", float64(c.SignalCopies), float64(min(len(c.Signals), 1)), 64)
	between("signal_dropout", c.SignalDropout, 0, 0.9)
	between("input_dropout", c.InputDropout, 0, 0.9)
	between("hidden_dropout", c.HiddenDropout, 0, 0.9)
	between("holdout", c.Holdout, 0, 0.9)
	between("log_variance", c.LogVariance, -20, 20)
	between("beta", c.Beta, 0, 1e9)
	between("kl_warmup", c.KLWarmup, 0, 1<<20)
	between("elbo_weight", c.ELBOWeight, 0, 1e9)
	between("listwise_weight", c.ListwiseWeight, 0, 1e9)
	between("learning_rate", c.LearningRate, 0, math.MaxFloat32)
	between("weight_decay", c.WeightDecay, 0, 1e9)
	between("clip_norm", c.ClipNorm, 0, math.MaxFloat32)
	between("epochs", float64(c.Epochs), 1, 1<<20)
	between("batch", float64(c.Batch), 1, 1<<31)
	between("patience", float64(c.Patience), 0, 1<<31)
	between("iwae_samples", float64(c.IWAESamples), 2, 4096)
	return errs
}

// elements returns D + S, the number of elements of R_e.
func (c Config) elements() int { return c.Dimension + len(c.Signals) }

// solutionInputs returns the number of the encoder's inputs that belong to a solution:
// its embedding, the copies of the columns, and an indicator per column.
func (c Config) solutionInputs() int { return c.Dimension + len(c.Signals)*(c.SignalCopies+1) }
