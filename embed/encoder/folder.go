package encoder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"rcvae"

	"rcvae/internal/mapped"
	"rcvae/internal/safetensors"
)

// Limits on the small files of a folder.
const (
	maxConfig  = 4 << 20   // bytes
	maxWords   = 128 << 20 // bytes of tokenizer.json
	maxModules = 32
)

// readConfig reads a JSON file into v; one that is not there leaves v as it is and
// returns false.
func readConfig(folder fs.FS, name string, v any) (bool, error) {
	data, err := readSmall(folder, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	return true, nil
}

func readSmall(folder fs.FS, name string) ([]byte, error) {
	return readLimited(folder, name, maxConfig)
}

func readLimited(folder fs.FS, name string, limit int64) ([]byte, error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil
}

// openFolder opens a model in a folder.
func (m *Model) openFolder(folder fs.FS) error {
	l, err := readLayout(folder)
	if err != nil {
		return err
	}
	inner := folder
	if l.where != "." {
		if inner, err = fs.Sub(folder, l.where); err != nil {
			return err
		}
	}
	raw, err := readSmall(inner, "config.json")
	if err != nil {
		return err
	}
	m.hashing.add("config.json", raw)
	all, err := m.openWeights(inner)
	if err != nil {
		return err
	}
	if err := m.build(inner, raw, all, l); err != nil {
		return err
	}
	m.head = head{pooling: l.pooling, dimension: m.options.Dimension}
	if m.options.Pooling != "" {
		m.head.pooling = m.options.Pooling
	}
	if err := m.openDense(folder, l.dense); err != nil {
		return err
	}
	m.skipPrompt, m.lowerText = l.skipPrompt, l.lowerText
	if l.maxTokens > 0 {
		m.limit = min(m.limit, l.maxTokens)
	}
	if err := m.openTokenizer(inner, l); err != nil {
		return err
	}
	return nil
}

// openWeights maps the safetensors files of a folder.
func (m *Model) openWeights(folder fs.FS) (tensors, error) {
	all := make(tensors)
	var index struct {
		Map map[string]string `json:"weight_map"`
	}
	sharded, err := readConfig(folder, "model.safetensors.index.json", &index)
	if err != nil {
		return nil, err
	}
	if !sharded {
		_, err := m.addFile(folder, "model.safetensors", all, func(string) bool { return true })
		return all, err
	}
	var files []string
	for tensor, file := range index.Map {
		if !fs.ValidPath(file) || strings.Contains(file, "/") {
			return nil, fmt.Errorf("model.safetensors.index.json: tensor %s is in %q, which is not a file of the folder", tensor, file)
		}
		if !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	slices.Sort(files)
	for _, file := range files {
		if _, err := m.addFile(folder, file, all, func(name string) bool { return index.Map[name] == file }); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// addFile adds the tensors of a file that keep agrees to and returns its metadata.
func (m *Model) addFile(folder fs.FS, name string, all tensors, keep func(string) bool) (map[string]string, error) {
	file, err := mapped.Open(folder, name)
	if err != nil {
		return nil, fmt.Errorf("weights: %w; a folder holds them as model.safetensors", err)
	}
	m.files = append(m.files, file)
	decoded, err := safetensors.Decode(file.Data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	m.hashing.later(name, file)
	return decoded.Metadata, all.add(decoded, keep)
}

// openDense reads dense modules.
func (m *Model) openDense(folder fs.FS, where []string) error {
	in := m.networks[rcvae.RoleSolution].embeddings.Hidden
	for _, dir := range where {
		var c struct {
			In         int    `json:"in_features"`
			Out        int    `json:"out_features"`
			Bias       *bool  `json:"bias"`
			Activation string `json:"activation_function"`
		}
		if found, err := readConfig(folder, path.Join(dir, "config.json"), &c); err != nil || !found {
			return errors.Join(err, fmt.Errorf("read the dense layer %s", dir))
		}
		if c.In != in || c.Out < 1 || c.Out > maxWidth {
			return fmt.Errorf("%s: a dense layer from %d to %d, but what it reads has %d", dir, c.In, c.Out, in)
		}
		sub, err := fs.Sub(folder, dir)
		if err != nil {
			return err
		}
		all := make(tensors)
		if _, err := m.addFile(sub, "model.safetensors", all, func(string) bool { return true }); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		w := newWeights(all, func(name string) string { return name }, adapters{})
		d := dense{weight: w.values("linear.weight", c.Out, c.In), bias: make([]float32, c.Out)}
		if c.Bias == nil || *c.Bias {
			d.bias = w.values("linear.bias", c.Out)
		}
		switch name := c.Activation[strings.LastIndex(c.Activation, ".")+1:]; name {
		case "Identity":
		case "Tanh", "":
			d.tanh = true
		default:
			return fmt.Errorf("%s: activation %q is not supported: Identity and Tanh are", dir, c.Activation)
		}
		if err := w.err(); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		m.head.dense = append(m.head.dense, d)
		in = c.Out
	}
	return nil
}
