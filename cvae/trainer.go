package cvae

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"rcvae"
	"rcvae/internal/gemm"
	"rcvae/internal/nn"
)

// trainer is a training run. What a checkpoint must hold is in state, the parameters,
// best and the optimizer.
type trainer struct {
	config    Config
	objective Objective
	listwise  bool // the loss has a listwise term
	data      *data
	options   Options
	pool      *gemm.Pool

	train, held []question
	units       []question // what batches are made of: questions, or single candidates
	steps       int        // per epoch

	pass      *pass
	batch     batch
	noise     []*nn.Normal // one per worker
	optimizer *nn.AdamW
	best      []float32 // weights of state.BestEpoch
	state     state
	started   time.Time // of this process's part of the run
}

// state is the progress of a run.
type state struct {
	Data      string     `json:"data_sha256"`
	Epoch     int        `json:"epoch"` // the next step's, from 0
	Step      int        `json:"step"`  // the next step in the epoch, from 0
	Updates   int        `json:"updates"`
	Sums      Terms      `json:"sums"` // of the epoch so far
	Curve     []EpochLog `json:"curve"`
	Best      float64    `json:"best"` // validation value of BestEpoch
	BestEpoch int        `json:"best_epoch"`
	Stopped   bool       `json:"stopped"`
	Seconds   float64    `json:"seconds"`
}

func newTrainer(config Config, objective Objective, data *data, options Options, pool *gemm.Pool) (*trainer, error) {
	t := &trainer{config: config, objective: objective, data: data, options: options, pool: pool, started: time.Now()}
	t.listwise = objective.Listwise && config.ListwiseWeight > 0
	var err error
	if t.train, t.held, err = data.split(config.Holdout); err != nil {
		return nil, fmt.Errorf("training data: %w", err)
	}
	if _, mixed := distinct(t.train); t.listwise && mixed == 0 {
		return nil, fmt.Errorf("training data: none of %d questions has both a correct and an incorrect candidate that votes, which objective %s learns from: draw more candidates per question (a higher temperature helps), or use objective %s",
			len(t.train), config.Objective, Paper)
	}
	t.units = t.train
	if !objective.Graded {
		t.units = singles(t.train)
	}
	t.steps = max(len(t.units)/config.Batch, 1)
	net := newNetwork(config, objective)
	t.pass = newPass(net, data, data.fit(config, t.train), pool, net.initial())
	t.optimizer = nn.NewAdamW(len(t.pass.params), config.WeightDecay)
	for range pool.Workers() {
		t.noise = append(t.noise, nn.NewNormal())
	}
	if options.Checkpoint != "" {
		t.state.Data = data.digest()
	}
	if options.Resume {
		return t, t.resume()
	}
	return t, nil
}

// singles splits questions into their candidates.
func singles(questions []question) []question {
	var out []question
	for _, q := range questions {
		for i := q.from; i < q.to; i++ {
			out = append(out, question{from: i, to: i + 1})
		}
	}
	return out
}

// run trains until the last epoch, the early stop, or the end of the context.
func (t *trainer) run(ctx context.Context) error {
	for t.state.Epoch < t.config.Epochs && !t.state.Stopped {
		order := rand.New(rand.NewPCG(nn.Key(t.config.Seed, streamOrder, uint64(t.state.Epoch)), 0)).Perm(len(t.units))
		for t.state.Step < t.steps {
			if err := ctx.Err(); err != nil {
				return t.interrupted(err)
			}
			n := len(order)
			if err := t.step(order[t.state.Step*n/t.steps : (t.state.Step+1)*n/t.steps]); err != nil {
				return err
			}
		}
		if err := t.endEpoch(); err != nil {
			return err
		}
	}
	return nil
}

// step takes one step on the units of the given numbers.
func (t *trainer) step(units []int) error {
	t.batch.reset()
	for _, u := range units {
		t.batch.add(t.data, t.objective, t.units[u], InELBO|InList)
	}
	done := t.state.Epoch*t.steps + t.state.Step
	rate := t.learningRate(done)
	terms := Terms{}
	if len(t.batch.rows) > 0 {
		var err error
		if terms, err = t.update(rate, t.beta(done)); err != nil {
			return fmt.Errorf("epoch %d, step %d of %d: %w", t.state.Epoch+1, t.state.Step+1, t.steps, err)
		}
	}
	t.state.Sums.add(terms)
	t.state.Step++
	if t.options.OnStep != nil {
		t.options.OnStep(StepLog{Epoch: t.state.Epoch + 1, Epochs: t.config.Epochs, Step: t.state.Step, Steps: t.steps, Loss: terms.Value, LearningRate: rate})
	}
	return nil
}

