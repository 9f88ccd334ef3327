package cvae

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"rcvae"
	"rcvae/internal/gemm"
	"rcvae/internal/nn"
)

// Options are what [Train] needs besides the config and the data. They do not
// change the weights.
type Options struct {
	Fingerprint rcvae.Fingerprint // of the embedder that made the data
	Provenance  json.RawMessage   // kept in the model file: command line, names of the data; any JSON value, or nil
	Workers     int               // goroutines; 0: GOMAXPROCS

	Checkpoint string // file that the state is saved to after every epoch and when the context ends; "": none
	Resume     bool   // continue from Checkpoint if it exists; the weights become those of an uninterrupted run

	OnStep       func(StepLog)     // called after every step, if not nil
	OnEpoch      func(EpochLog)    // called after every epoch, if not nil
	OnCheckpoint func(path string) // called after every save, if not nil
}

// Train fits a model to the data. The weights depend on the config and the data
// alone (on one kind of machine). When the context ends before the training does,
// Train saves a checkpoint if it has a path for one, and returns the context's error.
func Train(ctx context.Context, config Config, data Data, options Options) (*Model, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if err := data.check(config); err != nil {
		return nil, fmt.Errorf("training data: %w", err)
	}
	if options.Provenance != nil && !json.Valid(options.Provenance) {
		return nil, fmt.Errorf("options: provenance is not JSON")
	}
	if d := options.Fingerprint.Dimension; d != 0 && d != config.Dimension {
		return nil, fmt.Errorf("options: the embedder has %d dimensions, the config %d", d, config.Dimension)
	}
	pool := gemm.NewPool(options.Workers)
	defer pool.Close()
	t, err := newTrainer(config, data, options, pool)
	if err != nil {
		return nil, err
	}
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	return t.finish()
}

// trainer is a training run. What a checkpoint must hold is in state, params, best
// and the optimizer.
type trainer struct {
	config  Config
	data    Data
	options Options
	pool    *gemm.Pool
	net     *network

	train, held []question
	units       []question // what batches are made of: questions, or pairs
	steps       int        // an epoch

	pass      *pass
	batch     batch
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
	Sums      terms      `json:"sums"` // of the epoch so far
	Curve     []EpochLog `json:"curve"`
	Best      float64    `json:"best"` // validation value of BestEpoch
	BestEpoch int        `json:"best_epoch"`
	Stopped   bool       `json:"stopped"`
	Seconds   float64    `json:"seconds"`
}

func newTrainer(config Config, data Data, options Options, pool *gemm.Pool) (*trainer, error) {
	t := &trainer{config: config, data: data, options: options, pool: pool, net: newNetwork(config), started: time.Now()}
	holdout := Holdout(config, len(data.Questions))
	for _, q := range data.questions() {
		if holdout[q.index] {
			t.held = append(t.held, q)
		} else {
			t.train = append(t.train, q)
		}
	}
	if len(t.train) == 0 { // the few questions with samples are all held out
		t.train, t.held = t.held, nil
	}
	if config.listwise() && t.mixed() == 0 {
		return nil, fmt.Errorf("training data: none of %d questions has both a right and a wrong answered sample, which objective %s learns from: draw more samples a question (a higher temperature helps), or use objective %s",
			len(t.train), config.Objective, Paper)
	}
	t.units = t.train
	if !config.grouped() {
		t.units = pairs(t.train)
	}
	t.steps = max(len(t.units)/config.Batch, 1)
	q, r := data.standardizers(config, t.train)
	t.pass = newPass(config, t.net, data, pool, q, r, t.net.initial(config))
	t.optimizer = nn.NewAdamW(len(t.pass.params), config.WeightDecay)
	if options.Checkpoint != "" {
		t.state.Data = data.digest()
	}
	if options.Resume {
		return t, t.resume()
	}
	return t, nil
}

func (t *trainer) mixed() (n int) {
	for _, q := range t.train {
		if q.mixed {
			n++
		}
	}
	return n
}

