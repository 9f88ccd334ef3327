package block

// Past is what a text's tokens leave for those that go on from it in a later batch: their
// keys and values in each attention. It does not change once the pass that made it is over.
type Past struct {
	tokens int
	layers [][]float32 // by attention, in the order of the pass: (tokens, 2K·w)
}

// Bytes returns the memory that it takes.
func (p *Past) Bytes() int {
	n := 0
	for _, l := range p.layers {
		n += 4 * len(l)
	}
	return n
}

// Keep returns what the pass that was begun leaves of a text that goes on from none.
func (b *Batch) Keep(text int) *Past {
	if b.kept == nil {
		b.kept = make(map[int]*Past)
	}
	p := &Past{tokens: b.Starts[text+1] - b.Starts[text]}
	b.kept[text] = p
	return p
}

// recall puts the keys and values of pasts behind those of the texts, and takes those that
// are kept.
func (a *Attention) recall(b *Batch) {
	stride, from := a.QKV.out, a.Heads*a.Width
	wide := stride - from
	for i, p := range b.pasts {
		for t := range p.tokens {
			copy(b.qkv[(b.starts[i]+t)*stride+from:][:wide], p.layers[b.depth][t*wide:])
		}
	}
	for text, p := range b.kept {
		layer := make([]float32, p.tokens*wide)
		for t := range p.tokens {
			copy(layer[t*wide:(t+1)*wide], b.qkv[(b.Starts[text]+t)*stride+from:])
		}
		p.layers = append(p.layers, layer)
	}
	b.depth++
}
