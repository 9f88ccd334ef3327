package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lanes is one vector's worth of a loop over slices of one length.
type lanes struct {
	isa
	index  reg.Register // byte offset of the loop
	offset int          // further bytes
	mask   reg.Register // nil but in the tail
	slot   int          // 0 to unroll-1, to choose an accumulator
}

func (l lanes) at(base reg.Register) Mem {
	return Mem{Base: base, Index: l.index, Scale: 1, Disp: l.offset}
}

// read loads the lanes of the slice at base; in the tail the others are 0.
func (l lanes) read(base reg.Register) reg.VecVirtual {
	v := l.vec()
	l.load(l.at(base), l.mask, v)
	return v
}

// readOr is read with fill instead of 0.
func (l lanes) readOr(base, fill reg.Register) reg.VecVirtual {
	if l.mask == nil {
		return l.read(base)
	}
	v := l.vec()
	if l.wide() {
		VMOVAPS(fill, v)
		VMOVUPS(l.at(base), l.mask, v)
	} else {
		VMASKMOVPS(l.at(base), l.mask, v)
		VBLENDVPS(l.mask, v, fill, v)
	}
	return v
}

// write stores the lanes.
func (l lanes) write(v, base reg.Register) { l.store(v, l.mask, l.at(base)) }

// zeroOutside clears the lanes that the tail does not have.
func (l lanes) zeroOutside(v reg.Register) {
	switch {
	case l.mask == nil:
	case l.wide():
		VMOVAPS_Z(v, l.mask, v)
	default:
		VANDPS(l.mask, v, v)
	}
}

// slice loads the base of a slice parameter.
func slice(name string) reg.GPVirtual {
	r := GP64()
	Load(Param(name).Base(), r)
	return r
}

// loop runs body over the length of the slice parameter named over: unroll
// vectors at a time, then one, then the masked rest. prefix keeps labels apart.
func (s isa) loop(prefix, over string, unroll int, body func(lanes)) {
	left, index := GP64(), GP64()
	Load(Param(over).Len(), left)
	XORQ(index, index)
	step := func(n int, label, next string) {
		SUBQ(I32(n*s.width), left)
		JLT(LabelRef(next))
		Label(label)
		for i := range n {
			body(lanes{isa: s, index: index, offset: i * s.bytes(), slot: i})
		}
		ADDQ(I32(n*s.bytes()), index)
		SUBQ(I32(n*s.width), left)
		JGE(LabelRef(label))
		Label(next)
		ADDQ(I32(n*s.width), left)
	}
	if unroll > 1 {
		step(unroll, prefix+"Many", prefix+"Few")
	}
	step(1, prefix+"One", prefix+"Tail")
	TESTQ(left, left)
	JEQ(LabelRef(prefix + "Done"))
	body(lanes{isa: s, index: index, mask: s.masks(left, 1)[0]})
	Label(prefix + "Done")
}

// fold combines all lanes of v with op into lane 0.
func (s isa) fold(v reg.VecVirtual, op func(...Op)) reg.VecVirtual {
	if s.wide() {
		high := YMM()
		VEXTRACTF64X4(U8(1), v, high)
		op3(op, high, v.AsY())
	}
	x, t := v.AsX(), XMM()
	VEXTRACTF128(U8(1), v.AsY(), t)
	op3(op, t, x)
	VPERMILPS(U8(0x4e), x, t)
	op3(op, t, x)
	VPERMILPS(U8(0xb1), x, t)
	op3(op, t, x)
	return v
}

// op3 emits dst = dst op src.
func op3(op func(...Op), src, dst Op) { op(src, dst, dst) }

// gather adds up unrolled accumulators into the first.
func gather(acc []reg.VecVirtual, op func(...Op)) reg.VecVirtual {
	for _, a := range acc[1:] {
		op3(op, a, acc[0])
	}
	return acc[0]
}

// several calls fresh n times.
func several(n int, fresh func() reg.VecVirtual) []reg.VecVirtual {
	var out []reg.VecVirtual
	for range n {
		out = append(out, fresh())
	}
	return out
}
