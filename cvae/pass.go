package cvae

import (
	"slices"

	"rcvae"
	"rcvae/internal/gemm"
	"rcvae/internal/nn"
)

// pass runs batches of training data forward and backward through the network. It
// owns all the memory that this takes, and grows it as needed.
type pass struct {
	*inputs
	net    *network
	data   *data
	pool   *gemm.Pool
	groups []int // (S), the number of each column's group
	params []float32
	grads  []float32

	x       []float32 // (R, D + solutionInputs), encoder input [q; r; φ; missing], dropped out
	target  []float32 // (R, D+S), R_e as it is to be rebuilt
	missing []float32 // (R, S), 1 where an element of φ is not there
	output  []float32 // (R, 2d), encoder output [mu; logVar before the clamp]
	logVar  []float32 // (R, d)
	sigma   []float32 // (R, d), exp(logVar/2)
	eps     []float32 // (R, d)
	input   []float32 // (M, D+d+classes), decoder input [q; z; c]
	diff    []float32 // (M, D+S), R̂ − R_e, then its gradient
	dz      []float32 // (M, d)
	doutput []float32 // (R, 2d)
	rows    []Row     // (R)
	keys    []uint64  // (R)

	encoderTape, decoderTape nn.Tape
}

// newPass makes the network's products round as the configuration says, which inference
// does not.
func newPass(net *network, data *data, in *inputs, pool *gemm.Pool, params []float32) *pass {
	if net.config.Precision == BFloat16 {
		net.encoder.RoundToBFloat16()
		net.decoder.RoundToBFloat16()
	}
	return &pass{inputs: in, net: net, data: data, pool: pool, groups: groupNumbers(net.config),
		params: params, grads: make([]float32, len(params))}
}

// groupNumbers returns the number of each signal column's group.
func groupNumbers(c Config) []int {
	out := make([]int, len(c.Signals))
	for j := range out {
		out[j] = j
		if len(c.SignalGroups) > 0 {
			out[j] = slices.Index(c.SignalGroups, c.SignalGroups[j])
		}
	}
	return out
}

// forward runs the batch through the network and returns the statistics of its rows,
// which stay valid until the next call.
func (p *pass) forward(b *batch, r randomness) Statistics {
	p.gather(b, r)
	p.output = p.net.encoder.Forward(p.pool, p.params, len(b.rows), p.x, &p.encoderTape, r.hidden, p.keys)
	p.reparameterize(b, r)
	if len(b.decodes) > 0 {
		p.diff = p.net.decoder.Forward(p.pool, p.params, len(b.decodes), p.input, &p.decoderTape, nn.Dropout{}, nil)
		p.compare(b)
	}
	return Statistics{
		Rows: p.rows, Lists: b.lists, Elements: p.config.elements(), MeanSquared: p.config.MeanSquared,
		LogVariance: p.net.logVarianceOf(p.params), LogScale: p.net.logScaleOf(p.params),
		Beta: p.config.Beta, ELBOWeight: p.config.ELBOWeight, ListwiseWeight: p.config.ListwiseWeight,
	}
}

// gather reads the batch: standardised and dropped out as encoder inputs, standardised
// as targets and as the decoder's condition.
func (p *pass) gather(b *batch, r randomness) {
	D, E, S, rows := p.config.Dimension, p.config.elements(), len(p.config.Signals), len(b.rows)
	in, width := p.encoderWidth(), p.decoderWidth()
	p.x, p.target, p.missing = nn.Resize(p.x, rows*in), nn.Resize(p.target, rows*E), nn.Resize(p.missing, rows*S)
	p.keys, p.rows = nn.Resize(p.keys, rows), nn.Resize(p.rows, rows)
	p.input = nn.Resize(p.input, len(b.decodes)*width)
	nn.EachRow(p.pool, rows, func(_, row int) {
		number := b.rows[row]
		c := p.data.candidates[number]
		x, target, missing := p.x[row*in:(row+1)*in], p.target[row*E:(row+1)*E], p.missing[row*S:(row+1)*S]
		p.q.apply(x[:D], p.data.questions[c.question].embedding)
		p.elements(target, missing, c.solution)
		r.drop(target[D:], missing, p.groups, c.question)
		p.encoderInput(x[D:], target, missing)
		for m := b.first[row]; m < b.first[row+1]; m++ {
			copy(p.input[m*width:], x[:D])
		}
		p.keys[row] = nn.Key(r.key, streamHiddenDropout, uint64(number))
		r.input.Apply(x[:in-S], nn.Key(r.key, streamInputDropout, uint64(number))) // indicators stay
		p.rows[row] = Row{Role: b.roles[row], Correct: c.correct, Elements: E - count(missing)}
	})
}

