package rcvae

// Solution is what a [Model] sees of one candidate, R_e = [r; φ]: the embedding of
// its text with the signals beside it.
type Solution struct {
	Embedding Embedding // (D), r
	Signals   []float64 // (S), φ: the columns that [ModelInfo].Signals names; NaN where a column does not apply
}

// Encoded is a question whose text and candidates are embedded: what models are
// trained on.
type Encoded struct {
	Question
	Embedding Embedding  // (D), q
	Solutions []Solution // (n), one per candidate
}

// Model is a trained CVAE. It may be used from several goroutines at once.
type Model interface {
	// Infer encodes the n solutions of one question, all embedded by the embedder that
	// the model names, and returns n inferences in input order. The result for a
	// solution does not depend on the others. Likelihoods are computed only if asked
	// for.
	Infer(question Embedding, solutions []Solution, likelihoods bool) ([]Inference, error)

	// Info returns what the model was trained on and how to use it.
	Info() ModelInfo
}

// Inference is what a model says of one candidate.
type Inference struct {
	Posterior Posterior

	// InDistribution is 1 for a solution like those that the model was trained on and
	// 0 for an out-of-distribution one, whose scores say nothing. With d² the squared
	// Mahalanobis distance per dimension of R_e from the training samples', and Near
	// and Far of the model's [Calibration],
	//
	//	clip((ln Far − ln d²) / (ln Far − ln Near), 0, 1)
	//
	// A model that cannot tell returns 1.
	//
	// Source: Lee, Lee, Lee, Shin 2018, "A simple unified framework for detecting
	// out-of-distribution samples and adversarial attacks".
	InDistribution float64

	Likelihood Likelihood // zero unless it was asked for
}

// Likelihood holds what the decoder says of one candidate, in nats of the
// standardised embedding. Higher is better, but for Recon.
type Likelihood struct {
	Recon float64 // ½|r − r̂|², at z = Mu; lower is better
	ELBO  float64 // evidence lower bound on ln p(r|q), with its expectation over z
	IWAE  float64 // importance-weighted bound on ln p(r|q)
	Ratio float64 // ln p(r|q, correct) − ln p(r|q, incorrect); NaN for models without classes
}

// ModelInfo says what a model was trained on and how its outputs become scores.
type ModelInfo struct {
	Fingerprint   Fingerprint // of the embedder
	Signals       []string    // names of the signal columns, in the order of [Solution].Signals; empty: none
	SignalVersion int         // version of the columns' definition; 0 without signals
	Classes       bool        // the decoder knows correct and incorrect: Likelihood.Ratio is a number
	Calibration   Calibration
}

// Calibration turns a posterior into a score that votes can be weighted with.
type Calibration struct {
	Objective string  `json:"objective"` // the objective that the model was trained with
	Score     string  `json:"score"`     // the score that Scale belongs to: "entropy" or "ratio"
	Scale     float64 `json:"scale"`     // score = −Scale · HalfLogVar, per nat; e^α/5 where α was learned
	Tau       float64 `json:"tau"`       // vote weight = exp(Tau · score); 0 is a majority vote

	// Distances d² up to which a solution is in-distribution and from which it is out
	// of it, see [Inference]; both 0 for models that cannot tell.
	Near float64 `json:"near,omitempty"`
	Far  float64 `json:"far,omitempty"`
}
