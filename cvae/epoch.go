package cvae

import (
	"fmt"
	"math"
	"time"

	"rcvae/internal/nn"
)

// endEpoch compares the weights with the best so far, and moves to the next epoch.
func (t *trainer) endEpoch(noise []*nn.Normal) error {
	log := t.epochLog()
	value, valid, active := t.validate(noise)
	log.ActiveUnits = active
	if valid {
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return fmt.Errorf("epoch %d: the validation value is %g: lower learning_rate (%g)", log.Epoch, value, t.config.LearningRate)
		}
		log.Validation = &value
	}
	// While the KL divergence warms up, the weights minimise another loss.
	warm := float64(log.Epoch) >= t.config.KLWarmup
	last := log.Epoch == t.config.Epochs
	switch {
	case log.Validation == nil:
		if last {
			t.keep(&log, 0)
		}
	case (warm || last) && (t.state.BestEpoch == 0 || value < t.state.Best):
		t.keep(&log, value)
	}
	best := max(t.state.BestEpoch, int(math.Ceil(t.config.KLWarmup)))
	t.state.Stopped = !last && log.Validation != nil && t.config.Patience > 0 && log.Epoch-best >= t.config.Patience
	t.state.Curve = append(t.state.Curve, log)
	t.state.Epoch, t.state.Step, t.state.Sums = t.state.Epoch+1, 0, terms{}
	if t.options.OnEpoch != nil {
		t.options.OnEpoch(log)
	}
	return t.save()
}

// keep notes the weights as the best.
func (t *trainer) keep(log *EpochLog, value float64) {
	log.Best = true
	t.state.Best, t.state.BestEpoch = value, log.Epoch
	t.best = append(t.best[:0], t.pass.params...)
}

func (t *trainer) epochLog() EpochLog {
	s := t.state.Sums
	log := EpochLog{
		Epoch: t.state.Epoch + 1, Epochs: t.config.Epochs, Steps: (t.state.Epoch + 1) * t.steps,
		Loss: s.Loss / max(s.Steps, 1), LearningRate: t.config.LearningRate, Seconds: t.seconds(),
	}
	if t.config.Cosine {
		log.LearningRate = nn.Cosine(t.config.LearningRate, log.Steps-1, t.config.Epochs*t.steps)
	}
	if s.Samples > 0 {
		log.Recon, log.KL = s.Recon/s.Samples, s.KL/s.Samples
	}
	if s.Weight > 0 {
		log.Listwise = s.Listwise / s.Weight
	}
	return log
}

// seconds returns the time that the run has taken, this process's part included.
func (t *trainer) seconds() float64 { return t.state.Seconds + time.Since(t.started).Seconds() }

const (
	validationBatch = 512  // samples
	activityRows    = 1024 // training samples that tell the active units when nothing is held out
)

// validate returns the value that epochs are compared by and the active units, on
// the held-out questions, without dropout and under the same noise every time. The
// value is valid when some held-out sample enters it.
func (t *trainer) validate(noise []*nn.Normal) (value float64, valid bool, active int) {
	t.dropout(false)
	key := nn.Key(t.config.Seed, streamValidation)
	t.useNoise(noise, key)
	questions := t.held
	if len(questions) == 0 {
		questions = t.train
	}
	var sums terms
	units := newTally(t.config.Latent)
	for len(questions) > 0 && (len(t.held) > 0 || units.samples < activityRows) {
		t.batch.reset()
		for len(questions) > 0 && len(t.batch.samples) < validationBatch {
			t.batch.add(t.config, t.data, questions[0], len(t.held) > 0)
			questions = questions[1:]
		}
		if len(t.batch.samples) == 0 {
			continue
		}
		sums.add(t.pass.forward(&t.batch, key, t.config.Beta))
		d := t.config.Latent
		for row := range t.batch.samples {
			units.add(1, t.pass.output[row*2*d:row*2*d+d], t.pass.logVar[row*d:(row+1)*d])
		}
	}
	valid = len(t.held) > 0 && units.samples > 0
	return sums.value(t.config), valid, units.diagnostics().ActiveUnits
}

// finish makes the model of the best weights.
func (t *trainer) finish() (*Model, error) {
	for i, v := range t.best {
		if v-v != 0 {
			return nil, fmt.Errorf("training: parameter %d became %v: lower learning_rate (%g)", i, v, t.config.LearningRate)
		}
	}
	m := newModel(t.config, t.best, t.pass.q, t.pass.r)
	m.fingerprint, m.provenance = t.options.Fingerprint, t.options.Provenance
	samples := 0
	for _, q := range t.train {
		samples += q.to - q.from
	}
	m.summary = Summary{
		Objective: t.config.Objective, Epochs: t.state.Epoch, BestEpoch: t.state.BestEpoch, StoppedEarly: t.state.Stopped,
		Questions: len(t.train), HeldOut: len(t.held), MixedQuestions: t.mixed(), Samples: samples,
		Seconds: t.seconds(), Curve: t.state.Curve,
		Diagnostics: m.diagnose(t.pool, t.data, t.data.questions()),
	}
	m.summary.Warnings = m.summary.warnings(t.config)
	if err := t.fitDomain(m); err != nil && t.config.grouped() {
		m.summary.Warnings = append(m.summary.Warnings, fmt.Sprintf("the model cannot tell samples unlike its training data, whose scores then count as any other's: %v", err))
	}
	return m, nil
}