// count returns the number of ones.
func count(missing []float32) (n int) {
	for _, m := range missing {
		n += int(m)
	}
	return n
}

func (p *pass) encoderWidth() int { return p.net.encoder.Layers[0].In }
func (p *pass) decoderWidth() int { return p.net.decoder.Layers[0].In }

// reparameterize turns the encoder's output into posteriors and the decoder's z.
func (p *pass) reparameterize(b *batch, r randomness) {
	d, rows := p.config.Latent, len(b.rows)
	p.logVar, p.sigma, p.eps = nn.Resize(p.logVar, rows*d), nn.Resize(p.sigma, rows*d), nn.Resize(p.eps, rows*d)
	nn.EachRow(p.pool, rows, func(worker, row int) {
		mu, raw := p.output[row*2*d:row*2*d+d], p.output[row*2*d+d:(row+1)*2*d]
		logVar, sigma := p.logVar[row*d:(row+1)*d], p.sigma[row*d:(row+1)*d]
		for j, v := range raw {
			logVar[j] = clamp(v)
			sigma[j] = logVar[j] / 2
		}
		gemm.Exp(sigma, sigma)
		p.rows[row].HalfLogVar, p.rows[row].KL = posteriorTerms(mu, logVar, sigma)
		if b.roles[row].Has(InELBO) {
			r.noise(worker, b.rows[row], p.eps[row*d:(row+1)*d])
		}
		for m := b.first[row]; m < b.first[row+1]; m++ {
			p.setLatent(m, b.decodes[m], mu)
		}
	})
}

// setLatent writes z and the class to the input of decode m.
func (p *pass) setLatent(m int, decode decodeRow, mu []float32) {
	d, width := p.config.Latent, p.decoderWidth()
	z := p.input[m*width+p.config.Dimension : (m+1)*width]
	copy(z, mu)
	if decode.drawn {
		sigma, eps := p.sigma[decode.row*d:(decode.row+1)*d], p.eps[decode.row*d:(decode.row+1)*d]
		for j := range sigma {
			z[j] += sigma[j] * eps[j]
		}
	}
	if len(z) > d {
		z[d] = float32(decode.class)
	}
}

// posterior returns that of a row of the last forward pass.
func (p *pass) posterior(row int) rcvae.Posterior {
	d := p.config.Latent
	return rcvae.Posterior{Mu: p.output[row*2*d : row*2*d+d], LogVar: p.logVar[row*d : (row+1)*d]}
}

// posteriorTerms returns ½ Σⱼ logVarⱼ and the KL divergence from the prior.
func posteriorTerms(mu, logVar, sigma []float32) (half, kl float64) {
	for j := range mu {
		m, lv, s := float64(mu[j]), float64(logVar[j]), float64(sigma[j])
		half += lv
		kl += s*s + m*m - 1 - lv
	}
	return half / 2, kl / 2
}

