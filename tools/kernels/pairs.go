package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The instructions of AVX512_BF16 are unknown to Go's assembler, so they are written as
// bytes, on registers that are chosen here.

// Where the accumulators of a tile of pairs begin; below are what is multiplied.
const firstPairAccumulator = 8

// bf16 emits dst = op(a, b) of 512-bit registers, by its prefix and opcode in map 0F38.
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, 2.7.1.
func (s isa) bf16(prefix, opcode byte, dst, a, b int, reads ...Op) {
	not := func(x, bit, to int) byte { return byte(^x>>bit&1) << to }
	code := []byte{
		0x62,
		not(dst, 3, 7) | not(b, 4, 6) | not(b, 3, 5) | not(dst, 4, 4) | 2,
		byte(^a&15)<<3 | 4 | prefix,
		0x40 | not(a, 4, 3),
		opcode,
		0xc0 | byte(dst&7)<<3 | byte(b&7),
	}
	for i, c := range code {
		instruction := &ir.Instruction{Opcode: "BYTE", Operands: []Op{U8(c)}}
		if i == 0 {
			instruction.Inputs = append(reads, s.physical(a), s.physical(b))
			instruction.Outputs = []Op{s.physical(dst)}
		}
		Instruction(instruction)
	}
}

// dotPairs adds to each lane of dst the products of both bfloat16 of a and b.
func (s isa) dotPairs(dst, a, b int) { s.bf16(2, 0x52, dst, a, b, s.physical(dst)) }

// toPairs rounds float32 to bfloat16: b to the low half of dst, a to the high half.
func (s isa) toPairs(dst, a, b int) { s.bf16(3, 0x72, dst, a, b) }

// outerPairs is outer for panels of pairs.
func (s isa) outerPairs(u int, acc [][2]vector, a, b reg.Register) {
	at := u * s.cols() * 4
	VMOVUPS(Mem{Base: b, Disp: at}, s.physical(0))
	VMOVUPS(Mem{Base: b, Disp: at + s.bytes()}, s.physical(1))
	for p := 0; p < s.cols()*4; p += 64 {
		PREFETCHT0(Mem{Base: b, Disp: at + p + 1024})
	}
	for i := range acc {
		x := 2 + i%(firstPairAccumulator-2)
		VBROADCASTSS(Mem{Base: a, Disp: (u*s.rows() + i) * 4}, s.physical(x))
		for j := range 2 {
			s.dotPairs(firstPairAccumulator+2*i+j, j, x)
		}
	}
}

// together is the number of elements along k that are one word of a panel.
func (s isa) together() int { return map[bool]int{true: 2, false: 1}[s.pairs] }

// inPairs ends the sentence about a function that packs.
func (s isa) inPairs() string {
	if !s.pairs {
		return ""
	}
	return ",\nas ceil(k/2) rows of pairs of bfloat16, of rows 2l and 2l+1; a row that is missing is 0"
}

// copyPairs emits the loop of copyPanel for pairs.
func (s isa) copyPairs(width int, dst, src, ld, k reg.Register, masks []reg.Register) {
	second := GP64()
	VMOVDQU16(interleave(), s.physical(4))
	Label("row")
	LEAQ(Mem{Base: src, Index: ld, Scale: 1}, second)
	for i, mask := range masks {
		s.load(Mem{Base: src, Disp: i * s.bytes()}, mask, s.physical(2*i))
		VPXORQ(s.physical(2*i+1), s.physical(2*i+1), s.physical(2*i+1))
	}
	CMPQ(k, U8(1))
	JEQ(LabelRef("odd"))
	for i, mask := range masks {
		s.load(Mem{Base: second, Disp: i * s.bytes()}, mask, s.physical(2*i+1))
	}
	Label("odd")
	for i := range masks {
		s.toPairs(2*i, 2*i+1, 2*i)
		VPERMW(s.physical(2*i), s.physical(4), s.physical(2*i))
		s.storePanel(s.physical(2*i), width-i*s.width, Mem{Base: dst, Disp: i * s.bytes()})
	}
	for i := range masks { // the next panel's part of these rows
		PREFETCHT0(Mem{Base: src, Disp: (width + 16*i) * 4})
		PREFETCHT0(Mem{Base: second, Disp: (width + 16*i) * 4})
	}
	LEAQ(Mem{Base: src, Index: ld, Scale: 2}, src)
	ADDQ(U8(width*4), dst)
	SUBQ(U8(2), k)
	JGT(LabelRef("row"))
	Label("done")
	s.end()
}

// pair makes the function that turns a float32 panel into one of pairs.
func (s isa) pair() {
	s.function("pair", "(panel []float32, width, pairs int)",
		"turns a panel of (2·pairs, width) float32 into one of (pairs, width) pairs of bfloat16, in place.\nwidth is a multiple of 4 and at most 32.")
	src, dst, stride, pairs := slice("panel"), GP64(), GP64(), GP64()
	MOVQ(src, dst)
	Load(Param("width"), stride)
	Load(Param("pairs"), pairs)
	masks := s.masks(stride, 2)
	Load(Param("width"), stride)
	SHLQ(U8(2), stride)
	VMOVDQU16(interleave(), s.physical(4))
	TESTQ(pairs, pairs)
	JEQ(LabelRef("done"))
	Label("row")
	second := GP64()
	LEAQ(Mem{Base: src, Index: stride, Scale: 1}, second)
	for i, mask := range masks {
		s.load(Mem{Base: src, Disp: i * s.bytes()}, mask, s.physical(2*i))
		s.load(Mem{Base: second, Disp: i * s.bytes()}, mask, s.physical(2*i+1))
	}
	for i, mask := range masks {
		s.toPairs(2*i, 2*i+1, 2*i)
		VPERMW(s.physical(2*i), s.physical(4), s.physical(2*i))
		s.store(s.physical(2*i), mask, Mem{Base: dst, Disp: i * s.bytes()})
	}
	LEAQ(Mem{Base: src, Index: stride, Scale: 2}, src)
	ADDQ(stride, dst)
	DECQ(pairs)
	JNE(LabelRef("row"))
	Label("done")
	s.end()
}

var interleaveTable *Mem

// interleave returns the place of the indices that bring words 0, 16, 1, 17, … together.
func interleave() Mem {
	if interleaveTable == nil {
		m := GLOBL("interleave", attr.RODATA|nosplit)
		for i := range 16 {
			DATA(4*i, U32(uint32(i)|uint32(16+i)<<16))
		}
		interleaveTable = &m
	}
	return *interleaveTable
}
