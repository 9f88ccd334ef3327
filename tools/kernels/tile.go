package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rows and cols of the largest tile: as many accumulators as there are registers
// beside two vectors of B and a few broadcasts of A.
func (s isa) rows() int { return map[bool]int{true: 12, false: 6}[s.wide()] }
func (s isa) cols() int { return 2 * s.width }

// step is by how many rows the heights of tiles differ, and so how many may be absent.
func (s isa) step() int {
	if s.eight {
		return byteRows
	}
	return s.rows() / 3
}

// tile makes the micro-kernel. It has one loop for each of three heights.
func (s isa) tile() {
	what := ""
	if s.pairs {
		what = ", of pairs of bfloat16"
	}
	s.function("tile", "(rows, cols, k int, a, b, c []float32, ldc int, accumulate bool)",
		fmt.Sprintf("computes the first rows (1 to %d) and cols (1 to %d) of C = A·B or C += A·B\nfrom a panel of A, (k, %d), and a panel of B, (k, %d)%s.", s.rows(), s.cols(), s.rows(), s.cols(), what))
	rows := GP64()
	Load(Param("rows"), rows)
	step := s.step()
	CMPQ(rows, U8(2*step))
	JGT(LabelRef("high"))
	CMPQ(rows, U8(step))
	JGT(LabelRef("middle"))
	s.tileOf("low", step, rows)
	Label("middle")
	s.tileOf("middle", 2*step, rows)
	Label("high")
	s.tileOf("high", 3*step, rows)
}

// tileOf makes the loop for tiles of height h, of which the last h/3 rows or
// fewer may be absent.
func (s isa) tileOf(name string, h int, rows reg.GPVirtual) {
	k, a, b := GP64(), slice("a"), slice("b")
	Load(Param("k"), k)
	acc, outer := make([][2]vector, h), s.outer
	for i := range acc {
		acc[i] = [2]vector{s.accumulator(2 * i), s.accumulator(2*i + 1)}
	}
	if s.pairs {
		outer = s.outerPairs
	}
	unroll := 32 / s.width
	SUBQ(U8(unroll), k)
	JLT(LabelRef(name + "Rest"))
	align(64)
	Label(name + "Loop")
	for u := range unroll {
		outer(u, acc, a, b)
	}
	ADDQ(I32(unroll*s.rows()*4), a)
	ADDQ(I32(unroll*s.cols()*4), b)
	SUBQ(U8(unroll), k)
	JGE(LabelRef(name + "Loop"))
	Label(name + "Rest")
	ADDQ(U8(unroll), k)
	JEQ(LabelRef(name + "Store"))
	Label(name + "One")
	outer(0, acc, a, b)
	ADDQ(U8(s.rows()*4), a)
	ADDQ(U8(s.cols()*4), b)
	DECQ(k)
	JNE(LabelRef(name + "One"))
	Label(name + "Store")
	s.storeTile(name, acc, rows)
}

// accumulator returns register i of a tile's sums, zeroed.
func (s isa) accumulator(i int) vector {
	if !s.pairs {
		return s.zero()
	}
	v := s.physical(firstPairAccumulator + i)
	VPXORQ(v, v, v)
	return v
}

// outer adds the outer product of row u of both panels.
func (s isa) outer(u int, acc [][2]vector, a, b reg.Register) {
	b0, b1 := s.vec(), s.vec()
	at := u * s.cols() * 4
	VMOVUPS(Mem{Base: b, Disp: at}, b0)
	VMOVUPS(Mem{Base: b, Disp: at + s.bytes()}, b1)
	for p := 0; p < s.cols()*4; p += 64 {
		PREFETCHT0(Mem{Base: b, Disp: at + p + 1024})
	}
	for i := range acc {
		x := s.vec()
		VBROADCASTSS(Mem{Base: a, Disp: (u*s.rows() + i) * 4}, x)
		VFMADD231PS(b0, x, acc[i][0])
		VFMADD231PS(b1, x, acc[i][1])
	}
}

// storeTile writes the accumulators to C, whole or masked, and returns.
func (s isa) storeTile(name string, acc [][2]vector, rows reg.GPVirtual) {
	c, ldc, cols, accumulate := slice("c"), GP64(), GP64(), GP8()
	Load(Param("ldc"), ldc)
	SHLQ(U8(2), ldc)
	Load(Param("cols"), cols)
	Load(Param("accumulate"), accumulate)
	CMPQ(cols, U8(s.cols()))
	JNE(LabelRef(name + "Masked"))
	s.storeRows(name+"Whole", acc, rows, c, ldc, accumulate, []reg.Register{nil, nil})
	Label(name + "Masked")
	s.storeRows(name+"Masked", acc, rows, c, ldc, accumulate, s.masks(cols, 2))
}

func (s isa) storeRows(name string, acc [][2]vector, rows reg.GPVirtual, c, ldc, accumulate reg.Register, masks []reg.Register) {
	emit := func(name string, write func(v vector, mask reg.Register, at Mem)) {
		for i := range acc {
			if i > len(acc)-s.step() {
				CMPQ(rows, U8(i))
				JLE(LabelRef(name + "Done"))
			}
			for j, v := range acc[i] {
				write(v, masks[j], Mem{Base: c, Disp: j * s.bytes()})
			}
			ADDQ(ldc, c)
		}
		Label(name + "Done")
		s.end()
	}
	TESTB(accumulate, accumulate)
	JEQ(LabelRef(name + "Set"))
	emit(name+"Add", func(v vector, mask reg.Register, at Mem) {
		old := s.vec()
		s.load(at, mask, old)
		VADDPS(old, v, old)
		s.store(old, mask, at)
	})
	Label(name + "Set")
	emit(name+"Set", func(v vector, mask reg.Register, at Mem) { s.store(v, mask, at) })
}
