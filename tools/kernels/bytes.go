package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// byteRows is the height of a tile of bytes: beside a float32 sum each element has one of
// integers, of the group that is under way.
const byteRows = 6

// byteEntry is how many words an entry of a panel of A has: scales, sums, and where in B.
const byteEntry = 2*byteRows + 1

// tileBytes makes the micro-kernel for rows and weights in eight bits.
func (s isa) tileBytes() {
	s.function("tile", "(rows, cols, entries, size, stride int, a, b, c []float32, ldc int, accumulate bool)",
		fmt.Sprintf("computes the first rows (1 to %d) and cols (1 to %d) of C = A·B or C += A·B\nfrom panels of A and B in eight bits with groups of size, a multiple of 4. A has %d rows of bytes,\nstride bytes apart, and then for each entry scales, sums to begin with, and the offset of its group in B.", byteRows, s.cols(), byteRows))
	t := byteTile{isa: s, a: slice("a"), b: slice("b"), entry: GP64(), stride: GP64(), stride3: GP64(), stride5: GP64()}
	for range byteRows {
		t.floats = append(t.floats, [2]vector{s.zero(), s.zero()})
		t.ints = append(t.ints, [2]vector{s.vec(), s.vec()})
	}
	entries := GP64()
	Load(Param("entries"), entries)
	Load(Param("stride"), t.stride)
	LEAQ(Mem{Base: t.stride, Index: t.stride, Scale: 2}, t.stride3)
	LEAQ(Mem{Base: t.stride, Index: t.stride, Scale: 4}, t.stride5)
	LEAQ(Mem{Base: t.a, Index: t.stride3, Scale: 2}, t.entry)
	align(64)
	Label("group")
	t.group()
	DECQ(entries)
	JNE(LabelRef("group"))
	rows := GP64()
	Load(Param("rows"), rows)
	s.storeTile("sums", t.floats, rows)
}

// byteTile is the state of a tile of bytes.
type byteTile struct {
	isa
	a, b, entry              reg.GPVirtual
	stride, stride3, stride5 reg.GPVirtual // once, three and five times the bytes of a row of A
	floats, ints             [][2]vector
}

// group adds the products of one entry.
func (t byteTile) group() {
	b := GP64()
	MOVLQSX(Mem{Base: t.entry, Disp: 2 * byteRows * 4}, b)
	ADDQ(t.b, b)
	for i, sums := range t.ints {
		VPBROADCASTD(Mem{Base: t.entry, Disp: (byteRows + i) * 4}, sums[0])
		VMOVDQA64(sums[0], sums[1])
	}
	low, high := t.vec(), t.vec()
	VMOVUPS(Mem{Base: b}, low)
	VMOVUPS(Mem{Base: b, Disp: 64}, high)
	ADDQ(I32(t.cols()*4), b)
	size := GP64()
	Load(Param("size"), size)
	SUBQ(U8(16), size)
	JLT(LabelRef("few"))
	Label("four")
	for u := range 4 {
		t.step(b, u)
	}
	ADDQ(U8(16), t.a)
	ADDQ(I32(4*t.cols()*4), b)
	SUBQ(U8(16), size)
	JGE(LabelRef("four"))
	Label("few")
	ADDQ(U8(16), size)
	JEQ(LabelRef("scale"))
	Label("one")
	t.step(b, 0)
	ADDQ(U8(4), t.a)
	ADDQ(I32(t.cols()*4), b)
	SUBQ(U8(4), size)
	JNE(LabelRef("one"))
	Label("scale")
	for i, sums := range t.ints {
		for j, scale := range []reg.VecVirtual{low, high} {
			VCVTDQ2PS(sums[j], sums[j])
			VMULPS(scale, sums[j], sums[j])
			VFMADD231PS_BCST(Mem{Base: t.entry, Disp: i * 4}, sums[j], t.floats[i][j])
		}
	}
	ADDQ(U8(byteEntry*4), t.entry)
}

// step adds the products of four neighbours along k.
func (t byteTile) step(b reg.Register, u int) {
	low, high := t.vec(), t.vec()
	at := u * t.cols() * 4
	VMOVDQU64(Mem{Base: b, Disp: at}, low)
	VMOVDQU64(Mem{Base: b, Disp: at + 64}, high)
	for p := 0; p < t.cols()*4; p += 64 {
		PREFETCHT0(Mem{Base: b, Disp: at + p + 1024})
	}
	for i, sums := range t.ints {
		x := t.vec()
		VPBROADCASTD(t.word(i, 4*u), x)
		VPDPBUSD(x, low, sums[0])
		VPDPBUSD(x, high, sums[1])
	}
}

// word returns the place of row i's next bytes from disp on.
func (t byteTile) word(i, disp int) Mem {
	switch i {
	case 0:
		return Mem{Base: t.a, Disp: disp}
	case 3:
		return Mem{Base: t.a, Index: t.stride3, Scale: 1, Disp: disp}
	case 5:
		return Mem{Base: t.a, Index: t.stride5, Scale: 1, Disp: disp}
	}
	return Mem{Base: t.a, Index: t.stride, Scale: uint8(i), Disp: disp}
}

