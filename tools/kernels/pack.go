package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// packs makes the functions that bring A and B into panels.
func (s isa) packs() {
	for _, p := range []struct {
		name  string
		width int
	}{{"A", s.rows()}, {"B", s.cols()}} {
		s.copyPanel(p.name, p.width)
		s.transposePanel(p.name, p.width)
	}
}

// copyPanel makes a panel whose rows are rows of the source.
func (s isa) copyPanel(name string, width int) {
	s.function("copy"+name, "(dst, src []float32, ld, k, valid int)",
		fmt.Sprintf("makes the panel dst, (k, %d), of rows of src: dst[l·%d+i] = src[l·ld+i] for i < valid, else 0%s.", width, width, s.inPairs()))
	dst, src, ld, k, valid := slice("dst"), slice("src"), GP64(), GP64(), GP64()
	Load(Param("ld"), ld)
	SHLQ(U8(2), ld)
	Load(Param("valid"), valid)
	Load(Param("k"), k)
	vectors := (width + s.width - 1) / s.width
	masks := s.masks(valid, vectors)
	TESTQ(k, k)
	JEQ(LabelRef("done"))
	if s.pairs {
		s.copyPairs(width, dst, src, ld, k, masks)
		return
	}
	Label("row")
	for i := range vectors {
		v := s.vec()
		s.load(Mem{Base: src, Disp: i * s.bytes()}, masks[i], v)
		s.storePanel(v, width-i*s.width, Mem{Base: dst, Disp: i * s.bytes()})
	}
	PREFETCHT0(Mem{Base: src, Index: ld, Scale: 8})
	ADDQ(ld, src)
	ADDQ(U8(width*4), dst)
	DECQ(k)
	JNE(LabelRef("row"))
	Label("done")
	s.end()
}

// vector is a virtual or a physical vector register.
type vector interface {
	reg.Register
	reg.Vec
}

// storePanel writes the first n lanes: all, or 12 of 16, or 6 of 8. It destroys v.
// Note: one store with an opmask in place of the two of 12 lanes was no faster.
func (s isa) storePanel(v vector, n int, m Mem) {
	switch {
	case n >= s.width:
		VMOVUPS(v, m)
	case s.wide():
		VMOVUPS(v.AsY(), m)
		VEXTRACTF32X4(U8(2), v, v.AsX())
		VMOVUPS(v.AsX(), m.Offset(32))
	default:
		VMOVUPS(v.AsX(), m)
		VEXTRACTF128(U8(1), v, v.AsX())
		VMOVLPS(v.AsX(), m.Offset(16))
	}
}

// transposePanel makes a panel whose rows are columns of the source.
func (s isa) transposePanel(name string, width int) {
	s.function("transpose"+name, "(dst, src []float32, ld, k, valid int)",
		fmt.Sprintf("makes the panel dst, (k, %d), of columns of src: dst[l·%d+i] = src[min(i, valid-1)·ld+l]%s.", width, width, s.inPairs()))
	t := transposer{isa: s, width: width, dst: slice("dst"), src: slice("src"), ld: GP64(), valid: GP64()}
	Load(Param("ld"), t.ld)
	SHLQ(U8(2), t.ld)
	Load(Param("valid"), t.valid)
	k := GP64()
	Load(Param("k"), k)
	step := s.width * s.together()
	SUBQ(U8(step), k)
	JLT(LabelRef("rest"))
	Label("block")
	t.block(nil)
	ADDQ(I32(step*4), t.src)
	ADDQ(I32(s.width*width*4), t.dst)
	SUBQ(U8(step), k)
	JGE(LabelRef("block"))
	Label("rest")
	ADDQ(U8(step), k)
	JEQ(LabelRef("done"))
	t.block(k)
	Label("done")
	s.end()
}

// transposer emits transposes of width rows by one vector of columns.
type transposer struct {
	isa
	width               int
	dst, src, ld, valid reg.GPVirtual
}

