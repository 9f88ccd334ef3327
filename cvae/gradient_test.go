package cvae

import (
	"math"
	"testing"

	"rcvae"
	"rcvae/internal/gemm"
	"rcvae/internal/nn"
)

// reference is the loss of the package documentation in float64 and plain loops,
// written apart from the code it tests.
type reference struct {
	*inputs
	net       *network
	questions []rcvae.Encoded
	params    []float64
	eps       [][]float32   // by candidate
	masks     [][][]float32 // by candidate: dropout factors of the encoder's input and hidden layers; none when absent
	dropped   [][]bool      // by question: the columns that are dropped; none when absent
	beta      float64
}

func (f reference) layers(m nn.MLP, x []float64, masks [][]float32) []float64 {
	drop := func(l int, x []float64) {
		if l < len(masks) {
			for i := range x {
				x[i] *= float64(masks[l][i])
			}
		}
	}
	drop(0, x)
	for l, layer := range m.Layers {
		y := make([]float64, layer.Out)
		for i := range y {
			y[i] = f.params[layer.Bias.Offset+i]
			for j := range x {
				y[i] += f.params[layer.Weight.Offset+i*layer.In+j] * x[j]
			}
			if l < len(m.Layers)-1 {
				y[i] = math.Max(y[i], 0)
			}
		}
		drop(l+1, y)
		x = y
	}
	return x
}

func standardized(s standardizer, x []float32) []float64 {
	out := make([]float64, len(x))
	for j, v := range x {
		out[j] = (float64(v) - float64(s.mean[j])) / float64(s.scale[j])
	}
	return out
}

// solution returns the standardised R_e and which of its elements are missing.
func (f reference) solution(s rcvae.Solution, dropped []bool) (x []float64, missing []bool) {
	D := f.config.Dimension
	x = standardized(f.r, s.Embedding)
	missing = make([]bool, len(x), len(x)+len(s.Signals))
	for j, v := range s.Signals {
		absent := math.IsNaN(v) || dropped != nil && dropped[j]
		if absent {
			v = float64(f.r.mean[D+j])
		}
		x = append(x, (v-float64(f.r.mean[D+j]))/float64(f.r.scale[D+j]))
		missing = append(missing, absent)
	}
	return x, missing
}

// encode returns mu and the clamped log variance.
func (f reference) encode(q, x []float64, missing []bool, masks [][]float32) (mu, logVar []float64) {
	in := append(append([]float64{}, q...), x[:f.config.Dimension]...)
	for _, v := range x[f.config.Dimension:] {
		for range f.config.SignalCopies {
			in = append(in, v)
		}
	}
	for _, m := range missing[f.config.Dimension:] {
		in = append(in, map[bool]float64{true: 1}[m])
	}
	out := f.layers(f.net.encoder, in, masks)
	mu, logVar = out[:f.config.Latent], out[f.config.Latent:]
	for j, v := range logVar {
		logVar[j] = math.Min(math.Max(v, minLogVar), maxLogVar)
	}
	return mu, logVar
}

// square returns |x − x̂|² over the present elements.
func (f reference) square(q, z, x []float64, missing []bool, class float64) (sum float64) {
	in := append(append([]float64{}, q...), z...)
	if f.config.Objective == Ratio {
		in = append(in, class)
	}
	for j, v := range f.layers(f.net.decoder, in, nil) {
		if !missing[j] {
			sum += (v - x[j]) * (v - x[j])
		}
	}
	return sum
}

func (f reference) lnS2() float64 {
	switch {
	case f.config.LearnVariance:
		return f.params[f.net.logVariance.Offset]
	case f.config.MeanSquared:
		return math.Log(float64(f.config.elements()) / 2)
	}
	return f.config.LogVariance
}

