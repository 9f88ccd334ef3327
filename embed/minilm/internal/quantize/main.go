// Command quantize makes the built-in weights of package minilm from the original
// float32 file:
//
//	go run ./embed/minilm/internal/quantize model.safetensors embed/minilm/minilm.safetensors
//
// Every matrix becomes int8 with one float32 scale a row,
//
//	weight[i][j] ≈ scale[i] · int8[i][j],  scale[i] = maxⱼ |weight[i][j]| / 127
//
// vectors stay float32. The scales of matrix NAME are the tensor NAME.scale. The
// pooler and the position ids, which mean pooling does not use, are left out.
package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"rcvae/internal/atomicfile"
	"rcvae/internal/safetensors"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: quantize MODEL.safetensors OUT.safetensors")
		os.Exit(2)
	}
	if err := quantize(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "quantize: %v\n", err)
		os.Exit(1)
	}
}

func quantize(in, out string) error {
	source, err := safetensors.ReadFile(in)
	if err != nil {
		return err
	}
	target := safetensors.File{Metadata: map[string]string{
		"source": "sentence-transformers/all-MiniLM-L6-v2", "license": "Apache-2.0", "quantisation": "int8, one scale a row",
	}}
	for _, t := range source.Tensors {
		if strings.HasPrefix(t.Name, "pooler.") || strings.HasSuffix(t.Name, "position_ids") {
			continue
		}
		values, err := t.Float32()
		if err != nil {
			return fmt.Errorf("%s: %w", in, err)
		}
		if len(t.Shape) != 2 {
			target.Tensors = append(target.Tensors, safetensors.Float32s(t.Name, t.Shape, values))
			continue
		}
		quantised, scales := quantizeRows(values, t.Shape[0])
		target.Tensors = append(target.Tensors,
			safetensors.Tensor{Name: t.Name, DType: "I8", Shape: t.Shape, Data: quantised},
			safetensors.Float32s(t.Name+".scale", []int{t.Shape[0]}, scales))
	}
	data, err := target.Encode()
	if err != nil {
		return err
	}
	return atomicfile.Write(out, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// quantizeRows returns the int8 values of a matrix and one scale a row.
func quantizeRows(values []float32, rows int) (quantised []byte, scales []float32) {
	cols := len(values) / rows
	quantised, scales = make([]byte, len(values)), make([]float32, rows)
	for i := range rows {
		row := values[i*cols : (i+1)*cols]
		var top float64
		for _, v := range row {
			top = max(top, math.Abs(float64(v)))
		}
		if top == 0 {
			continue
		}
		scales[i] = float32(top / 127)
		for j, v := range row {
			quantised[i*cols+j] = byte(int8(math.RoundToEven(float64(v) / float64(scales[i]))))
		}
	}
	return quantised, scales
}
