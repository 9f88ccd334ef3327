package cvae

import (
	"fmt"
	"slices"

	"rcvae"
	"rcvae/internal/safetensors"
)

const whiteningTensor = "whitening"

// tensors returns everything of the model that is a tensor.
func (m *Model) tensors() []safetensors.Tensor {
	tensors := append(paramTensors(m.net, "", m.params), m.inputs.tensors()...)
	if m.whitening != nil {
		rows := m.whitening.rows
		tensors = append(tensors, safetensors.Float32s(whiteningTensor, []int{len(rows)}, rows))
	}
	return tensors
}

// paramTensors returns a vector as one tensor per parameter.
func paramTensors(net *network, prefix string, flat []float32) []safetensors.Tensor {
	var out []safetensors.Tensor
	for _, v := range net.layout.Views() {
		out = append(out, safetensors.Float32s(prefix+v.Name, v.Shape, v.Of(flat)))
	}
	return out
}

func (in *inputs) tensors() []safetensors.Tensor {
	return slices.Concat(in.q.tensors("standardize.q"), in.r.tensors("standardize.r"))
}

func (s standardizer) tensors(name string) []safetensors.Tensor {
	shape := []int{len(s.mean)}
	return []safetensors.Tensor{safetensors.Float32s(name+".mean", shape, s.mean), safetensors.Float32s(name+".scale", shape, s.scale)}
}

// readTensors returns the parameters and the standardisation of a file.
func readTensors(file *safetensors.File, c Config, o Objective) ([]float32, *inputs, error) {
	// Of a small file with a large config nothing large is allocated.
	net := newNetwork(c, o)
	total := 0
	for _, t := range file.Tensors {
		total += len(t.Data)
	}
	if total/4 < net.layout.Size() {
		return nil, nil, fmt.Errorf("tensors of %d bytes are too few for the %d parameters of the config", total, net.layout.Size())
	}
	params, err := readParams(file, net, "")
	if err != nil {
		return nil, nil, err
	}
	q, err := readStandardizer(file, "standardize.q", c.Dimension)
	if err != nil {
		return nil, nil, err
	}
	r, err := readStandardizer(file, "standardize.r", c.elements())
	return params, &inputs{c, q, r}, err
}

func readParams(file *safetensors.File, net *network, prefix string) ([]float32, error) {
	params := make([]float32, net.layout.Size())
	for _, v := range net.layout.Views() {
		values, err := readTensor(file, prefix+v.Name, v.Shape)
		if err != nil {
			return nil, err
		}
		copy(v.Of(params), values)
	}
	return params, nil
}

func readStandardizer(file *safetensors.File, name string, n int) (standardizer, error) {
	mean, err := readTensor(file, name+".mean", []int{n})
	if err != nil {
		return standardizer{}, err
	}
	scale, err := readTensor(file, name+".scale", []int{n})
	if err != nil {
		return standardizer{}, err
	}
	for j, s := range scale {
		if s <= 0 {
			return standardizer{}, fmt.Errorf("tensor %s.scale is %g at %d, not above 0", name, s, j)
		}
	}
	return newStandardizer(mean, scale), nil
}

// readWhitening returns the whitening of W elements of a model file, or nil if the
// model has none.
func readWhitening(file *safetensors.File, W int, c rcvae.Calibration) (*whitening, error) {
	stored := slices.ContainsFunc(file.Tensors, func(t safetensors.Tensor) bool { return t.Name == whiteningTensor })
	if !stored && c.Far == 0 {
		return nil, nil
	}
	rows, err := readTensor(file, whiteningTensor, []int{W * (W + 1) / 2})
	if err != nil {
		return nil, err
	}
	return newWhitening(W, rows), nil
}

func readTensor(file *safetensors.File, name string, shape []int) ([]float32, error) {
	t, err := file.Lookup(name)
	if err != nil {
		return nil, err
	}
	if t.DType != "F32" || fmt.Sprint(t.Shape) != fmt.Sprint(append([]int{}, shape...)) {
		return nil, fmt.Errorf("tensor %s is %s %v, the config needs F32 %v", name, t.DType, t.Shape, shape)
	}
	return t.Float32()
}
