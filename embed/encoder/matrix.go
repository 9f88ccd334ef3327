package encoder

import (
	"rcvae/embed/encoder/internal/block"
	"rcvae/internal/gemm"
)

// part is a weight that is stacked with others into one product.
type part struct {
	name   string
	out    int
	pieces []string // see [weights.part]

	// neighbours is the number of heads of a weight whose rows are stored for rotary
	// positions that turn neighbours, as GGUF files of Llama are; 0 for halves.
	neighbours int
}

// matrix is the weight of a product, (out, in), in float32 or, as it is stored, in eight
// bits.
type matrix struct {
	in     int
	values []float32 // nil in eight bits
	eight  []int8
	scales []float32 // (out, in/group)
	group  int
}

// scaleRows multiplies the first rows, and the biases of these, which may be nil.
func (m *matrix) scaleRows(scale float32, rows int, bias []float32) {
	if m.values != nil {
		gemm.Scale(scale, m.values[:rows*m.in])
	} else {
		gemm.Scale(scale, m.scales[:rows*(m.in/m.group)])
	}
	if bias != nil {
		gemm.Scale(scale, bias[:rows])
	}
}

// stack returns the weights and biases of parts one below the other; without bias it is
// nil. Weights that are stored in eight bits stay so unless something changes them.
func (w *weights) stack(in int, bias bool, parts ...part) (weight matrix, biases []float32) {
	weight = matrix{in: in}
	if !w.stackEight(&weight, parts) {
		opened := make([]*rows, len(parts))
		for i, p := range parts {
			opened[i] = w.open(p, in)
		}
		if w.rounds(opened) {
			w.round(&weight, opened)
		} else {
			weight.values = w.float32s(in, opened...)
		}
	}
	for _, p := range parts {
		if bias {
			biases = append(biases, halves(w.values(p.name+".bias", p.out), p.neighbours, 1)...)
		}
	}
	if w.release != nil {
		w.release()
	}
	return weight, biases
}

// stackEight stacks parts that are all stored in eight bits with groups of one size, and
// returns false for others.
func (w *weights) stackEight(weight *matrix, parts []part) bool {
	if w.adapters.byName != nil {
		return false
	}
	for _, p := range parts {
		t, ok := w.source.lookup(w.stored(p.name + ".weight"))
		if !ok || t.eight == nil || p.neighbours != 0 || weight.group != 0 && t.eight.group != weight.group {
			return false
		}
		weight.group = t.eight.group
	}
	for _, p := range parts {
		t := w.tensor(p.name+".weight", p.out, weight.in)
		if w.failed() {
			return true // see pack
		}
		for _, v := range t.eight.values {
			weight.eight = append(weight.eight, int8(v))
		}
		weight.scales = append(weight.scales, t.eight.scales...)
		w.finite(p.name+".weight", t.eight.scales)
	}
	return true
}

// linear packs NAME.weight, (out, in), and its bias.
func (w *weights) linear(name string, out, in int, bias bool) *block.Linear {
	weight, biases := w.stack(in, bias, part{name: name, out: out})
	return w.pack(out, in, weight, biases)
}

// pack is block.NewLinear for values that may be wrong after an error.
func (w *weights) pack(out, in int, weight matrix, bias []float32) *block.Linear {
	if w.failed() {
		return nil
	}
	if weight.values == nil {
		return block.NewLinear8(out, in, weight.eight, weight.scales, weight.group, bias)
	}
	defer w.reuse(weight.values)
	return block.NewLinear(out, in, weight.values, bias)
}
