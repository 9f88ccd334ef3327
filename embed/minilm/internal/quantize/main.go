// Command quantize makes the built-in weights of package minilm from the original
// float32 file:
//
//	go run ./embed/minilm/internal/quantize model.safetensors embed/minilm/minilm.safetensors
//
// Every matrix becomes int8 with one bfloat16 scale for each G neighbours in a row,
//
//	weight[i][j] ≈ scale[i][j/G] · int8[i][j],  scale[i][g] = max |weight[i][gG…gG+G−1]| / 127
//
// with G = 16 in the layers and 64 in the tables of words and positions; the scales
// are rounded up before they are used. Vectors and the two segment embeddings stay
// float32. The scales of matrix NAME, (rows, columns/G), are the tensor NAME.scale.
// The pooler and the position ids, which mean pooling does not use, are left out.
//
// Note: one scale a row is not enough. The outliers in the rows of output.dense and
// texts that repeat one word, whose errors do not average out, then have a cosine
// with the original embedding of only 0.9954.
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
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
		"source": "sentence-transformers/all-MiniLM-L6-v2", "license": "Apache-2.0", "quantisation": "int8, one bfloat16 scale for 16 or 64 values of a row",
	}}
	for _, t := range source.Tensors {
		if strings.HasPrefix(t.Name, "pooler.") || strings.HasSuffix(t.Name, "position_ids") {
			continue
		}
		values, err := t.Float32()
		if err != nil {
			return fmt.Errorf("%s: %w", in, err)
		}
		if len(t.Shape) != 2 || strings.HasSuffix(t.Name, "token_type_embeddings.weight") {
			target.Tensors = append(target.Tensors, safetensors.Float32s(t.Name, t.Shape, values))
			continue
		}
		group := groupSize(t.Name)
		if t.Shape[1]%group != 0 {
			return fmt.Errorf("%s: tensor %s has %d columns, want a multiple of %d", in, t.Name, t.Shape[1], group)
		}
		quantised, scales := quantizeGroups(values, group)
		target.Tensors = append(target.Tensors,
			safetensors.Tensor{Name: t.Name, DType: "I8", Shape: t.Shape, Data: quantised},
			safetensors.Tensor{Name: t.Name + ".scale", DType: "BF16", Shape: []int{t.Shape[0], t.Shape[1] / group}, Data: scales})
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

// groupSize returns how many values of a row of the named matrix share a scale.
func groupSize(name string) int {
	if strings.HasPrefix(name, "encoder.") {
		return 16
	}
	return 64
}

// quantizeGroups returns the int8 values of a matrix and one bfloat16 scale a group.
func quantizeGroups(values []float32, group int) (quantised, scales []byte) {
	for members := range slices.Chunk(values, group) {
		var top float64
		for _, v := range members {
			top = max(top, math.Abs(float64(v)))
		}
		bits := roundUp(float32(top / 127))
		scales = binary.LittleEndian.AppendUint16(scales, bits)
		scale := float64(math.Float32frombits(uint32(bits) << 16))
		for _, v := range members {
			n := 0.0
			if scale > 0 {
				n = math.RoundToEven(float64(v) / scale)
			}
			quantised = append(quantised, byte(int8(n)))
		}
	}
	return quantised, scales
}

// roundUp returns the least bfloat16 that is not below x >= 0.
func roundUp(x float32) uint16 {
	return uint16((math.Float32bits(x) + 0xffff) >> 16)
}
