package cvae

import "math"

// Statistics are all that a loss sees of a batch: one row per candidate, with the
// weights of the loss's terms.
type Statistics struct {
	Rows  []Row  // (R)
	Lists []List // of the questions with rows in the listwise loss

	LogVariance float64 // ln s², of the decoder
	LogScale    float64 // α, of the score
	Elements    int     // D + S, of R_e
	MeanSquared bool    // the reconstruction term is |e|²/(D+S): s² = (D+S)/2, without its logarithm

	Beta           float64 // of the KL divergence
	ELBOWeight     float64
	ListwiseWeight float64
}

// Row holds the statistics of one candidate.
type Row struct {
	Role        Role
	Correct     bool
	Elements    int        // of R_e that are present
	Square      float64    // |R_e − R̂|² at the drawn z; with InELBO
	ClassSquare [2]float64 // |R_e − R̂|² at z = mu under the class 0 and 1; with InList and Objective.Classes
	KL          float64    // nats
	HalfLogVar  float64    // ½ Σⱼ logVarⱼ, nats
}

// List is the rows [From, To) of one question that has correct and incorrect rows with
// InList. Rows without that role may lie between them.
type List struct {
	From, To int
	Weight   float64 // the question's number of candidates
}

// Loss is the loss of a batch with its gradient by the statistics.
type Loss struct {
	Terms
	Rows        []Gradient // (R)
	LogVariance float64
	LogScale    float64
}

// Gradient is the gradient by one row's statistics.
type Gradient struct {
	Square      float64
	ClassSquare [2]float64
	KL          float64
	HalfLogVar  float64
}

// Terms are sums over a batch or an epoch; means are taken when they are shown.
type Terms struct {
	Samples  float64 `json:"samples"`  // rows in the ELBO
	Recon    float64 `json:"recon"`    // Σ of their reconstruction terms, nats
	KL       float64 `json:"kl"`       // Σ of their KL divergences, nats
	Weight   float64 `json:"weight"`   // Σ weight of the lists
	Listwise float64 `json:"listwise"` // Σ weight · listwise loss
	Steps    float64 `json:"steps"`    // counted by the training
	Value    float64 `json:"loss"`     // Σ over steps of what is minimised
}

// NegativeELBO returns ELBOWeight · mean(−ELBO) over the rows with InELBO, where
//
//	−ELBO = |R_e − R̂|²/(2s²) + (n/2) ln s² + Beta·KL
//
// for a row of n present elements.
func (s Statistics) NegativeELBO() Loss {
	loss := Loss{Rows: make([]Gradient, len(s.Rows))}
	for _, row := range s.Rows {
		if row.Role.Has(InELBO) {
			loss.Samples++
		}
	}
	if loss.Samples == 0 {
		return loss
	}
	weight, precision := s.ELBOWeight/loss.Samples, math.Exp(-s.LogVariance)
	for i, row := range s.Rows {
		if !row.Role.Has(InELBO) {
			continue
		}
		misfit, half := row.Square*precision/2, float64(row.Elements)/2
		loss.Recon += misfit
		if !s.MeanSquared {
			loss.Recon += half * s.LogVariance
		}
		loss.KL += row.KL
		loss.Rows[i] = Gradient{Square: weight * precision / 2, KL: weight * s.Beta}
		loss.LogVariance += weight * (half - misfit)
	}
	loss.Value = weight * (loss.Recon + s.Beta*loss.KL)
	return loss
}

// AddListwise adds ListwiseWeight times the listwise loss of the scores (R),
//
//	−ln ( Σ_correct exp sᵢ / Σ exp sᵢ )
//
// averaged over the lists by their weights, and returns the gradient (R) by the scores,
// which the caller hands on to what its scores are made of.
func (l *Loss) AddListwise(s Statistics, scores []float64) []float64 {
	gradient := make([]float64, len(scores))
	for _, list := range s.Lists {
		l.Weight += list.Weight
	}
	for _, list := range s.Lists {
		all, correct := logSumExp(s.Rows, scores, list, false), logSumExp(s.Rows, scores, list, true)
		l.Listwise += list.Weight * (all - correct)
		for i := list.From; i < list.To; i++ {
			if !s.Rows[i].Role.Has(InList) {
				continue
			}
			d := math.Exp(scores[i] - all)
			if s.Rows[i].Correct {
				d -= math.Exp(scores[i] - correct)
			}
			gradient[i] = d * s.ListwiseWeight * list.Weight / l.Weight
		}
	}
	if l.Weight > 0 {
		l.Value += s.ListwiseWeight * l.Listwise / l.Weight
	}
	return gradient
}

// logSumExp returns ln Σ exp score over the rows of a list, or the correct ones of them.
func logSumExp(rows []Row, scores []float64, list List, correct bool) float64 {
	top := math.Inf(-1)
	counts := func(i int) bool { return rows[i].Role.Has(InList) && (rows[i].Correct || !correct) }
	for i := list.From; i < list.To; i++ {
		if counts(i) {
			top = max(top, scores[i])
		}
	}
	var sum float64
	for i := list.From; i < list.To; i++ {
		if counts(i) {
			sum += math.Exp(scores[i] - top)
		}
	}
	return top + math.Log(sum)
}

// add counts the terms of some more steps.
func (t *Terms) add(u Terms) {
	t.Samples += u.Samples
	t.Recon += u.Recon
	t.KL += u.KL
	t.Weight += u.Weight
	t.Listwise += u.Listwise
	t.Steps += u.Steps
	t.Value += u.Value
}

// validation returns what epochs are compared by.
func (t Terms) validation(listwise bool, beta float64) float64 {
	if listwise {
		return t.Listwise / t.Weight
	}
	return (t.Recon + beta*t.KL) / t.Samples
}
