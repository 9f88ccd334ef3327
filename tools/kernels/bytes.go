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

// tileBytes makes the micro-kernel for rows and weights in eight bits.
func (s isa) tileBytes() {
	s.function("tile", "(rows, cols, groups, size int, a, b, c []float32, ldc int, accumulate bool)",
		fmt.Sprintf("computes the first rows (1 to %d) and cols (1 to %d) of C = A·B or C += A·B\nfrom panels of A and B in eight bits with groups of size, a multiple of 4.", byteRows, s.cols()))
	t := byteTile{isa: s, a: slice("a"), b: slice("b"), scales: GP64(), stride: GP64(), stride3: GP64(), stride5: GP64()}
	for range byteRows {
		t.floats = append(t.floats, [2]vector{s.zero(), s.zero()})
		t.ints = append(t.ints, [2]vector{s.vec(), s.vec()})
	}
	groups := GP64()
	Load(Param("groups"), groups)
	Load(Param("size"), t.stride)
	IMULQ(groups, t.stride)
	LEAQ(Mem{Base: t.stride, Index: t.stride, Scale: 2}, t.stride3)
	LEAQ(Mem{Base: t.stride, Index: t.stride, Scale: 4}, t.stride5)
	LEAQ(Mem{Base: t.a, Index: t.stride3, Scale: 2}, t.scales)
	align(64)
	Label("group")
	t.group()
	DECQ(groups)
	JNE(LabelRef("group"))
	rows := GP64()
	Load(Param("rows"), rows)
	s.storeTile("sums", t.floats, rows)
}

// byteTile is the state of a tile of bytes.
type byteTile struct {
	isa
	a, b, scales             reg.GPVirtual
	stride, stride3, stride5 reg.GPVirtual // once, three and five times the bytes of a row of A
	floats, ints             [][2]vector
}

// group adds the products of one group.
func (t byteTile) group() {
	for i, sums := range t.ints {
		VPBROADCASTD(Mem{Base: t.scales, Disp: (byteRows + i) * 4}, sums[0])
		VMOVDQA64(sums[0], sums[1])
	}
	b := t.b
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
		t.step(u)
	}
	ADDQ(U8(16), t.a)
	ADDQ(I32(4*t.cols()*4), b)
	SUBQ(U8(16), size)
	JGE(LabelRef("four"))
	Label("few")
	ADDQ(U8(16), size)
	JEQ(LabelRef("scale"))
	Label("one")
	t.step(0)
	ADDQ(U8(4), t.a)
	ADDQ(I32(t.cols()*4), b)
	SUBQ(U8(4), size)
	JNE(LabelRef("one"))
	Label("scale")
	for i, sums := range t.ints {
		for j, scale := range []reg.VecVirtual{low, high} {
			VCVTDQ2PS(sums[j], sums[j])
			VMULPS(scale, sums[j], sums[j])
			VFMADD231PS_BCST(Mem{Base: t.scales, Disp: i * 4}, sums[j], t.floats[i][j])
		}
	}
	ADDQ(U8(2*byteRows*4), t.scales)
}

// step adds the products of four neighbours along k.
func (t byteTile) step(u int) {
	low, high := t.vec(), t.vec()
	at := u * t.cols() * 4
	VMOVDQU64(Mem{Base: t.b, Disp: at}, low)
	VMOVDQU64(Mem{Base: t.b, Disp: at + 64}, high)
	for p := 0; p < t.cols()*4; p += 64 {
		PREFETCHT0(Mem{Base: t.b, Disp: at + p + 1024})
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
	s.function("quantize", "(values, scales, src []float32, groups, size int)",
		fmt.Sprintf("brings groups of src, each of size (4, 8, … 64) elements, to eight bits: bytes to values, and for\ngroup g the scale, largest/127, to scales[%d·g] and −128 times the sum of its bytes to scales[%d·g+%d].", 2*byteRows, 2*byteRows, byteRows))
	size := GP64()
	Load(Param("size"), size)
	for n := 1; n <= 4; n++ {
		if n < 4 {
			CMPQ(size, U8(16*n))
			JGT(LabelRef(fmt.Sprintf("over%d", n)))
		}
		s.quantizeGroups(n)
		if n < 4 {
			Label(fmt.Sprintf("over%d", n))
		}
	}
}

// The least that the largest element of a group counts as: the scale of zeros.
const leastTop = 1e-30

// quantizeGroups makes the loop for groups of n vectors.
func (s isa) quantizeGroups(n int) {
	name := fmt.Sprintf("vectors%d", n)
	values, scales, src, groups, size, rest := slice("values"), slice("scales"), slice("src"), GP64(), GP64(), GP64()
	Load(Param("groups"), groups)
	Load(Param("size"), size)
	LEAQ(Mem{Base: size, Disp: -16 * (n - 1)}, rest)
	masks := make([]reg.Register, n)
	masks[n-1] = s.masks(rest, 1)[0]
	magnitude, least, most, step, ones := s.words(1<<31-1), s.words(math.Float32bits(leastTop)), s.constant(127), s.constant(1./127), s.words(0x80808080)
	Label(name)
	x, top, sum := several(n, s.vec), s.vec(), XMM()
	VMOVDQA64(least, top)
	for i, v := range x {
		absolute := s.vec()
		s.load(Mem{Base: src, Disp: i * s.bytes()}, masks[i], v)
		VPANDD(v, magnitude, absolute)
		VPMAXUD(absolute, top, top)
	}
	top = s.fold(top, VPMAXUD)
	inverse := s.vec()
	VDIVSS(top.AsX(), most.AsX(), inverse.AsX())
	VBROADCASTSS(inverse.AsX(), inverse)
	VMULSS(step.AsX(), top.AsX(), top.AsX())
	VMOVSS(top.AsX(), Mem{Base: scales})
	VPXORD(sum, sum, sum)
	for i, v := range x {
		packed := XMM()
		VMULPS(inverse, v, v)
		VCVTPS2DQ(v, v)
		VPMOVSDB(v, packed)
		if masks[i] == nil {
			VMOVUPS(packed, Mem{Base: values, Disp: 16 * i})
		} else {
			VMOVDQU8(packed, masks[i], Mem{Base: values, Disp: 16 * i})
		}
		VPDPBUSD(packed, ones.AsX(), sum)
	}
	s.storeNegativeSum(sum, Mem{Base: scales, Disp: byteRows * 4})
	LEAQ(Mem{Base: src, Index: size, Scale: 4}, src)
	ADDQ(size, values)
	ADDQ(U8(2*byteRows*4), scales)
	DECQ(groups)
	JNE(LabelRef(name))
	s.end()
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
