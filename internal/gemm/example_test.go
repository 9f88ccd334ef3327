package gemm_test

import (
	"fmt"

	"rcvae/internal/gemm"
)

func ExamplePool_Run() {
	pool := gemm.NewPool(0)
	defer pool.Close()
	squares := make([]int, 5)
	pool.Run(len(squares), func(_, task int) { squares[task] = task * task })
	fmt.Println(squares)
	// Output: [0 1 4 9 16]
}

func ExampleMul() {
	a := []float32{1, 2, 3, 4}
	b := []float32{5, 6, 7, 8}
	c := make([]float32, 4)
	gemm.Mul(gemm.NoTrans, gemm.NoTrans, 2, 2, 2, a, 2, b, 2, c, 2, false)
	fmt.Println(c)
	// Output: [19 22 43 50]
}

// A dense layer: weights packed once, the bias added while the outputs are warm.
func ExamplePool_MulPacked() {
	pool := gemm.NewPool(0)
	defer pool.Close()
	const rows, in, out = 2, 3, 2
	weights := gemm.Pack(gemm.Trans, in, out, []float32{1, 0, 1, 0, 1, 0}, in) // stored as (out, in)
	bias := []float32{-10, 10}
	x := []float32{1, 2, 3, 4, 5, 6}
	y := make([]float32, rows*out)
	pool.MulPacked(rows, x, in, weights, y, out, false, func(row, rows, col, cols int) {
		for i := row; i < row+rows; i++ {
			gemm.AddBiasReLU(y[i*out+col:i*out+col+cols], bias[col:])
		}
	})
	fmt.Println(y)
	// Output: [0 12 0 15]
}

func ExampleSoftmax() {
	x := []float32{0, 0, 0, 0}
	gemm.Softmax(x)
	fmt.Println(x)
	// Output: [0.25 0.25 0.25 0.25]
}

func ExampleAdam() {
	step := gemm.AdamStep{LR: 0.1, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Correction1: 0.1, Correction2: 0.001, GradScale: 1}
	param, grad := []float32{1}, []float32{5}
	gemm.Adam(step, param, grad, []float32{0}, []float32{0})
	fmt.Printf("%.3f\n", param[0]) // the first step has the length LR
	// Output: 0.900
}
