package cvae

import (
	"rcvae/internal/gemm"
	"rcvae/internal/nn"
)

// pass runs batches of training data forward and backward through the network. It
// owns all the memory that this takes, and grows it as needed.
type pass struct {
	config Config
	net    *network
	data   Data
	pool   *gemm.Pool
	q, r   standardizer
	params []float32
	grads  []float32

	inputDropout, hiddenDropout nn.Dropout
	noise                       func(worker, sample int, eps []float32) // standard normal, (d)

	x       []float32 // (R, 2D), encoder input [q; r], dropped out
	target  []float32 // (R, D), r as it is to be rebuilt
	output  []float32 // (R, 2d), encoder output [mu; logVar before the clamp]
	logVar  []float32 // (R, d)
	sigma   []float32 // (R, d), exp(logVar/2)
	eps     []float32 // (R, d)
	input   []float32 // (M, D+d+classes), decoder input [q; z; c]
	diff    []float32 // (M, D), r̂ − r, then its gradient
	dz      []float32 // (M, d)
	doutput []float32 // (R, 2d)
	half    []float64 // (R), ½ Σⱼ logVarⱼ
	kl      []float64 // (R)
	square  []float64 // (M), |r − r̂|²
	keys    []uint64  // (R)

	encoderTape, decoderTape nn.Tape
	loss                     lossGradient
}

func newPass(c Config, net *network, data Data, pool *gemm.Pool, q, r standardizer, params []float32) *pass {
	return &pass{config: c, net: net, data: data, pool: pool, q: q, r: r,
		params: params, grads: make([]float32, len(params))}
}

// forward runs the batch through the network and returns the terms of its loss.
// The dropout masks depend on key and the sample; rates of 0 switch them off.
func (p *pass) forward(b *batch, key uint64, beta float64) terms {
	p.gather(b, key)
	rows := len(b.samples)
	p.output = p.net.encoder.Forward(p.pool, p.params, rows, p.x, &p.encoderTape, p.hiddenDropout, p.keys)
	p.reparameterize(b)
	if len(b.decodes) > 0 {
		p.diff = p.net.decoder.Forward(p.pool, p.params, len(b.decodes), p.input, &p.decoderTape, nn.Dropout{}, nil)
		p.compare(b)
	}
	return p.loss.compute(p, b, beta)
}

// gather reads the batch's embeddings: standardised and dropped out as encoder
// inputs, standardised as targets and as the decoder's condition.
func (p *pass) gather(b *batch, key uint64) {
	d, rows, width := p.config.Dimension, len(b.samples), p.decoderWidth()
	p.x = nn.Resize(p.x, rows*2*d)
	p.target = nn.Resize(p.target, rows*d)
	p.keys = nn.Resize(p.keys, rows)
	p.input = nn.Resize(p.input, len(b.decodes)*width)
	nn.EachRow(p.pool, rows, func(_, row int) {
		sample := b.samples[row]
		x := p.x[row*2*d : (row+1)*2*d]
		p.q.apply(x[:d], p.data.Questions[p.data.Group[sample]])
		p.r.apply(x[d:], p.data.Solutions[sample])
		copy(p.target[row*d:(row+1)*d], x[d:])
		for m := b.first[row]; m < b.first[row+1]; m++ {
			copy(p.input[m*width:], x[:d])
		}
		p.keys[row] = nn.Key(key, streamHiddenDropout, uint64(sample))
		if p.inputDropout.Active() {
			p.inputDropout.Apply(x, nn.Key(key, streamInputDropout, uint64(sample)))
		}
	})
}

// decoderWidth returns the number of the decoder's inputs.
func (p *pass) decoderWidth() int { return p.net.decoder.Layers[0].In }