// update moves the parameters against the gradient of the batch's loss.
func (t *trainer) update(rate, beta float64) (Terms, error) {
	r := t.randomness(nn.Key(t.config.Seed, streamNoise, uint64(t.state.Epoch)))
	r.input, r.hidden = nn.NewDropout(t.config.InputDropout), nn.NewDropout(t.config.HiddenDropout)
	r.signals = t.config.SignalDropout
	statistics := t.pass.forward(&t.batch, r)
	statistics.Beta = beta
	loss := t.objective.Loss(statistics)
	loss.Steps = 1
	if math.IsNaN(loss.Value) || math.IsInf(loss.Value, 0) {
		return loss.Terms, fmt.Errorf("the loss is %g: lower learning_rate (%g) or set clip_norm", loss.Value, t.config.LearningRate)
	}
	if len(loss.Rows) != len(statistics.Rows) {
		return loss.Terms, fmt.Errorf("objective %s returned %d gradients for %d rows", t.objective.Name, len(loss.Rows), len(statistics.Rows))
	}
	t.pass.backward(&t.batch, r, loss)
	scale := 1.0
	if t.config.ClipNorm > 0 {
		scale = nn.ClipScale(nn.Norm(t.pool, t.pass.grads), t.config.ClipNorm)
	}
	t.optimizer.Update(t.pool, t.pass.params, t.pass.grads, rate, scale)
	return loss.Terms, nil
}

// randomness draws the noise of a candidate as a function of key and the candidate
// alone. Nothing is dropped.
func (t *trainer) randomness(key uint64) randomness {
	return randomness{key: key, noise: func(worker, candidate int, eps []float32) {
		t.noise[worker].Fill(eps, nn.Key(key, streamNoise, uint64(candidate)))
	}}
}

// learningRate returns the learning rate of a step, counted from the first epoch.
func (t *trainer) learningRate(step int) float64 {
	if t.config.Cosine {
		return nn.Cosine(t.config.LearningRate, step, t.config.Epochs*t.steps)
	}
	return t.config.LearningRate
}

// beta returns the weight of the KL divergence at a step.
func (t *trainer) beta(step int) float64 {
	if warmup := t.config.KLWarmup * float64(t.steps); float64(step) < warmup {
		return t.config.Beta * float64(step) / warmup
	}
	return t.config.Beta
}

// endEpoch compares the weights with the best so far, and moves to the next epoch.
func (t *trainer) endEpoch() error {
	log := t.epochLog()
	value, valid, active := t.validate()
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
	t.state.Epoch, t.state.Step, t.state.Sums = t.state.Epoch+1, 0, Terms{}
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
	done := (t.state.Epoch + 1) * t.steps
	log := EpochLog{
		Epoch: t.state.Epoch + 1, Epochs: t.config.Epochs, Steps: done,
		Loss: s.Value / max(s.Steps, 1), LearningRate: t.learningRate(done - 1), Seconds: t.seconds(),
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
	validationBatch = 512  // candidates
	activityRows    = 1024 // training candidates that tell the active units when nothing is held out
)

// validate returns the value that epochs are compared by and the active units, on
// the held-out questions, without dropout and under the same noise every time. The
// value is valid when some held-out candidate enters it.
func (t *trainer) validate() (value float64, valid bool, active int) {
	r := t.randomness(nn.Key(t.config.Seed, streamValidation))
	questions, roles := t.held, InELBO|InList
	if t.listwise {
		roles = InList // the ELBO does not enter the value
	}
	if len(t.held) == 0 {
		questions, roles = t.train, InELBO|InList
	}
	var sums Terms
	var posteriors rcvae.DiagnosticsSum
	rows := 0
	for len(questions) > 0 && (len(t.held) > 0 || rows < activityRows) {
		t.batch.reset()
		for len(questions) > 0 && len(t.batch.rows) < validationBatch {
			t.batch.add(t.data, t.objective, questions[0], roles)
			questions = questions[1:]
		}
		if len(t.batch.rows) == 0 {
			continue
		}
		sums.add(t.objective.Loss(t.pass.forward(&t.batch, r)).Terms)
		for row := range t.batch.rows {
			posteriors.Add(t.pass.posterior(row))
		}
		rows += len(t.batch.rows)
	}
	return sums.validation(t.listwise, t.config.Beta), len(t.held) > 0 && rows > 0, posteriors.Diagnostics().ActiveUnits
}
