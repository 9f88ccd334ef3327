package cvae

import (
	"math"
	"testing"

	"rcvae/internal/gemm"
	"rcvae/internal/nn"
)

// reference is the loss of the package documentation in float64 and plain loops,
// written apart from the code it tests.
type reference struct {
	c      Config
	net    *network
	data   Data
	params []float64
	eps    map[int][]float32 // by sample
	beta   float64
	q, r   standardizer
	masks  map[int][][]float32 // by sample: dropout factors of the encoder's input and hidden layers; none when absent
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

func (f reference) square(q, z, r []float64, class float64) float64 {
	x := append(append([]float64{}, q...), z...)
	if f.c.Objective == Ratio {
		x = append(x, class)
	}
	var sum float64
	for j, v := range f.layers(f.net.decoder, x, nil) {
		sum += (v - r[j]) * (v - r[j])
	}
	return sum
}

func (f reference) loss() float64 {
	lnS2, D := f.c.LogVariance, float64(f.c.Dimension)
	if f.c.LearnVariance {
		lnS2 = f.params[f.net.logVariance.Offset]
	}
	scale := 0.2
	if f.c.listwise() {
		scale = math.Exp(f.params[f.net.logScale.Offset]) / 5
	}
	var elbo, elbos, listwise, weights float64
	for _, question := range f.data.questions() {
		var all, right, n float64
		q := standardized(f.q, f.data.Questions[question.index])
		for i := question.from; i < question.to; i++ {
			n++
			r := standardized(f.r, f.data.Solutions[i])
			out := f.layers(f.net.encoder, append(append([]float64{}, q...), r...), f.masks[i])
			d := f.c.Latent
			var kl, half float64
			z := make([]float64, d)
			for j := range d {
				lv := math.Min(math.Max(out[d+j], minLogVar), maxLogVar)
				z[j] = out[j] + math.Exp(lv/2)*float64(f.eps[i][j])
				kl += (math.Exp(lv) + out[j]*out[j] - 1 - lv) / 2
				half += lv / 2
			}
			counts := true
			class := 0.0
			if f.data.Correct[i] {
				class = 1
			}
			s := -scale * half
			switch f.c.Objective {
			case Contrastive:
				counts = f.data.Correct[i]
			case Ratio:
				counts = f.data.Answered[i]
				s = scale * (f.square(q, out[:d], r, 0) - f.square(q, out[:d], r, 1)) / (2 * math.Exp(lnS2))
			}
			if counts {
				square := f.square(q, z, r, class)
				recon := square/(2*math.Exp(lnS2)) + D/2*lnS2
				if f.c.MeanSquared {
					recon = square / D
				}
				elbo += recon + f.beta*kl
				elbos++
			}
			if f.data.Answered[i] {
				all += math.Exp(s)
				if f.data.Correct[i] {
					right += math.Exp(s)
				}
			}
		}
		if f.c.listwise() && right > 0 && right < all {
			listwise -= n * math.Log(right/all)
			weights += n
		}
	}
	loss := f.c.ELBOWeight * elbo / elbos
	if weights > 0 {
		loss += f.c.ListwiseWeight * listwise / weights
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
	cases := map[string]Config{
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
	data := synthetic(5, 4, c.Dimension, 3)
	pool := gemm.NewPool(2)
	defer pool.Close()
	net := newNetwork(c)
	q, r := data.standardizers(c, data.questions())
	params := net.initial(c)
	if v := net.logScale; v.Len > 0 {
		v.Of(params)[0] = 1.5 // make the listwise loss count
	}
	p := newPass(c, net, data, pool, q, r, params)
	const key = 11
	p.inputDropout, p.hiddenDropout = nn.NewDropout(c.InputDropout), nn.NewDropout(c.HiddenDropout)
	f := reference{c: c, net: net, data: data, beta: 0.7, q: q, r: r, eps: map[int][]float32{}, masks: map[int][][]float32{}}
	for i := range data.Solutions {
		f.eps[i] = make([]float32, c.Latent)
		nn.NewNormal().Fill(f.eps[i], uint64(i))
		f.masks[i] = p.masks(key, i)
	}
	p.noise = func(_, sample int, eps []float32) { copy(eps, f.eps[sample]) }
	for _, v := range params {
		f.params = append(f.params, float64(v))
	}
	var b batch
	b.reset()
	for _, question := range data.questions() {
		b.add(c, data, question, false)
	}
	got, want := p.forward(&b, key, f.beta).Loss, f.loss()
	if math.Abs(got-want) > 1e-5*math.Abs(want) {
		t.Errorf("loss = %.8g, want %.8g", got, want)
	}
	p.backward(&b)
	for _, v := range net.layout.Views() {
		var top float64 // the group's largest gradient sets the scale of its errors
		for _, g := range v.Of(p.grads) {
			top = max(top, math.Abs(float64(g)))
		}
		if top == 0 {
			t.Errorf("%s: all gradients are 0", v.Name)
		}
		for i := 0; i < v.Len; i += 1 + v.Len/7 {
			at := v.Offset + i
			const h = 1e-5
			old := f.params[at]
			f.params[at] = old + h
			up := f.loss()
			f.params[at] = old - h
			down := f.loss()
			f.params[at] = old
			want, got := (up-down)/(2*h), float64(p.grads[at])
			if math.Abs(got-want) > 1e-3*math.Max(math.Abs(want), top/100) {
				t.Errorf("%s[%d]: gradient = %.6g, want %.6g", v.Name, i, got, want)
			}
		}
	}
}

// masks returns the factors by which dropout scales a sample's input and hidden layers.
func (p *pass) masks(key uint64, sample int) [][]float32 {
	input := ones(2 * p.config.Dimension)
	p.inputDropout.Apply(input, nn.Key(key, streamInputDropout, uint64(sample)))
	out := [][]float32{input}
	for i, width := range p.config.Hidden {
		hidden := ones(width)
		p.hiddenDropout.Apply(hidden, nn.Key(nn.Key(key, streamHiddenDropout, uint64(sample)), uint64(i)))
		out = append(out, hidden)
	}
	return out
}
