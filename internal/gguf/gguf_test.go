package gguf_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rcvae/internal/gguf"
	"rcvae/internal/safetensors"
)

// The golden files are made by tools/golden/gguf_golden.py with gguf-py.

func readGolden(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/types.gguf")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEveryValueIsTheReferences(t *testing.T) {
	file, err := gguf.Decode(readGolden(t))
	if err != nil {
		t.Fatal(err)
	}
	golden, err := safetensors.ReadFile("testdata/types.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Tensors) != 9 {
		t.Fatalf("%d tensors, want one of each of nine types", len(file.Tensors))
	}
	for _, name := range []string{"F32", "F16", "BF16", "Q4_0", "Q5_0", "Q8_0", "Q4_K", "Q5_K", "Q6_K"} {
		tensor, ok := file.Lookup(name)
		reference, err := golden.Lookup(name)
		if !ok || err != nil || tensor.Type.String() != name || !slices.Equal(tensor.Shape, reference.Shape) {
			t.Fatalf("%s: found %v of type %v and shape %v, want shape %v (%v)", name, ok, tensor.Type, tensor.Shape, reference.Shape, err)
		}
		want, err := reference.Float32()
		if err != nil {
			t.Fatal(err)
		}
		row := make([]float32, tensor.Columns())
		for i := range tensor.Shape[0] {
			tensor.Row(row, i)
			for j, got := range row {
				if w := want[i*len(row)+j]; math.Float32bits(got) != math.Float32bits(w) && got != w {
					t.Fatalf("%s: value (%d, %d) = %v, want %v", name, i, j, got, w)
				}
			}
		}
	}
}

func TestMetadata(t *testing.T) {
	file, err := gguf.Decode(readGolden(t))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"general.architecture":              "bert",
		"bert.block_count":                  int64(1),
		"bert.attention.causal":             false,
		"bert.attention.layer_norm_epsilon": float64(float32(1e-5)),
		"tokenizer.ggml.tokens":             []string{"a", "b", "▁c"},
		"tokenizer.ggml.scores":             []float64{0, -1.5, 2.25},
		"tokenizer.ggml.token_type":         []int64{1, 3, 6},
	} {
		if got := file.Metadata[key]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %#v, want %#v", key, got, want)
		}
	}
}

// header returns the start of a file with one tensor and no metadata.
func header(magic string, version uint32, dims []uint64, kind uint32, offset uint64) []byte {
	var b bytes.Buffer
	put := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) } // a buffer takes everything
	b.WriteString(magic)
	put(version)
	put(uint64(1))
	put(uint64(0))
	put(uint64(1))
	b.WriteString("t")
	put(uint32(len(dims)))
	put(dims)
	put(kind)
	put(offset)
	return append(b.Bytes(), make([]byte, 64)...)
}

func TestDecodeRejects(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "not a GGUF file"},
		{"another magic", header("GGML", 3, []uint64{1}, 0, 0), "not a GGUF file"},
		{"version 1", header("GGUF", 1, []uint64{1}, 0, 0), "version 1"},
		{"unknown type", header("GGUF", 3, []uint64{1}, 77, 0), "unsupported type 77"},
		{"half a block", header("GGUF", 3, []uint64{16}, 8, 0), "not whole blocks"},
		{"five dimensions", header("GGUF", 3, []uint64{1, 1, 1, 1, 1}, 0, 0), "5 dimensions"},
		{"no rows", header("GGUF", 3, []uint64{4, 0}, 0, 0), "dimension of 0"},
		{"too large", header("GGUF", 3, []uint64{1 << 30, 1 << 30, 1 << 30}, 0, 0), "too large"},
		{"outside", header("GGUF", 3, []uint64{1000}, 0, 0), "outside the file"},
		{"far outside", header("GGUF", 3, []uint64{1}, 0, math.MaxUint64-8), "outside the file"},
		{"cut header", header("GGUF", 3, []uint64{1}, 0, 0)[:40], "truncated"},
	} {
		if _, err := gguf.Decode(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

// FuzzDecode checks that all rows of what is accepted can be read.
func FuzzDecode(f *testing.F) {
	f.Add(readGolden(f)[:3000])
	f.Add(header("GGUF", 3, []uint64{2, 2}, 0, 0))
	f.Add(header("GGUF", 2, []uint64{32}, 8, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := gguf.Decode(data)
		if err != nil {
			return
		}
		for _, tensor := range file.Tensors {
			rows := 1
			for _, n := range tensor.Shape[:max(0, len(tensor.Shape)-1)] {
				rows *= n
			}
			if len(tensor.Data) > len(data) {
				t.Fatalf("tensor %q has more data than the file", tensor.Name)
			}
			row := make([]float32, tensor.Columns())
			for i := range rows {
				tensor.Row(row, i)
			}
		}
	})
}

func ExampleDecode() {
	data, err := os.ReadFile("testdata/types.gguf")
	if err != nil {
		panic(err)
	}
	file, err := gguf.Decode(data)
	if err != nil {
		panic(err)
	}
	tensor, _ := file.Lookup("Q4_K")
	fmt.Println(file.Metadata["general.architecture"], tensor.Shape, tensor.Type)
	// Output: bert [2 512] Q4_K
}

func BenchmarkRow(b *testing.B) {
	file, err := gguf.Decode(readGolden(b))
	if err != nil {
		b.Fatal(err)
	}
	for _, tensor := range file.Tensors {
		b.Run(tensor.Name, func(b *testing.B) {
			row := make([]float32, tensor.Columns())
			for b.Loop() {
				tensor.Row(row, 1)
			}
			b.ReportMetric(float64(b.N*len(row))/b.Elapsed().Seconds(), "values/s")
		})
	}
}
