package cvae

import (
	"encoding/json"
	"fmt"
	"math"
	"sync"

	"rcvae"
	"rcvae/internal/gemm"
	"rcvae/internal/nn"
)

// Model is a trained CVAE. Its methods may be called at the same time, but for
// [Model.SetTau].
type Model struct {
	config      Config
	fingerprint rcvae.Fingerprint
	summary     Summary
	calibration rcvae.Calibration
	provenance  json.RawMessage

	net        *network
	params     []float32
	q, r       standardizer
	encoder    *conditioned
	decoder    *conditioned
	domain     *domain   // nil: not known
	noise      []float32 // (IWAESamples, d), antithetic
	workspaces sync.Pool // of *workspace
}

var _ rcvae.LikelihoodModel = (*Model)(nil)

// newModel makes the parameters ready for inference. It keeps the slices.
func newModel(c Config, params []float32, q, r standardizer) *Model {
	m := &Model{config: c, net: newNetwork(c), params: params, q: q, r: r}
	m.encoder = newConditioned(m.net.encoder, params, c.Dimension, c.Dimension)
	m.decoder = newConditioned(m.net.decoder, params, c.Dimension, c.Latent)
	m.calibration = rcvae.Calibration{Objective: c.Objective, Scale: m.net.scale(c, params), Tau: 0.5}
	m.noise = make([]float32, c.IWAESamples*c.Latent)
	half := len(m.noise) / 2
	nn.NewNormal().Fill(m.noise[:half], nn.Key(c.Seed, streamIWAE))
	for i, e := range m.noise[:half] {
		m.noise[half+i] = -e
	}
	return m
}

// Config returns the settings that the model was trained with.
func (m *Model) Config() Config { return m.config }

// Fingerprint returns the fingerprint of the embedder that the model was trained on.
func (m *Model) Fingerprint() rcvae.Fingerprint { return m.fingerprint }

// Summary returns how the model was trained.
func (m *Model) Summary() Summary { return m.summary }

// Provenance returns the JSON value that [Options].Provenance held, or nil.
func (m *Model) Provenance() json.RawMessage { return m.provenance }

// Calibration returns how posteriors become scores. For the objective ratio the
// score is Scale · Likelihood.Ratio.
func (m *Model) Calibration() rcvae.Calibration { return m.calibration }

// SetTau sets the τ of vote weights exp(τ · score), which is chosen on held-out
// questions (see [Holdout]) after training.
func (m *Model) SetTau(tau float64) error {
	if !(tau >= 0) || math.IsInf(tau, 0) {
		return fmt.Errorf("tau %g is not a finite number of at least 0", tau)
	}
	m.calibration.Tau = tau
	return nil
}

// CheckEmbedder returns an error when the model was trained on another embedder
// than the one with the given fingerprint.
func (m *Model) CheckEmbedder(fingerprint rcvae.Fingerprint) error {
	if fingerprint == m.fingerprint {
		return nil
	}
	return fmt.Errorf("the model was trained on embedder %v, not %v: use that embedder, or train a model with this one", m.fingerprint, fingerprint)
}

// workspace is the memory of one call.
type workspace struct {
	pool       *gemm.Pool // of one worker: nothing runs outside the caller's goroutine
	question   []float32  // (D), standardised
	solutions  []float32  // (n, D), standardised
	bias       []float32
	buffers    [2][]float32
	mu, logVar []float32 // (n, d)
	z          []float32 // (n·draws, d)
	sigma      []float32 // (d)
}

func (m *Model) workspace() *workspace {
	if w, ok := m.workspaces.Get().(*workspace); ok {
		return w
	}
	return &workspace{pool: gemm.NewPool(1)}
}

// Posteriors implements [rcvae.Model]: posteriors (d) of n solutions of a question.
func (m *Model) Posteriors(question rcvae.Embedding, solutions []rcvae.Embedding) ([]rcvae.Posterior, error) {
	if len(solutions) == 0 {
		return nil, nil
	}
	w := m.workspace()
	defer m.workspaces.Put(w)
	if err := m.encode(w, question, solutions); err != nil {
		return nil, err
	}
	d := m.config.Latent
	values := make([]float32, 0, 2*len(w.mu))
	values = append(append(values, w.mu...), w.logVar...)
	out := make([]rcvae.Posterior, len(solutions))
	for i := range out {
		mu, logVar := i*d, len(w.mu)+i*d
		out[i] = rcvae.Posterior{Mu: values[mu : mu+d : mu+d], LogVar: values[logVar : logVar+d : logVar+d]}
	}
	return out, nil
}

// encode standardises the inputs and leaves the posteriors in the workspace.
func (m *Model) encode(w *workspace, question rcvae.Embedding, solutions []rcvae.Embedding) error {
	if err := m.standardizeInputs(w, question, solutions); err != nil {
		return err
	}
	d, n := m.config.Latent, len(solutions)
	w.bias = m.encoder.condition(w.bias, w.question, 0)
	out := m.encoder.forward(w.pool, n, w.solutions, w.bias, &w.buffers)
	w.mu, w.logVar = nn.Resize(w.mu, n*d), nn.Resize(w.logVar, n*d)
	for i := range n {
		for _, v := range out[i*2*d : (i+1)*2*d] {
			if v-v != 0 {
				return fmt.Errorf("solution %d: its posterior is not finite: the embedding is not of unit length, or the model's weights are broken", i)
			}
		}
		copy(w.mu[i*d:(i+1)*d], out[i*2*d:])
		for j, v := range out[i*2*d+d : (i+1)*2*d] {
			w.logVar[i*d+j] = clamp(v)
		}
	}
	return nil
}

// standardizeInputs leaves the standardised inputs in the workspace.
func (m *Model) standardizeInputs(w *workspace, question rcvae.Embedding, solutions []rcvae.Embedding) error {
	D := m.config.Dimension
	w.question = nn.Resize(w.question, D)
	if err := m.standardize(m.q, w.question, question); err != nil {
		return fmt.Errorf("question: %w", err)
	}
	w.solutions = nn.Resize(w.solutions, len(solutions)*D)
	for i, s := range solutions {
		if err := m.standardize(m.r, w.solutions[i*D:(i+1)*D], s); err != nil {
			return fmt.Errorf("solution %d: %w", i, err)
		}
	}
	return nil
}

func (m *Model) standardize(s standardizer, dst []float32, x rcvae.Embedding) error {
	if len(x) == len(dst) && s.apply(dst, x) {
		return nil
	}
	return checkEmbedding(x, len(dst))
}
