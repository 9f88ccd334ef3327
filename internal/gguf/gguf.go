// Package gguf reads GGUF files, the format of llama.cpp's models: metadata and tensors,
// of which many types are quantised.
//
// A file holds little-endian: the magic "GGUF", a version, the numbers of tensors and
// of metadata entries, the entries, the tensors' names, shapes, types and offsets, and
// after padding their data.
//
// Source: ggml's docs/gguf.md and, for the quantised types, gguf-py's quants.py, with
// which every value agrees.
package gguf

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// File is the content of a GGUF file. Values of Metadata are string, bool, int64,
// float64, []string, []float64, []int64 or []byte.
type File struct {
	Metadata map[string]any
	Tensors  []Tensor
	byName   map[string]int
}

// Tensor is a named array, row-major.
type Tensor struct {
	Name  string
	Shape []int // the last one runs fastest, the reverse of the order in the file
	Type  Type
	Data  []byte
}

// Limits on what a file may hold.
const (
	maxEntries = 1 << 16 // metadata entries, tensors
	maxDims    = 4
	maxName    = 1 << 16 // bytes of a name of an entry or a tensor
)

// Decode parses a whole file. The tensors' data is not copied.
func Decode(data []byte) (*File, error) {
	r := &reader{data: data}
	if string(r.bytes(4)) != "GGUF" {
		return nil, errors.New("not a GGUF file")
	}
	if v := r.uint32(); v != 2 && v != 3 {
		return nil, fmt.Errorf("GGUF version %d is not supported: 2 and 3 are", v)
	}
	tensors, entries := r.uint64(), r.uint64()
	if r.err != nil || tensors > maxEntries || entries > maxEntries {
		return nil, fmt.Errorf("not a GGUF file: %d tensors and %d metadata entries", tensors, entries)
	}
	f := &File{Metadata: make(map[string]any), byName: make(map[string]int)}
	for range entries {
		if err := f.readEntry(r); err != nil {
			return nil, err
		}
	}
	offsets := make([]uint64, 0, tensors)
	for range tensors {
		offset, err := f.readTensor(r)
		if err != nil {
			return nil, err
		}
		offsets = append(offsets, offset)
	}
	return f, f.place(r, offsets)
}

func (f *File) readEntry(r *reader) error {
	key := r.string(maxName)
	value := r.value(r.uint32())
	if r.err != nil {
		return fmt.Errorf("metadata entry %q: %w", key, r.err)
	}
	if _, seen := f.Metadata[key]; seen {
		return fmt.Errorf("metadata entry %q occurs twice", key)
	}
	f.Metadata[key] = value
	return nil
}

// readTensor reads a tensor's description and returns where its data starts.
func (f *File) readTensor(r *reader) (offset uint64, err error) {
	t := Tensor{Name: r.string(maxName)}
	dims := r.uint32()
	if r.err == nil && dims > maxDims {
		return 0, fmt.Errorf("tensor %q has %d dimensions, at most %d are allowed", t.Name, dims, maxDims)
	}
	for range min(dims, maxDims) {
		n := r.uint64()
		if r.err == nil && (n == 0 || n > math.MaxInt32) {
			return 0, fmt.Errorf("tensor %q has a dimension of %d", t.Name, n)
		}
		t.Shape = append(t.Shape, int(n))
	}
	slices.Reverse(t.Shape)
	t.Type = Type(r.uint32())
	offset = r.uint64()
	if r.err != nil {
		return 0, fmt.Errorf("tensor %q: %w", t.Name, r.err)
	}
	if _, seen := f.byName[t.Name]; seen {
		return 0, fmt.Errorf("tensor %q occurs twice", t.Name)
	}
	f.byName[t.Name] = len(f.Tensors)
	f.Tensors = append(f.Tensors, t)
	return offset, nil
}

// place gives the tensors their data.
func (f *File) place(r *reader, offsets []uint64) error {
	alignment := uint64(32)
	if a, ok := f.Metadata["general.alignment"].(int64); ok {
		if a < 1 || a > 1<<20 {
			return fmt.Errorf("general.alignment is %d", a)
		}
		alignment = uint64(a)
	}
	start := (uint64(r.at) + alignment - 1) / alignment * alignment
	for i := range f.Tensors {
		t := &f.Tensors[i]
		size, err := t.size()
		if err != nil {
			return err
		}
		from, carry := bits.Add64(start, offsets[i], 0)
		if carry != 0 || from > uint64(len(r.data)) || size > uint64(len(r.data))-from {
			return fmt.Errorf("tensor %q of %d bytes at byte %d is outside the file of %d bytes: it is truncated; get it again", t.Name, size, from, len(r.data))
		}
		t.Data = r.data[from : from+size : from+size]
	}
	return nil
}

// size returns the bytes of the tensor's data.
func (t *Tensor) size() (uint64, error) {
	layout, ok := layouts[t.Type]
	if !ok {
		return 0, fmt.Errorf("tensor %q has the unsupported type %v: F32, F16, BF16, Q4_0, Q5_0, Q8_0, Q4_K, Q5_K and Q6_K are supported", t.Name, t.Type)
	}
	if t.Columns()%layout.values != 0 {
		return 0, fmt.Errorf("tensor %q: rows of %d values are not whole blocks of %d", t.Name, t.Columns(), layout.values)
	}
	blocks := uint64(t.Columns() / layout.values)
	for _, n := range t.Shape[:max(0, len(t.Shape)-1)] {
		hi, lo := bits.Mul64(blocks, uint64(n))
		if hi != 0 || lo > math.MaxInt64/256 {
			return 0, fmt.Errorf("tensor %q: shape %v is too large", t.Name, t.Shape)
		}
		blocks = lo
	}
	return blocks * uint64(layout.bytes), nil
}

// Lookup returns the named tensor.
func (f *File) Lookup(name string) (Tensor, bool) {
	i, ok := f.byName[name]
	if !ok {
		return Tensor{}, false
	}
	return f.Tensors[i], true
}
