package cvae

import (
	"fmt"

	"rcvae"
	"rcvae/internal/gemm"
	"rcvae/internal/nn"
)

// workspace is the memory of one call.
type workspace struct {
	pool     *gemm.Pool // of one worker: nothing runs outside the caller's goroutine
	question []float32  // (D), standardised
	target   []float32  // (n, D+S), standardised
	missing  []float32  // (n, S)
	x        []float32  // (n, solutionInputs), encoder input; target itself without signals
	bias     []float32
	buffers  [2][]float32
	white    []float32 // (n, D+S)
	squares  []float64 // (n), d²
	z        []float32 // (n·draws, d)
	sigma    []float32 // (d)
	recon    []float64 // (n·draws)
	weights  []float64 // (n·draws)
}

func newWorkspace() any { return &workspace{pool: gemm.NewPool(1)} }

// Infer implements [rcvae.Model]. The likelihoods are those of the present elements of
// the standardised R_e, without their constant −(n/2) ln 2π; see [rcvae.Likelihood] and
// the package documentation.
func (m *Model) Infer(question rcvae.Embedding, solutions []rcvae.Solution, likelihoods bool) ([]rcvae.Inference, error) {
	if len(solutions) == 0 {
		return nil, nil
	}
	w := m.workspaces.Get().(*workspace)
	defer m.workspaces.Put(w)
	if err := m.standardize(w, question, solutions); err != nil {
		return nil, err
	}
	out := make([]rcvae.Inference, len(solutions))
	if err := m.encode(w, out); err != nil {
		return nil, err
	}
	if err := m.weigh(w, out); err != nil {
		return nil, err
	}
	if likelihoods {
		m.decode(w, out)
	}
	return out, nil
}

// standardize leaves the inputs in the workspace.
func (m *Model) standardize(w *workspace, question rcvae.Embedding, solutions []rcvae.Solution) error {
	if err := checkEmbedding(question, m.config.Dimension); err != nil {
		return fmt.Errorf("question: %w", err)
	}
	n, E, S, in := len(solutions), m.config.elements(), len(m.config.Signals), m.config.solutionInputs()
	w.question = nn.Resize(w.question, len(question))
	m.q.apply(w.question, question)
	w.target, w.missing = nn.Resize(w.target, n*E), nn.Resize(w.missing, n*S)
	for i, s := range solutions {
		if err := checkSolution(s, m.config); err != nil {
			return fmt.Errorf("solution %d: %w", i, err)
		}
		m.elements(w.target[i*E:(i+1)*E], w.missing[i*S:(i+1)*S], s)
	}
	if S == 0 {
		return nil
	}
	w.x = nn.Resize(w.x, n*in)
	for i := range n {
		m.encoderInput(w.x[i*in:(i+1)*in], w.target[i*E:(i+1)*E], w.missing[i*S:(i+1)*S])
	}
	return nil
}

// encode sets the posteriors.
func (m *Model) encode(w *workspace, out []rcvae.Inference) error {
	d, x := m.config.Latent, w.x
	if len(m.config.Signals) == 0 {
		x = w.target
	}
	w.bias = m.encodes.condition(w.bias, w.question, 0)
	values := append([]float32(nil), m.encodes.forward(w.pool, len(out), x, w.bias, &w.buffers)...)
	for i := range out {
		row := values[i*2*d : (i+1)*2*d : (i+1)*2*d]
		for _, v := range row {
			if v-v != 0 {
				return fmt.Errorf("solution %d: its posterior is not finite: the embedding is not of unit length, or the model's weights are broken", i)
			}
		}
		mu, logVar := row[:d:d], row[d:]
		for j, v := range logVar {
			logVar[j] = clamp(v)
		}
		out[i].Posterior = rcvae.Posterior{Mu: mu, LogVar: logVar}
	}
	return nil
}
