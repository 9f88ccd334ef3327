// Command quantize makes the built-in weights of package minilm from a file of float
// weights: the published model, or with -layers the layers alone of one that was
// adapted by tools/adapt and shares the published model's tables:
//
//	go run ./embed/minilm/internal/quantize model.safetensors embed/minilm/minilm.safetensors
//	go run ./embed/minilm/internal/quantize -layers adapted.safetensors embed/minilm/math.safetensors
//
// Every matrix becomes int8 with one bfloat16 scale for each G neighbours in a row,
//
//	weight[i][j] ≈ scale[i][j/G] · int8[i][j],  scale[i][g] = max |weight[i][gG…gG+G−1]| / 127
//
// with G = 16 in the layers (32 with -layers) and 64 in the tables of words and
// positions; the scales are rounded up before they are used. Vectors and the two segment embeddings stay
// float32. The scales of matrix NAME, (rows, columns/G), are the tensor NAME.scale.
// The pooler and the position ids, which mean pooling does not use, are left out.
//
// Note: one scale a row is not enough. The outliers in the rows of output.dense and
// texts that repeat one word, whose errors do not average out, then have a cosine
// with the original embedding of only 0.9954.
package main

import (
	"encoding/binary"
	"flag"
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
	layers := flag.Bool("layers", false, "keep the layers alone")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: quantize [-layers] MODEL.safetensors OUT.safetensors")
		os.Exit(2)
	}
	what := published
	if *layers {
		what = adapted
	}
	if err := quantize(flag.Arg(0), flag.Arg(1), what); err != nil {
		fmt.Fprintf(os.Stderr, "quantize: %v\n", err)
		os.Exit(1)
	}
}

// target is what a kind of file holds.
type target struct {
	source string
	prefix string // of the tensors that are kept
	group  int    // values of a row of a layer's matrix that share a scale
}

var (
	published = target{source: "sentence-transformers/all-MiniLM-L6-v2", group: 16}
	adapted   = target{source: "sentence-transformers/all-MiniLM-L6-v2, layers adapted by tools/adapt", prefix: "encoder.", group: 32}
)

func quantize(in, out string, what target) error {
	source, err := safetensors.ReadFile(in)
	if err != nil {
		return err
	}
	result := safetensors.File{Metadata: map[string]string{
		"source": what.source, "license": "Apache-2.0", "quantisation": fmt.Sprintf("int8, one bfloat16 scale for %d or 64 values of a row", what.group),
	}}
	for _, t := range source.Tensors {
		if !strings.HasPrefix(t.Name, what.prefix) || strings.HasPrefix(t.Name, "pooler.") || strings.HasSuffix(t.Name, "position_ids") {
			continue
		}
		values, err := t.Float32()
		if err != nil {
			return fmt.Errorf("%s: %w", in, err)
		}
		if len(t.Shape) != 2 || strings.HasSuffix(t.Name, "token_type_embeddings.weight") {
			result.Tensors = append(result.Tensors, safetensors.Float32s(t.Name, t.Shape, values))
			continue
		}
		group := what.groupSize(t.Name)
		if t.Shape[1]%group != 0 {
			return fmt.Errorf("%s: tensor %s has %d columns, want a multiple of %d", in, t.Name, t.Shape[1], group)
		}
		quantised, scales := quantizeGroups(values, group)
		result.Tensors = append(result.Tensors,
			safetensors.Tensor{Name: t.Name, DType: "I8", Shape: t.Shape, Data: quantised},
			safetensors.Tensor{Name: t.Name + ".scale", DType: "BF16", Shape: []int{t.Shape[0], t.Shape[1] / group}, Data: scales})
	}
	data, err := result.Encode()
	if err != nil {
		return err
	}
	return atomicfile.Write(out, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// groupSize returns how many values of a row of the named matrix share a scale.
func (t target) groupSize(name string) int {
	if strings.HasPrefix(name, "encoder.") {
		return t.group
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
