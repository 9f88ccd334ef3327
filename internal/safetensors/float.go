package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"

	"rcvae/internal/half"
)

// Float32s returns an F32 tensor that holds a copy of values.
func Float32s(name string, shape []int, values []float32) Tensor {
	data := make([]byte, 4*len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(v))
	}
	return Tensor{Name: name, DType: "F32", Shape: append([]int{}, shape...), Data: data}
}

// Float32 returns the elements of an F32, F16, BF16 or F64 tensor, row-major. An
// element that is NaN, infinite or too large for float32 is an error, as are other
// types.
func (t Tensor) Float32() ([]float32, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	out := make([]float32, len(t.Data)/elementSize(t.DType))
	switch t.DType {
	case "F32":
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
		}
	case "F16":
		for i := range out {
			out[i] = half.Float32(binary.LittleEndian.Uint16(t.Data[2*i:]))
		}
	case "BF16":
		for i := range out {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(t.Data[2*i:])) << 16)
		}
	case "F64":
		for i := range out {
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(t.Data[8*i:])))
		}
	default:
		return nil, fmt.Errorf("tensor %q: elements are %s, not floating-point numbers", t.Name, t.DType)
	}
	for i, v := range out {
		if v-v != 0 { // NaN and ±Inf
			return nil, fmt.Errorf("tensor %q: element %d is %v: the file is damaged or its training diverged", t.Name, i, v)
		}
	}
	return out, nil
}

// RowReader returns a function that sets dst to row i of an F32, F16 or BF16 tensor,
// whose rows run along its last dimension, without a look at the others; nil for other
// types. The tensor must be one of a decoded file.
func (t Tensor) RowReader() func(dst []float32, i int) {
	width := elementSize(t.DType)
	row := func(dst []float32, i int) []byte { return t.Data[i*len(dst)*width:][:len(dst)*width] }
	switch t.DType {
	case "F32":
		return func(dst []float32, i int) {
			data := row(dst, i)
			for j := range dst {
				dst[j] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*j:]))
			}
		}
	case "F16":
		return func(dst []float32, i int) {
			data := row(dst, i)
			for j := range dst {
				dst[j] = half.Float32(binary.LittleEndian.Uint16(data[2*j:]))
			}
		}
	case "BF16":
		return func(dst []float32, i int) {
			data := row(dst, i)
			for j := range dst {
				dst[j] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*j:])) << 16)
			}
		}
	}
	return nil
}
