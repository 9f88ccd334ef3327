package encoder

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"rcvae/internal/gguf"
	"rcvae/internal/safetensors"
)

// tensor is a stored array, read row by row.
type tensor struct {
	shape []int
	row   func(dst []float32, i int)
	eight *eightBits // nil if it is stored otherwise
	bits  int        // of a value as it is stored, rounded up
}

// eightBits are int8 values (rows, columns) and their scales (rows, columns/group), of
// which group neighbours in a row share one.
type eightBits struct {
	values []byte
	scales []float32
	group  int
}

// columns returns the length of a row.
func (t tensor) columns() int {
	if len(t.shape) == 0 {
		return 1
	}
	return t.shape[len(t.shape)-1]
}

// rows returns how many there are, 1 for a vector.
func (t tensor) rows() int {
	n := 1
	for _, d := range t.shape[:max(0, len(t.shape)-1)] {
		n *= d
	}
	return n
}

// values returns all rows.
func (t tensor) values() []float32 {
	n := t.columns()
	out := make([]float32, t.rows()*n)
	for i := range t.rows() {
		t.row(out[i*n:(i+1)*n], i)
	}
	return out
}

// Row and Rows make a tensor a block.Table.

func (t tensor) Row(dst []float32, i int) { t.row(dst, i) }
func (t tensor) Rows() int                { return t.rows() }

// source is where tensors come from, by their names in the file.
type source interface {
	lookup(name string) (tensor, bool)
	names() []string
}

// tensors is a source of safetensors files.
type tensors map[string]tensor

func (s tensors) lookup(name string) (tensor, bool) {
	t, ok := s[name]
	return t, ok
}

func (s tensors) names() []string {
	out := make([]string, 0, len(s))
	for name := range s {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// scaleSuffix marks the scales of an int8 matrix: scales (rows, columns/G) of NAME.scale
// times the values (rows, columns) of NAME, G neighbours in a row sharing one.
const scaleSuffix = ".scale"

// add takes the file's tensors that keep agrees to. Those that are no numbers for
// weights, such as position ids, are left out.
func (s tensors) add(file *safetensors.File, keep func(name string) bool) error {
	byName := make(map[string]safetensors.Tensor, len(file.Tensors))
	for _, t := range file.Tensors {
		byName[t.Name] = t
	}
	for _, t := range file.Tensors {
		if !keep(t.Name) || strings.HasSuffix(t.Name, scaleSuffix) {
			continue
		}
		if t.DType == "I8" {
			scaled, err := scaledRows(t, byName[t.Name+scaleSuffix])
			if err != nil {
				return err
			}
			s[t.Name] = scaled
			continue
		}
		if row := t.RowReader(); row != nil {
			s[t.Name] = tensor{shape: t.Shape, row: row, bits: 16} // or more
		}
	}
	return nil
}

// scaledRows reads an int8 matrix with its scales.
func scaledRows(t, scale safetensors.Tensor) (tensor, error) {
	scales, err := scale.Float32()
	if err != nil || len(t.Shape) != 2 || len(scale.Shape) != 2 || scale.Shape[0] != t.Shape[0] || scale.Shape[1] < 1 || t.Shape[1]%scale.Shape[1] != 0 {
		return tensor{}, fmt.Errorf("tensor %s: the int8 matrix %v has scales %v (%w)", t.Name, t.Shape, scale.Shape, errors.Join(err))
	}
	columns, groups := t.Shape[1], scale.Shape[1]
	size := columns / groups
	return tensor{shape: t.Shape, eight: &eightBits{t.Data, scales, size}, bits: 8, row: func(dst []float32, i int) {
		values, scales := t.Data[i*columns:(i+1)*columns], scales[i*groups:(i+1)*groups]
		for g, scale := range scales {
			group := dst[g*size : (g+1)*size]
			for j, v := range values[g*size : (g+1)*size] {
				group[j] = scale * float32(int8(v))
			}
		}
	}}, nil
}

// ggufTensors is the source of a GGUF file.
type ggufTensors struct{ file *gguf.File }

func (s ggufTensors) lookup(name string) (tensor, bool) {
	t, ok := s.file.Lookup(name)
	if !ok {
		return tensor{}, false
	}
	return tensor{shape: t.Shape, row: t.Row, bits: t.Type.Bits()}, true
}

func (s ggufTensors) names() []string {
	out := make([]string, len(s.file.Tensors))
	for i, t := range s.file.Tensors {
		out[i] = t.Name
	}
	return out
}