// reparameterize turns the encoder's output into posteriors and the decoder's z.
func (p *pass) reparameterize(b *batch) {
	d, rows, width := p.config.Latent, len(b.samples), p.decoderWidth()
	p.logVar, p.sigma, p.eps = nn.Resize(p.logVar, rows*d), nn.Resize(p.sigma, rows*d), nn.Resize(p.eps, rows*d)
	p.half, p.kl = nn.Resize(p.half, rows), nn.Resize(p.kl, rows)
	nn.EachRow(p.pool, rows, func(worker, row int) {
		mu, raw := p.output[row*2*d:row*2*d+d], p.output[row*2*d+d:(row+1)*2*d]
		logVar, sigma, eps := p.logVar[row*d:(row+1)*d], p.sigma[row*d:(row+1)*d], p.eps[row*d:(row+1)*d]
		for j, v := range raw {
			logVar[j] = clamp(v)
			sigma[j] = logVar[j] / 2
		}
		gemm.Exp(sigma, sigma)
		p.half[row], p.kl[row] = posteriorTerms(mu, logVar, sigma)
		for m := b.first[row]; m < b.first[row+1]; m++ {
			z := p.input[m*width+p.config.Dimension : (m+1)*width]
			copy(z, mu)
			if b.decodes[m].generative {
				p.noise(worker, b.samples[row], eps)
				for j := range mu {
					z[j] += sigma[j] * eps[j]
				}
			}
			if len(z) > d {
				z[d] = b.decodes[m].class
			}
		}
	})
}

// clamp keeps NaN, which the loss then reports.
func clamp(logVar float32) float32 { return min(max(logVar, minLogVar), maxLogVar) }

// posteriorTerms returns ½ Σⱼ logVarⱼ and the KL divergence from the prior.
func posteriorTerms(mu, logVar, sigma []float32) (half, kl float64) {
	for j := range mu {
		m, lv, s := float64(mu[j]), float64(logVar[j]), float64(sigma[j])
		half += lv
		kl += s*s + m*m - 1 - lv
	}
	return half / 2, kl / 2
}

// compare turns the decoder's output r̂ into r̂ − r and takes its square.
func (p *pass) compare(b *batch) {
	d := p.config.Dimension
	p.square = nn.Resize(p.square, len(b.decodes))
	nn.EachRow(p.pool, len(b.decodes), func(_, m int) {
		diff, row := p.diff[m*d:(m+1)*d], b.decodes[m].row
		gemm.Axpy(-1, p.target[row*d:(row+1)*d], diff)
		p.square[m] = gemm.SumSquares(diff)
	})
}

// backward overwrites the gradient of the loss that forward has computed.
func (p *pass) backward(b *batch) {
	p.backwardDecoder(b)
	p.backwardPosterior(b)
	p.net.encoder.Backward(p.pool, p.params, p.grads, len(b.samples), p.x, p.doutput, &p.encoderTape, p.hiddenDropout, nil, 0, 0)
	if v := p.net.logVariance; v.Len > 0 {
		v.Of(p.grads)[0] = float32(p.loss.dLogVariance)
	}
	if v := p.net.logScale; v.Len > 0 {
		v.Of(p.grads)[0] = float32(p.loss.dLogScale)
	}
}

func (p *pass) backwardDecoder(b *batch) {
	d, rows := p.config.Dimension, len(b.decodes)
	if rows == 0 {
		for _, layer := range p.net.decoder.Layers {
			clear(layer.Weight.Of(p.grads))
			clear(layer.Bias.Of(p.grads))
		}
		return
	}
	nn.EachRow(p.pool, rows, func(_, m int) {
		gemm.Scale(float32(2*p.loss.dSquare[m]), p.diff[m*d:(m+1)*d])
	})
	p.dz = nn.Resize(p.dz, rows*p.config.Latent)
	p.net.decoder.Backward(p.pool, p.params, p.grads, rows, p.input, p.diff, &p.decoderTape, nn.Dropout{}, p.dz, d, d+p.config.Latent)
}

// backwardPosterior sets the gradient of the encoder's output from those of z, of
// the KL divergence and of ½ Σⱼ logVarⱼ.
func (p *pass) backwardPosterior(b *batch) {
	d, rows := p.config.Latent, len(b.samples)
	p.doutput = nn.Resize(p.doutput, rows*2*d)
	nn.EachRow(p.pool, rows, func(_, row int) {
		out := p.output[row*2*d : (row+1)*2*d]
		dmu, dlogVar := p.doutput[row*2*d:row*2*d+d], p.doutput[row*2*d+d:(row+1)*2*d]
		sigma, eps := p.sigma[row*d:(row+1)*d], p.eps[row*d:(row+1)*d]
		dKL, dHalf := float32(p.loss.dKL[row]), float32(p.loss.dHalf[row])
		for j := range dmu {
			dmu[j] = dKL * out[j]
			dlogVar[j] = (dKL*(sigma[j]*sigma[j]-1) + dHalf) / 2
		}
		for m := b.first[row]; m < b.first[row+1]; m++ {
			for j, g := range p.dz[m*d : (m+1)*d] {
				dmu[j] += g
				if b.decodes[m].generative {
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