// pairs splits questions into their samples.
func pairs(questions []question) []question {
	var out []question
	for _, q := range questions {
		for i := q.from; i < q.to; i++ {
			out = append(out, question{index: q.index, from: i, to: i + 1})
		}
	}
	return out
}

// run trains until the last epoch, the early stop, or the end of the context.
func (t *trainer) run(ctx context.Context) error {
	noise := t.newNoise()
	for t.state.Epoch < t.config.Epochs && !t.state.Stopped {
		order := rand.New(rand.NewPCG(nn.Key(t.config.Seed, streamOrder, uint64(t.state.Epoch)), 0)).Perm(len(t.units))
		for t.state.Step < t.steps {
			if err := ctx.Err(); err != nil {
				return t.interrupted(err)
			}
			key := nn.Key(t.config.Seed, streamNoise, uint64(t.state.Epoch))
			t.useNoise(noise, key)
			n := len(order)
			if err := t.step(order[t.state.Step*n/t.steps:(t.state.Step+1)*n/t.steps], key); err != nil {
				return err
			}
		}
		if err := t.endEpoch(noise); err != nil {
			return err
		}
	}
	return nil
}

// newNoise returns a generator for each worker.
func (t *trainer) newNoise() []*nn.Normal {
	out := make([]*nn.Normal, t.pool.Workers())
	for i := range out {
		out[i] = nn.NewNormal()
	}
	return out
}

// useNoise makes the noise of a sample a function of key and the sample alone.
func (t *trainer) useNoise(noise []*nn.Normal, key uint64) {
	t.pass.noise = func(worker, sample int, eps []float32) {
		noise[worker].Fill(eps, nn.Key(key, streamNoise, uint64(sample)))
	}
}

// step takes one step on the units of the given numbers.
func (t *trainer) step(units []int, key uint64) error {
	t.batch.reset()
	for _, u := range units {
		t.batch.add(t.config, t.data, t.units[u], false)
	}
	total := t.config.Epochs * t.steps
	done := t.state.Epoch*t.steps + t.state.Step
	rate := t.config.LearningRate
	if t.config.Cosine {
		rate = nn.Cosine(rate, done, total)
	}
	var sums terms
	if len(t.batch.samples) > 0 {
		t.dropout(true)
		sums = t.pass.forward(&t.batch, key, t.beta(done))
		if math.IsNaN(sums.Loss) || math.IsInf(sums.Loss, 0) {
			return fmt.Errorf("epoch %d, step %d of %d: the loss is %g: lower learning_rate (%g) or set clip_norm",
				t.state.Epoch+1, t.state.Step+1, t.steps, sums.Loss, t.config.LearningRate)
		}
		t.pass.backward(&t.batch)
		scale := 1.0
		if t.config.ClipNorm > 0 {
			scale = nn.ClipScale(nn.Norm(t.pool, t.pass.grads), t.config.ClipNorm)
		}
		t.optimizer.Update(t.pool, t.pass.params, t.pass.grads, rate, scale)
	}
	t.state.Sums.add(sums)
	t.state.Step++
	if t.options.OnStep != nil {
		t.options.OnStep(StepLog{Epoch: t.state.Epoch + 1, Epochs: t.config.Epochs, Step: t.state.Step, Steps: t.steps, Loss: sums.Loss, LearningRate: rate})
	}
	return nil
}

// beta returns the weight of the KL divergence at a step.
func (t *trainer) beta(step int) float64 {
	if warmup := t.config.KLWarmup * float64(t.steps); float64(step) < warmup {
		return t.config.Beta * float64(step) / warmup
	}
	return t.config.Beta
}

func (t *trainer) dropout(on bool) {
	t.pass.inputDropout, t.pass.hiddenDropout = nn.Dropout{}, nn.Dropout{}
	if on {
		t.pass.inputDropout = nn.NewDropout(t.config.InputDropout)
		t.pass.hiddenDropout = nn.NewDropout(t.config.HiddenDropout)
	}
}
