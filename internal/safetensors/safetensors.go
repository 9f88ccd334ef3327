// Package safetensors reads and writes the safetensors format: named tensors and
// a map of strings in one file, without any code in it.
//
// A file is a little-endian uint64 n, a JSON header of n bytes, and the tensors'
// bytes without gaps. Decode is as strict as the reference implementation: offsets
// must cover the data exactly, and names must be unique.
package safetensors

import (
	"fmt"
	"math"
	"math/bits"
	"os"
	"slices"
)

// File is the content of a safetensors file.
type File struct {
	Metadata map[string]string // the header's __metadata__; nil when there is none
	Tensors  []Tensor          // in the order of their data
}

// Tensor is a named array. Data holds its elements row-major and little-endian.
type Tensor struct {
	Name  string
	DType string // "F32", "F16", "BF16", "F64", "I8", "U8", "I32", "I64", …
	Shape []int  // empty for a scalar
	Data  []byte
}

// Lookup returns the tensor with the given name, or an error that tells what the
// file has instead.
func (f *File) Lookup(name string) (Tensor, error) {
	i := slices.IndexFunc(f.Tensors, func(t Tensor) bool { return t.Name == name })
	if i >= 0 {
		return f.Tensors[i], nil
	}
	if len(f.Tensors) == 0 {
		return Tensor{}, fmt.Errorf("no tensor %q: the file has no tensors", name)
	}
	return Tensor{}, fmt.Errorf("no tensor %q among the file's %d (the first is %q)", name, len(f.Tensors), f.Tensors[0].Name)
}

// ReadFile reads the file at path.
func ReadFile(path string) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// elementSize returns the bytes of one element, 0 for an unknown type.
func elementSize(dtype string) int {
	switch dtype {
	case "BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3":
		return 1
	case "U16", "I16", "F16", "BF16":
		return 2
	case "U32", "I32", "F32":
		return 4
	case "U64", "I64", "F64", "C64":
		return 8
	}
	return 0
}

// size returns the number of bytes that the type and the shape ask for.
func (t Tensor) size() (int, error) {
	width := elementSize(t.DType)
	if width == 0 {
		return 0, fmt.Errorf("tensor %q: unknown element type %q", t.Name, t.DType)
	}
	n := uint64(width)
	for _, dim := range t.Shape {
		if dim < 0 {
			return 0, fmt.Errorf("tensor %q: negative dimension in shape %v", t.Name, t.Shape)
		}
		hi, lo := bits.Mul64(n, uint64(dim))
		if hi != 0 || lo > math.MaxInt {
			return 0, fmt.Errorf("tensor %q: shape %v is too large", t.Name, t.Shape)
		}
		n = lo
	}
	return int(n), nil
}

// check reports a tensor whose data does not fit its type and shape.
func (t Tensor) check() error {
	want, err := t.size()
	if err != nil {
		return err
	}
	if len(t.Data) != want {
		return fmt.Errorf("tensor %q: %d bytes of data, but %s of shape %v takes %d", t.Name, len(t.Data), t.DType, t.Shape, want)
	}
	return nil
}
