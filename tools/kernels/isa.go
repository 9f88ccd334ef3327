package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const nosplit = attr.NOSPLIT

// isa is an instruction set: 16 lanes and opmasks for AVX-512, 8 lanes for AVX2.
type isa struct {
	name  string
	width int  // float32 lanes of a vector
	pairs bool // tiles of panels whose elements are two bfloat16, of row 2l and 2l+1
	eight bool // tiles of panels in eight bits
}

func (s isa) wide() bool { return s.width == 16 }

// bytes of one vector.
func (s isa) bytes() int { return 4 * s.width }

// vec allocates a vector register.
func (s isa) vec() reg.VecVirtual {
	if s.wide() {
		return ZMM()
	}
	return YMM()
}

// physical returns vector register i.
func (s isa) physical(i int) reg.VecPhysical {
	if s.wide() {
		return []reg.VecPhysical{
			reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
			reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
			reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
			reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
		}[i]
	}
	return []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
		reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
	}[i]
}

// function opens an assembler function with a signature and documentation.
func (s isa) function(name, signature, doc string) {
	TEXT(name+s.name, nosplit, "func"+signature)
	Doc(strings.Split(name+s.name+" "+doc, "\n")...)
	Pragma("noescape")
}

// end closes a function.
func (s isa) end() {
	VZEROUPPER()
	RET()
}

func (s isa) zero() reg.VecVirtual {
	v := s.vec()
	if s.wide() {
		VPXORQ(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
	return v
}

// scalar broadcasts a float32 parameter.
func (s isa) scalar(param string) reg.VecVirtual {
	v := s.vec()
	addr, err := Param(param).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(addr.Addr, v)
	return v
}

var constants = map[uint32]Mem{}

// constant broadcasts a constant.
func (s isa) constant(x float32) reg.VecVirtual {
	v := s.vec()
	VBROADCASTSS(address(math.Float32bits(x)), v)
	return v
}

// address returns the place of a 32-bit constant.
func address(bits uint32) Mem {
	m, ok := constants[bits]
	if !ok {
		m = ConstData(fmt.Sprintf("const%08x", bits), U32(bits))
		constants[bits] = m
	}
	return m
}

var maskTable *Mem

// lanesTable returns the middle of a table of 16 words of ones and 16 of zeros:
// n words before it begins the mask of the first n of 16 lanes.
func lanesTable() Mem {
	if maskTable == nil {
		m := GLOBL("lanes", attr.RODATA|nosplit)
		for i := range 32 {
			bits := ^uint32(0)
			if i >= 16 {
				bits = 0
			}
			DATA(4*i, U32(bits))
		}
		maskTable = &m
	}
	return maskTable.Offset(64)
}

// masks returns the masks of the first n (0 to count·width) lanes of count
// vectors: opmasks for AVX-512, vectors for AVX2. It destroys n.
func (s isa) masks(n reg.GPVirtual, count int) []reg.Register {
	var out []reg.Register
	if s.wide() {
		bits := GP64()
		MOVQ(I32(-1), bits)
		BZHIQ(n, bits, bits)
		for i := range count {
			if i > 0 {
				SHRQ(U8(16), bits)
			}
			k := K()
			KMOVW(bits.As32(), k)
			out = append(out, k)
		}
		return out
	}
	table := GP64()
	LEAQ(lanesTable(), table)
	NEGQ(n)
	for i := range count {
		v := YMM()
		VMOVUPS(Mem{Base: table, Index: n, Scale: 4, Disp: 32 * i}, v)
		out = append(out, v)
	}
	return out
}

// load reads a vector; lanes outside mask (nil: none) are neither read nor kept.
func (s isa) load(m Mem, mask, dst reg.Register) {
	switch {
	case mask == nil:
		VMOVUPS(m, dst)
	case s.wide():
		VMOVUPS_Z(m, mask, dst)
	default:
		VMASKMOVPS(m, mask, dst)
	}
}

// store writes a vector; lanes outside mask (nil: none) are left alone.
func (s isa) store(src, mask reg.Register, m Mem) {
	switch {
	case mask == nil:
		VMOVUPS(src, m)
	case s.wide():
		VMOVUPS(src, mask, m)
	default:
		VMASKMOVPS(src, mask, m)
	}
}

// align puts the next instruction at a multiple of n bytes.
func align(n uint64) {
	Instruction(&ir.Instruction{Opcode: "PCALIGN", Operands: []Op{U8(n)}})
}
