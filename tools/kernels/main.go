// Command kernels writes the assembler of internal/gemm: the same loops for
// AVX-512 and for AVX2 with FMA. It is run by go generate in that package.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("amd64")
	pause()
	for _, s := range []isa{{name: "AVX512", width: 16}, {name: "AVX2", width: 8}} {
		s.tile()
		s.packs()
		s.expand()
		s.elementwise()
		s.reductions()
		s.activations()
		s.adam()
	}
	bf16 := isa{name: "BF16", width: 16, pairs: true}
	bf16.tile()
	bf16.packs()
	bf16.pair()
	vnni := isa{name: "VNNI", width: 16, eight: true}
	vnni.tileBytes()
	vnni.quantize()
	vnni.remainder()
	Generate()
}

// pause makes the body of a spin loop that is easy on the other hardware thread.
func pause() {
	TEXT("pause", nosplit, "func()")
	Doc("pause waits for about a quarter of a microsecond.")
	for range 16 {
		PAUSE()
	}
	RET()
}