// compare turns the decoder's output R̂ into R̂ − R_e and takes its square. Missing
// elements do not count.
func (p *pass) compare(b *batch) {
	D, E, S := p.config.Dimension, p.config.elements(), len(p.config.Signals)
	nn.EachRow(p.pool, len(b.rows), func(_, row int) {
		for m := b.first[row]; m < b.first[row+1]; m++ {
			diff := p.diff[m*E : (m+1)*E]
			gemm.Axpy(-1, p.target[row*E:(row+1)*E], diff)
			mask(diff[D:], p.missing[row*S:(row+1)*S])
			square := gemm.SumSquares(diff)
			if b.decodes[m].drawn {
				p.rows[row].Square = square
			} else {
				p.rows[row].ClassSquare[b.decodes[m].class] = square
			}
		}
	})
}

// mask sets the elements of missing columns to 0.
func mask(columns, missing []float32) {
	for j, m := range missing {
		if m != 0 {
			columns[j] = 0
		}
	}
}

// backward overwrites the gradient of the loss of the batch that forward has run with
// the hidden dropout of r.
func (p *pass) backward(b *batch, r randomness, loss Loss) {
	p.backwardDecoder(b, loss)
	p.backwardPosterior(b, loss)
	p.net.encoder.Backward(p.pool, p.params, p.grads, len(b.rows), p.x, p.doutput, &p.encoderTape, r.hidden, nil, 0, 0)
	if v := p.net.logVariance; v.Len > 0 {
		v.Of(p.grads)[0] = float32(loss.LogVariance)
	}
	if v := p.net.logScale; v.Len > 0 {
		v.Of(p.grads)[0] = float32(loss.LogScale)
	}
}

func (p *pass) backwardDecoder(b *batch, loss Loss) {
	D, E, rows := p.config.Dimension, p.config.elements(), len(b.decodes)
	if rows == 0 {
		for _, layer := range p.net.decoder.Layers {
			clear(layer.Weight.Of(p.grads))
			clear(layer.Bias.Of(p.grads))
		}
		return
	}
	nn.EachRow(p.pool, rows, func(_, m int) {
		decode := b.decodes[m]
		gradient := loss.Rows[decode.row].ClassSquare[decode.class]
		if decode.drawn {
			gradient = loss.Rows[decode.row].Square
		}
		gemm.Scale(float32(2*gradient), p.diff[m*E:(m+1)*E])
	})
	p.dz = nn.Resize(p.dz, rows*p.config.Latent)
	p.net.decoder.Backward(p.pool, p.params, p.grads, rows, p.input, p.diff, &p.decoderTape, nn.Dropout{}, p.dz, D, D+p.config.Latent)
}

// backwardPosterior sets the gradient of the encoder's output from those of z, of
// the KL divergence and of ½ Σⱼ logVarⱼ.
func (p *pass) backwardPosterior(b *batch, loss Loss) {
	d, rows := p.config.Latent, len(b.rows)
	p.doutput = nn.Resize(p.doutput, rows*2*d)
	nn.EachRow(p.pool, rows, func(_, row int) {
		out := p.output[row*2*d : (row+1)*2*d]
		dmu, dlogVar := p.doutput[row*2*d:row*2*d+d], p.doutput[row*2*d+d:(row+1)*2*d]
		sigma, eps := p.sigma[row*d:(row+1)*d], p.eps[row*d:(row+1)*d]
		dKL, dHalf := float32(loss.Rows[row].KL), float32(loss.Rows[row].HalfLogVar)
		for j := range dmu {
			dmu[j] = dKL * out[j]
			dlogVar[j] = (dKL*(sigma[j]*sigma[j]-1) + dHalf) / 2
		}
		for m := b.first[row]; m < b.first[row+1]; m++ {
			for j, g := range p.dz[m*d : (m+1)*d] {
				dmu[j] += g
				if b.decodes[m].drawn {
					dlogVar[j] += g * eps[j] * sigma[j] / 2
				}
			}
		}
		for j, raw := range out[d:] {
			if raw < minLogVar || raw > maxLogVar {
				dlogVar[j] = 0
			}
		}
	})
}