// quantize makes the function that brings a row of A to eight bits.
func (s isa) quantize() {
	s.function("quantize", "(values, entries, src []float32, groups, size int)",
		fmt.Sprintf("brings groups of src, each of size (4, 8, … 64) elements, to eight bits: bytes to values, and for\ngroup g the scale, largest/127, to entries[%d·g] and −128 times the sum of its bytes to entries[%d·g+%d].", byteEntry, byteEntry, byteRows))
	s.byVectors(func(name string, n int) {
		q := s.quantizer(n)
		groups := GP64()
		Load(Param("groups"), groups)
		magnitude, least, most, step := s.words(1<<31-1), s.words(math.Float32bits(leastTop)), s.constant(127), s.constant(1./127)
		Label(name)
		x, top := several(n, s.vec), s.vec()
		VMOVDQA64(least, top)
		for i, v := range x {
			absolute := s.vec()
			s.load(Mem{Base: q.src, Disp: i * s.bytes()}, q.masks[i], v)
			VPANDD(v, magnitude, absolute)
			VPMAXUD(absolute, top, top)
		}
		top = s.fold(top, VPMAXUD)
		q.round(x, most, top)
		VMULSS(step.AsX(), top.AsX(), top.AsX())
		VMOVSS(top.AsX(), Mem{Base: q.entries})
		LEAQ(Mem{Base: q.src, Index: q.size, Scale: 4}, q.src)
		ADDQ(q.size, q.values)
		ADDQ(U8(byteEntry*4), q.entries)
		DECQ(groups)
		JNE(LabelRef(name))
		s.end()
	})
}

// The least that the largest element of a group counts as: the scale of zeros.
const leastTop = 1e-30

// remainder makes the function that brings to eight bits what quantize left of a group.
func (s isa) remainder() {
	s.function("remainder", "(values, entries, src, quantized []float32, step float32, size int)",
		fmt.Sprintf("brings what is left of a group of src, less step times the bytes quantized, to eight bits as quantize does:\nbytes to values, the scale, step/254, to entries[0] and −128 times the sum of bytes to entries[%d].", byteRows))
	s.byVectors(func(_ string, n int) {
		q, quantized := s.quantizer(n), slice("quantized")
		step, steps := s.scalar("step"), s.constant(254)
		x := several(n, s.vec)
		for i, v := range x {
			bytes := s.vec()
			s.load(Mem{Base: q.src, Disp: i * s.bytes()}, q.masks[i], v)
			if q.masks[i] == nil {
				VPMOVSXBD(Mem{Base: quantized, Disp: 16 * i}, bytes)
			} else {
				VPMOVSXBD_Z(Mem{Base: quantized, Disp: 16 * i}, q.masks[i], bytes)
			}
			VCVTDQ2PS(bytes, bytes)
			VFNMADD231PS(step, bytes, v)
		}
		q.round(x, steps, step)
		VDIVSS(steps.AsX(), step.AsX(), step.AsX())
		VMOVSS(step.AsX(), Mem{Base: q.entries})
		s.end()
	})
}

// byVectors makes a body for each number of vectors that a group can have.
func (s isa) byVectors(body func(name string, n int)) {
	size := GP64()
	Load(Param("size"), size)
	for n := 1; n <= 4; n++ {
		next := fmt.Sprintf("over%d", n)
		if n < 4 {
			CMPQ(size, U8(16*n))
			JGT(LabelRef(next))
		}
		body(fmt.Sprintf("vectors%d", n), n)
		if n < 4 {
			Label(next)
		}
	}
}

// quantizer is the state of a loop over groups of some vectors.
type quantizer struct {
	isa
	values, entries, src, size reg.GPVirtual
	masks                      []reg.Register // of each vector; nil for whole ones
	offset                     reg.VecVirtual // 128 in each byte
}

func (s isa) quantizer(n int) quantizer {
	q := quantizer{isa: s, values: slice("values"), entries: slice("entries"), src: slice("src"), size: GP64(), masks: make([]reg.Register, n), offset: s.words(0x80808080)}
	Load(Param("size"), q.size)
	rest := GP64()
	LEAQ(Mem{Base: q.size, Disp: -16 * (n - 1)}, rest)
	q.masks[n-1] = s.masks(rest, 1)[0]
	return q
}

// round stores x·most/top as bytes, and −128 times their sum.
func (q quantizer) round(x []reg.VecVirtual, most, top reg.VecVirtual) {
	inverse, sum := q.vec(), XMM()
	VDIVSS(top.AsX(), most.AsX(), inverse.AsX())
	VBROADCASTSS(inverse.AsX(), inverse)
	VPXORD(sum, sum, sum)
	for i, v := range x {
		bytes := XMM()
		VMULPS(inverse, v, v)
		VCVTPS2DQ(v, v)
		VPMOVSDB(v, bytes)
		if q.masks[i] == nil {
			VMOVUPS(bytes, Mem{Base: q.values, Disp: 16 * i})
		} else {
			VMOVDQU8(bytes, q.masks[i], Mem{Base: q.values, Disp: 16 * i})
		}
		VPDPBUSD(bytes, q.offset.AsX(), sum)
	}
	q.storeNegativeSum(sum, Mem{Base: q.entries, Disp: byteRows * 4})
}

// storeNegativeSum stores −Σ x of four integers.
func (s isa) storeNegativeSum(x reg.VecVirtual, at Mem) {
	t := XMM()
	for _, order := range []uint8{0x4e, 0xb1} {
		VPSHUFD(U8(order), x, t)
		VPADDD(t, x, x)
	}
	VPXORD(t, t, t)
	VPSUBD(x, t, x)
	VMOVD(x, at)
}

// words broadcasts a 32-bit constant.
func (s isa) words(x uint32) reg.VecVirtual {
	v := s.vec()
	VPBROADCASTD(address(x), v)
	return v
}