func (f reference) loss() float64 {
	lnS2, scale := f.lnS2(), 0.2
	if f.net.logScale.Len > 0 {
		scale = math.Exp(f.params[f.net.logScale.Offset]) / 5
	}
	var elbo, elbos, listwise, weights float64
	number := -1
	for g, e := range f.questions {
		var all, right float64
		q := standardized(f.q, e.Embedding)
		for i, c := range e.Candidates {
			number++
			var dropped []bool
			if f.dropped != nil {
				dropped = f.dropped[g]
			}
			x, missing := f.solution(e.Solutions[i], dropped)
			mu, logVar := f.encode(q, x, missing, f.masks[number])
			var kl, half, present float64
			z := make([]float64, len(mu))
			for j, lv := range logVar {
				z[j] = mu[j] + math.Exp(lv/2)*float64(f.eps[number][j])
				kl += (math.Exp(lv) + mu[j]*mu[j] - 1 - lv) / 2
				half += lv / 2
			}
			for _, m := range missing {
				if !m {
					present++
				}
			}
			correct, counts, class := c.Verdict == rcvae.Correct, false, 0.0
			s := -scale * half
			switch f.config.Objective {
			case Ratio:
				counts = c.Votes()
				s = scale * (f.square(q, mu, x, missing, 0) - f.square(q, mu, x, missing, 1)) / (2 * math.Exp(lnS2))
			default:
				counts = correct
			}
			if correct {
				class = 1
			}
			if counts {
				square := f.square(q, z, x, missing, class)
				recon := square/(2*math.Exp(lnS2)) + present/2*lnS2
				if f.config.MeanSquared {
					recon = square / float64(f.config.elements())
				}
				elbo += recon + f.beta*kl
				elbos++
			}
			if c.Votes() {
				all += math.Exp(s)
				if correct {
					right += math.Exp(s)
				}
			}
		}
		if n := float64(len(e.Candidates)); f.config.ListwiseWeight > 0 && right > 0 && right < all {
			listwise -= n * math.Log(right/all)
			weights += n
		}
	}
	loss := f.config.ELBOWeight * elbo / elbos
	if weights > 0 {
		loss += f.config.ListwiseWeight * listwise / weights
	}
	return loss
}

// TestGradients compares the loss with the float64 reference, and the backward
// pass with the reference's central differences, in every parameter group.
func TestGradients(t *testing.T) {
	learned := small(Paper, 7)
	learned.LearnVariance, learned.Standardize, learned.LogVariance = true, true, -1
	linear := small(Contrastive, 7)
	linear.Hidden = nil
	dropout := small(Contrastive, 7)
	dropout.InputDropout, dropout.HiddenDropout = 0.4, 0.3
	signals := small(Contrastive, 7, signalNames...)
	signals.SignalDropout, signals.SignalGroups, signals.InputDropout = 0.5, []string{"a", "b", "b"}, 0
	signalsDropout := signals
	signalsDropout.InputDropout, signalsDropout.SignalCopies = 0.3, 2
	signalsRatio := small(Ratio, 7, signalNames...)
	signalsMean := small(Authors, 7, signalNames...)
	signalsAlone := small(Contrastive, 0, signalNames...)
	cases := map[string]Config{
		"signals": signals, "signals, dropout": signalsDropout, "signals, ratio": signalsRatio, "signals, authors": signalsMean, "signals alone": signalsAlone,
		"contrastive, dropout": dropout,
		"contrastive":          small(Contrastive, 7), "ratio": small(Ratio, 7), "paper": small(Paper, 7), "authors": small(Authors, 7),
		"paper, learned variance": learned, "contrastive, linear": linear,
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if len(c.Hidden) > 0 {
				c.Hidden = []int{6, 5}
			}
			checkGradients(t, c)
		})
	}
}

