package eval

// Training says how a model was trained, as its file keeps it.
type Training struct {
	Model      string   `json:"model"` // is that of [Diagnostic]
	Objective  string   `json:"objective"`
	Embedder   string   `json:"embedder"`
	Signals    []string `json:"signals,omitempty"` // columns that the model reads
	Questions  int      `json:"questions"`         // trained on
	Candidates int      `json:"candidates"`        // of these questions
	Latent     int      `json:"latent"`            // d
	BestEpoch  int      `json:"best_epoch"`        // whose weights the model has
	Curve      []Epoch  `json:"curve"`             // one per epoch
	Warnings   []string `json:"warnings,omitempty"`
}

// Epoch is one epoch of a training.
type Epoch struct {
	Epoch       int      `json:"epoch"` // from 1
	Loss        float64  `json:"loss"`
	Validation  *float64 `json:"validation,omitempty"` // lower is better; absent without held-out questions
	KL          float64  `json:"kl_nats"`
	ActiveUnits int      `json:"active_units"`
}
