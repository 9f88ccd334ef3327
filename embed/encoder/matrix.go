package encoder

import (
	"math"
	"slices"

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

// roundGroup is the most neighbours in a row that share a scale where weights are rounded.
const roundGroup = 32

// toEight rounds the values to 255 steps between the largest of each group and its
// negative. Adapters have been merged before.
func (m *matrix) toEight() {
	m.group = roundGroup
	for m.in%m.group != 0 {
		m.group--
	}
	m.eight, m.scales = make([]int8, len(m.values)), make([]float32, len(m.values)/m.group)
	for g := range m.scales {
		group := m.values[g*m.group : (g+1)*m.group]
		var top float32
		for _, v := range group {
			top = max(top, v, -v)
		}
		if top == 0 {
			continue
		}
		m.scales[g] = top / 127
		for i, v := range group {
			m.eight[g*m.group+i] = int8(math.RoundToEven(float64(v) / float64(m.scales[g])))
		}
	}
	m.values = nil
}

// stack returns the weights and biases of parts one below the other; without bias it is
// nil. Weights that are stored in eight bits stay so unless something changes them.
func (w *weights) stack(in int, bias bool, parts ...part) (weight matrix, biases []float32) {
	weight = matrix{in: in}
	if !w.stackEight(&weight, parts) {
		rows := make([][]float32, len(parts))
		for i, p := range parts {
			rows[i] = w.part(p, in)
		}
		weight.values = slices.Concat(rows...) // of the parts' real sizes: the config may be wild
	}
	for _, p := range parts {
		if bias {
			biases = append(biases, halves(w.values(p.name+".bias", p.out), p.neighbours, 1)...)
		}
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
	switch {
	case w.failed():
		return nil
	case w.round && weight.values != nil:
		weight.toEight()
	}
	if weight.values == nil {
		return block.NewLinear8(out, in, weight.eight, weight.scales, weight.group, bias)
	}
	return block.NewLinear(out, in, weight.values, bias)
}
