package cvae

import (
	"encoding/json"
	"math"
	"sync"

	"rcvae"
	"rcvae/internal/nn"
)

// Model is a trained CVAE. It does not change: [Model.WithCalibration] returns a copy.
type Model struct {
	*inputs
	objective   Objective // without its functions in a loaded model
	fingerprint rcvae.Fingerprint
	summary     Summary
	calibration rcvae.Calibration
	record      json.RawMessage // of the embedder
	provenance  json.RawMessage

	net       *network
	params    []float32
	encodes   *conditioned
	decodes   *conditioned
	whitening *whitening // nil: not known

	noise      func() []float32 // (IWAESamples, d), antithetic; drawn when first needed
	workspaces *sync.Pool       // of *workspace
}

var _ rcvae.Model = (*Model)(nil)

// newModel makes the parameters ready for inference. It keeps the slices.
func newModel(o Objective, params []float32, in *inputs) *Model {
	c, net := in.config, newNetwork(in.config, o)
	return &Model{
		inputs: in, objective: o, net: net, params: params,
		encodes: newConditioned(net.encoder, params, c.Dimension, c.solutionInputs()),
		decodes: newConditioned(net.decoder, params, c.Dimension, c.Latent),
		calibration: rcvae.Calibration{
			Objective: c.Objective, Score: o.Score, Scale: math.Exp(net.logScaleOf(params)) / 5, Tau: 0.5,
		},
		noise:      sync.OnceValue(func() []float32 { return drawNoise(c) }),
		workspaces: &sync.Pool{New: newWorkspace},
	}
}

// drawNoise returns the fixed noise of z: the second half is the negated first.
func drawNoise(c Config) []float32 {
	noise := make([]float32, c.IWAESamples*c.Latent)
	half := len(noise) / 2
	nn.NewNormal().Fill(noise[:half], nn.Key(c.Seed, streamIWAE))
	for i, e := range noise[:half] {
		noise[half+i] = -e
	}
	return noise
}

// Config returns the settings that the model was trained with.
func (m *Model) Config() Config { return m.config }

// Summary returns how the model was trained.
func (m *Model) Summary() Summary { return m.summary }

// Provenance returns the JSON value that [Options].Provenance held, or nil.
func (m *Model) Provenance() json.RawMessage { return m.provenance }

// EmbedderRecord returns the JSON value that [Options].EmbedderRecord held, or nil.
func (m *Model) EmbedderRecord() json.RawMessage { return m.record }

// Info implements [rcvae.Model].
func (m *Model) Info() rcvae.ModelInfo {
	return rcvae.ModelInfo{
		Fingerprint: m.fingerprint, Signals: m.config.Signals, SignalVersion: m.config.SignalVersion,
		Classes: m.objective.Classes, Calibration: m.calibration,
	}
}

// WithCalibration returns a copy of the model, which shares its weights, with the
// calibration in place of its own. Train leaves Tau at 0.5; what is better is chosen on
// the questions that [rcvae.HeldOut] holds out.
func (m *Model) WithCalibration(c rcvae.Calibration) *Model {
	out := *m
	out.calibration = c
	return &out
}
