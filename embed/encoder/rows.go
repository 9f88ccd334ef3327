package encoder

import (
	"math"

	"rcvae/internal/gemm"
)

// rows reads the rows of a part, (out, in), with the adapters of its name and of its
// pieces, which share the rows evenly.
type rows struct {
	part
	tensor
	changes       []change
	changesStored bool // changes count rows as they are stored, see [adapters]
}

// open finds a part's tensor and adapters.
func (w *weights) open(p part, in int) *rows {
	r := &rows{part: p, tensor: w.tensor(p.name+".weight", p.out, in), changesStored: w.adapters.stored}
	if w.failed() {
		return r
	}
	r.add(w, p.name, 0, p.out, in)
	for i, piece := range p.pieces {
		n := p.out / len(p.pieces)
		r.add(w, piece, i*n, n, in)
	}
	return r
}

func (r *rows) add(w *weights, module string, first, n, in int) {
	c, err := w.adapters.change(module, n, in)
	w.note(err)
	if c.rank > 0 {
		c.first = first
		r.changes = append(r.changes, c)
	}
}

// read sets dst to rows from first on.
func (r *rows) read(dst []float32, first int) {
	in := r.columns()
	n := len(dst) / in
	changed := make([]int, n)
	for i := range n {
		stored := r.stored(first + i)
		r.row(dst[i*in:(i+1)*in], stored)
		changed[i] = first + i
		if r.changesStored {
			changed[i] = stored
		}
	}
	for _, c := range r.changes {
		c.apply(dst, changed)
	}
}

// stored returns which of the stored rows is row i, see [halves].
func (r *rows) stored(i int) int {
	if r.neighbours == 0 || r.out%(2*r.neighbours) != 0 {
		return i
	}
	half := r.out / r.neighbours / 2
	head, j := i/(2*half)*2*half, i%(2*half)
	return head + j%half*2 + j/half
}

// rowsInFloat is how many rows of a weight that is rounded are in float32 at once.
const rowsInFloat = 64

// eachBlock reads all rows, some at a time, into what dst gives for them.
func (w *weights) eachBlock(parts []*rows, dst func(at, n int) []float32, take func(at int, values []float32)) {
	at := 0
	for _, r := range parts {
		for first := 0; first < r.out && !w.failed(); first += rowsInFloat {
			n := min(rowsInFloat, r.out-first)
			values := dst(at, n)
			r.read(values, first)
			w.finite(r.name+".weight", values)
			if take != nil {
				take(at, values)
			}
			at += n
		}
	}
}

// float32s returns the values of parts, one below the other.
func (w *weights) float32s(in int, parts ...*rows) []float32 {
	if w.failed() { // the sizes may be wild: no memory for them
		return nil
	}
	values := w.memory(height(parts) * in)
	w.eachBlock(parts, func(at, n int) []float32 { return values[at*in : (at+n)*in] }, nil)
	return values
}

// memory returns n values for a weight that is soon packed, see [weights.reuse].
func (w *weights) memory(n int) []float32 {
	if old, _ := w.scratch.Get().(*[]float32); old != nil && cap(*old) >= n {
		return (*old)[:n]
	}
	return make([]float32, n)
}

// reuse takes the memory of a weight that has been packed. Left to the garbage collector,
// weights that are read would take as much memory as those that are packed.
func (w *weights) reuse(values []float32) { w.scratch.Put(&values) }

func height(parts []*rows) int {
	n := 0
	for _, r := range parts {
		n += r.out
	}
	return n
}

// rounds reports whether parts are held in eight bits.
func (w *weights) rounds(parts []*rows) bool {
	for _, r := range parts {
		if w.bits == 0 && r.bits > 8 {
			return false
		}
	}
	return w.bits <= 8
}

// roundGroup is the most neighbours in a row that share a scale where weights are rounded.
const roundGroup = 32

// round holds parts, one below the other, in eight bits.
func (w *weights) round(m *matrix, parts []*rows) {
	if w.failed() { // as in float32s
		return
	}
	for m.group = roundGroup; m.in%m.group != 0; m.group-- {
	}
	n := height(parts)
	m.eight, m.scales = make([]int8, n*m.in), make([]float32, n*m.in/m.group)
	buffer := make([]float32, rowsInFloat*m.in)
	w.eachBlock(parts, func(_, n int) []float32 { return buffer[:n*m.in] }, func(at int, values []float32) {
		for g := range len(values) / m.group {
			first := at*m.in + g*m.group
			m.scales[first/m.group] = toEight(m.eight[first:first+m.group], values[g*m.group:(g+1)*m.group])
		}
	})
}

// toEight rounds values to 255 steps between the largest and its negative, and returns the
// step.
func toEight(dst []int8, values []float32) (step float32) {
	var top uint32 // positive floats are in the order of their bits
	for _, v := range values {
		top = max(top, math.Float32bits(v)&^(1<<31))
	}
	if step = math.Float32frombits(top) / 127; step == 0 {
		return 0
	}
	inverse := 1 / step
	if math.IsInf(float64(inverse), 0) { // a step that has no inverse is as good as none
		return 0
	}
	dst = dst[:len(values)]
	for i, v := range values {
		// In the sum's last bits stands the nearest integer, in two's complement.
		dst[i] = int8(math.Float32bits(v*inverse + 3<<22))
	}
	return step
}

// change is what an adapter adds to rows from first on: B·A, with the scale in B.
type change struct {
	a, b        []float32 // (rank, in), (n, rank)
	rank, first int
	n           int
}

// change returns the adapter of a module of n rows of width in; one of rank 0 without.
func (s adapters) change(module string, n, in int) (change, error) {
	ad, ok := s.find(module)
	if !ok {
		return change{}, nil
	}
	if err := ad.fits(module, n, in); err != nil {
		return change{}, err
	}
	c := change{a: ad.a.values(), b: ad.b.values(), rank: ad.a.rows(), n: n}
	gemm.Scale(ad.scale, c.b)
	return c, nil
}

// apply adds the change to rows, of which which says their places in the part.
func (c change) apply(values []float32, which []int) {
	b := make([]float32, len(which)*c.rank)
	for i, row := range which {
		if row -= c.first; row >= 0 && row < c.n {
			copy(b[i*c.rank:], c.b[row*c.rank:(row+1)*c.rank])
		}
	}
	in := len(values) / len(which)
	gemm.Mul(gemm.NoTrans, gemm.NoTrans, len(which), in, c.rank, b, c.rank, c.a, in, values, in, true)
}