func checkGradients(t *testing.T, c Config) {
	questions := synthetic(5, 4, c.Dimension, 3)
	if len(c.Signals) > 0 {
		questions = withSignals(questions, 3)
	}
	if c.ListwiseWeight == 0 {
		questions = allCorrect(questions) // the reference has a number for every candidate
	}
	d, o := newTestData(t, c, questions)
	pool := gemm.NewPool(2)
	defer pool.Close()
	net := newNetwork(c, o)
	params := net.initial()
	if v := net.logScale; v.Len > 0 {
		v.Of(params)[0] = 1.5 // make the listwise loss count
	}
	in := d.fit(c, d.questions)
	p := newPass(net, d, in, pool, params)
	f := reference{inputs: in, net: net, questions: questions, beta: 0.7}
	r := randomness{key: 11, input: nn.NewDropout(c.InputDropout), hidden: nn.NewDropout(c.HiddenDropout), signals: c.SignalDropout}
	r.noise = func(_, candidate int, eps []float32) { copy(eps, f.eps[candidate]) }
	f.draw(r, p, len(d.candidates))
	for _, v := range params {
		f.params = append(f.params, float64(v))
	}
	b := wholeBatch(d, o)
	statistics := p.forward(b, r)
	statistics.Beta = f.beta
	loss := o.Loss(statistics)
	if got, want := loss.Value, f.loss(); math.Abs(got-want) > 1e-5*math.Abs(want) {
		t.Errorf("loss = %.8g, want %.8g", got, want)
	}
	p.backward(b, r, loss)
	for _, v := range net.layout.Views() {
		f.checkGradient(t, v, p.grads)
	}
}

// draw makes the noise and the dropout of every candidate and question.
func (f *reference) draw(r randomness, p *pass, candidates int) {
	for i := range candidates {
		eps := make([]float32, f.config.Latent)
		nn.NewNormal().Fill(eps, uint64(i))
		f.eps = append(f.eps, eps)
		f.masks = append(f.masks, f.candidateMasks(r, i))
	}
	for g := range f.questions {
		f.dropped = append(f.dropped, dropped(r, p.groups, g))
	}
}

// dropped returns which columns a question drops.
func dropped(r randomness, groups []int, question int) (out []bool) {
	missing := make([]float32, len(groups))
	r.drop(make([]float32, len(groups)), missing, groups, question)
	for _, m := range missing {
		out = append(out, m == 1)
	}
	return out
}

// candidateMasks returns the factors by which dropout scales the input and hidden layers.
func (f *reference) candidateMasks(r randomness, candidate int) [][]float32 {
	width := f.config.Dimension + f.config.solutionInputs()
	input := ones(width)
	r.input.Apply(input[:width-len(f.config.Signals)], nn.Key(r.key, streamInputDropout, uint64(candidate)))
	out := [][]float32{input}
	for i, width := range f.config.Hidden {
		hidden := ones(width)
		r.hidden.Apply(hidden, nn.Key(nn.Key(r.key, streamHiddenDropout, uint64(candidate)), uint64(i)))
		out = append(out, hidden)
	}
	return out
}

// checkGradient compares some of a parameter's gradients with central differences.
func (f reference) checkGradient(t *testing.T, v nn.View, grads []float32) {
	t.Helper()
	var top float64 // the group's largest gradient sets the scale of its errors
	for _, g := range v.Of(grads) {
		top = max(top, math.Abs(float64(g)))
	}
	if top == 0 {
		t.Errorf("%s: all gradients are 0", v.Name)
	}
	for i := 0; i < v.Len; i += 1 + v.Len/11 {
		at := v.Offset + i
		const h = 1e-5
		old := f.params[at]
		f.params[at] = old + h
		up := f.loss()
		f.params[at] = old - h
		down := f.loss()
		f.params[at] = old
		want, got := (up-down)/(2*h), float64(grads[at])
		if math.Abs(got-want) > 1e-3*math.Max(math.Abs(want), top/100) {
			t.Errorf("%s[%d]: gradient = %.6g, want %.6g", v.Name, i, got, want)
		}
	}
}
