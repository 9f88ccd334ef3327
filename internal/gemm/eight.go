package gemm

import "fmt"

// eight is an op(B) in eight bits, in panels as those of [Packed]: an element is its
// value times a scale that some neighbours along k share. Panels become float32 just
// before they are used, so that a product sees the same float32 weights, and gives the
// same result to the bit, as one with weights that were unpacked before. Where the kernels
// quantize, they stay as they are and rows are brought to eight bits.
type eight struct {
	values []int8    // (k, n) in panels
	scales []float32 // (k/group, n) in panels
	group  int

	panels []float32 // in place of values and scales where rows are quantized, see packBytes
}

// maxGroup is the most elements that share a scale in a panel: blocks along k are
// multiples of it.
const maxGroup = 64

// Pack8 packs op(B), of shape (k, n), whose transpose is stored in eight bits: element
// (l, j) is values[j·k+l] · scales[j·(k/group)+l/group]. It takes a quarter of the
// memory of [Pack], and a little for the scales. k is a multiple of group.
func Pack8(k, n int, values []int8, scales []float32, group int) *Packed {
	if group < 1 || k%group != 0 || len(values) != k*n || len(scales) != k/group*n {
		panic(fmt.Sprintf("gemm: (%d, %d) in eight bits with groups of %d has %d values and %d scales", k, n, group, len(values), len(scales)))
	}
	s, split := active, 1
	for group/split > maxGroup || group%split != 0 {
		split++
	}
	p := &Packed{set: s, k: k, n: n, eight: &eight{group: group / split}}
	if s.quantizable(p.eight.group) {
		p.kc = ceil(blockOf(k, byteDepth), p.eight.group) * p.eight.group
		p.packBytes(values, scales, group)
	} else {
		p.kc = ceil(blockDepth(k), p.eight.group) * p.eight.group
		p.packValues(values, scales, group)
	}
	return p
}

// packValues makes panels that are expanded before they are used.
func (b *Packed) packValues(values []int8, scales []float32, group int) {
	e, k, cols := b.eight, b.k, b.set.cols
	width := ceil(b.n, cols) * cols
	e.values, e.scales = make([]int8, k*width), make([]float32, k/e.group*width)
	for k0 := 0; k0 < k; k0 += b.kc {
		kk := min(b.kc, k-k0)
		for j := range b.n {
			col, i := j/cols*cols, j%cols
			at := k0*width + col*kk
			for l, v := range values[j*k+k0 : j*k+k0+kk] {
				e.values[at+l*cols+i] = v
			}
			for g := range kk / e.group {
				e.scales[at/e.group+g*cols+i] = scales[(j*k+k0+g*e.group)/group]
			}
		}
	}
}

// rounds reports whether products are of pairs of bfloat16: the kernels must have them, and
// blocks along k, which are multiples of the group, an even number of rows.
func (b *Packed) rounds() bool {
	return b != nil && b.eight != nil && b.set.pair != nil && b.eight.group%2 == 0 && !b.quantizes()
}

// expand makes the float32 panel from column col on, of rows [k0, k0+k).
func (b *Packed) expand(dst []float32, col, k0, k int) {
	width := ceil(b.n, b.set.cols) * b.set.cols
	at, e := k0*width+col*k, b.eight
	b.set.expand(dst, e.values[at:at+k*b.set.cols], e.scales[at/e.group:], k/e.group, e.group)
	if b.rounds() {
		b.set.pair(dst, b.set.cols, k/2)
	}
}

// expandPanel is expand in plain Go for panels of a width.
func expandPanel(width int) func(dst []float32, values []int8, scales []float32, groups, size int) {
	return func(dst []float32, values []int8, scales []float32, groups, size int) {
		for l := range groups * size {
			row, scale := dst[l*width:(l+1)*width], scales[l/size*width:]
			for j, v := range values[l*width : (l+1)*width] {
				row[j] = scale[j] * float32(v)
			}
		}
	}
}