// block emits one step; with rest it has that many columns instead of whole vectors.
func (t transposer) block(rest reg.Register) {
	row, next := GP64(), GP64()
	MOVQ(t.src, row)
	for g := 0; g < t.width; g += t.isa.width {
		masks := []reg.Register{nil, nil}
		if rest != nil {
			masks = t.restMasks(rest)
		}
		for i := range t.isa.width {
			t.load(Mem{Base: row}, masks[0], t.physical(i))
			if t.pairs {
				t.load(Mem{Base: row, Disp: t.bytes()}, masks[1], t.physical(16))
				t.toPairs(i, 16, i)
			}
			LEAQ(Mem{Base: row, Index: t.ld, Scale: 1}, next)
			CMPQ(t.valid, U8(g+i+1))
			CMOVQGT(next, row)
		}
		end := fmt.Sprintf("end%d", g)
		for j, v := range t.transpose() {
			if rest != nil && j > 0 {
				CMPQ(rest, U8(j*t.together()))
				JLE(LabelRef(end))
			}
			t.storePanel(v, t.width-g, Mem{Base: t.dst, Disp: (j*t.width + g) * 4})
		}
		if rest != nil {
			Label(end)
		}
	}
}

// restMasks returns the masks of the first rest lanes of the vectors of a row, for AVX2
// in a register that the loads do not use.
func (t transposer) restMasks(rest reg.Register) []reg.Register {
	n := GP64()
	MOVQ(rest, n)
	if t.wide() {
		return t.masks(n, t.together())
	}
	table := GP64()
	LEAQ(lanesTable(), table)
	NEGQ(n)
	VMOVUPS(Mem{Base: table, Index: n, Scale: 4}, reg.Y8)
	return []reg.Register{reg.Y8}
}

// transpose emits the transpose of the vectors in the low registers and returns
// the registers of the result.
func (t transposer) transpose() []reg.VecPhysical {
	n := t.isa.width
	r := func(i int) reg.VecPhysical { return t.physical(i) }
	for i := 0; i < n; i += 2 {
		VUNPCKLPS(r(i+1), r(i), r(n+i))
		VUNPCKHPS(r(i+1), r(i), r(n+i+1))
	}
	for i := 0; i < n; i += 4 {
		for c := range 2 {
			VUNPCKLPD(r(n+i+2+c), r(n+i+c), r(i+2*c))
			VUNPCKHPD(r(n+i+2+c), r(n+i+c), r(i+2*c+1))
		}
	}
	// Register 4g+c now holds, in its 128-bit lane l, column 4l+c of rows 4g to 4g+3.
	var out []reg.VecPhysical
	if !t.wide() {
		for c := range 4 {
			VPERM2F128(U8(0x20), r(4+c), r(c), r(8+c))
			VPERM2F128(U8(0x31), r(4+c), r(c), r(12+c))
		}
		for j := range 8 {
			out = append(out, r(8+j))
		}
		return out
	}
	for c := range 4 {
		VSHUFF32X4(U8(0x88), r(4+c), r(c), r(16+c))
		VSHUFF32X4(U8(0xdd), r(4+c), r(c), r(20+c))
		VSHUFF32X4(U8(0x88), r(12+c), r(8+c), r(24+c))
		VSHUFF32X4(U8(0xdd), r(12+c), r(8+c), r(28+c))
	}
	for c := range 4 {
		VSHUFF32X4(U8(0x88), r(24+c), r(16+c), r(c))
		VSHUFF32X4(U8(0x88), r(28+c), r(20+c), r(4+c))
		VSHUFF32X4(U8(0xdd), r(24+c), r(16+c), r(8+c))
		VSHUFF32X4(U8(0xdd), r(28+c), r(20+c), r(12+c))
	}
	for j := range 16 {
		out = append(out, r(j))
	}
	return out
}
