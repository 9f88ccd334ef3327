package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// expand makes a float32 panel of B of one that is stored in eight bits.
func (s isa) expand() {
	s.function("expand", "(dst []float32, values []int8, scales []float32, groups, size int)",
		fmt.Sprintf("makes the panel dst, (groups·size, %d), of values, which has its shape, and scales, (groups, %d):\ndst[l·%d+j] = scales[l/size·%d+j] · values[l·%d+j].", s.cols(), s.cols(), s.cols(), s.cols(), s.cols()))
	dst, values, scales, groups, size := slice("dst"), slice("values"), slice("scales"), GP64(), GP64()
	Load(Param("groups"), groups)
	TESTQ(groups, groups)
	JEQ(LabelRef("done"))
	Label("group")
	low, high := s.vec(), s.vec()
	VMOVUPS(Mem{Base: scales}, low)
	VMOVUPS(Mem{Base: scales, Disp: s.bytes()}, high)
	Load(Param("size"), size)
	Label("row")
	v, w := s.vec(), s.vec()
	VPMOVSXBD(Mem{Base: values}, v)
	VPMOVSXBD(Mem{Base: values, Disp: s.width}, w)
	VCVTDQ2PS(v, v)
	VCVTDQ2PS(w, w)
	VMULPS(low, v, v)
	VMULPS(high, w, w)
	VMOVUPS(v, Mem{Base: dst})
	VMOVUPS(w, Mem{Base: dst, Disp: s.bytes()})
	PREFETCHT0(Mem{Base: values, Disp: 512})
	ADDQ(U8(s.cols()), values)
	ADDQ(I32(s.cols()*4), dst)
	DECQ(size)
	JNE(LabelRef("row"))
	ADDQ(I32(s.cols()*4), scales)
	DECQ(groups)
	JNE(LabelRef("group"))
	Label("done")
	s.end()
}
