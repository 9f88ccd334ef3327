package encoder

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// family is an architecture: how it is recognised, what its weights are called and how
// it is built.
type family struct {
	types    []string          // model_type of config.json
	gguf     []string          // general.architecture of GGUF files
	prefixes []string          // that names may have in files
	words    string            // the table of words
	rename   map[string]string // modules, without the layer, to llama.cpp's names
	adapted  func(module string) []string
	build    func(raw []byte, c *config) (builder, error)
}

// families are all that can be opened.
func families() []family {
	return []family{
		bertFamily, robertaFamily, mpnetFamily, distilbertFamily, nomicFamily, gteFamily, modernbertFamily, jinaFamily,
		llamaFamily, mistralFamily, qwen2Family, qwen3Family, eurobertFamily, gemmaFamily,
	}
}

// familyOf recognises the architecture of a config.json.
func familyOf(raw []byte) (family, error) {
	var c struct {
		Type          string   `json:"model_type"`
		Architectures []string `json:"architectures"`
		Adaptations   []string `json:"lora_adaptations"`
		Positions     string   `json:"position_embedding_type"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return family{}, err
	}
	if len(c.Adaptations) > 0 && c.Positions == "rotary" { // jina-embeddings-v3 names no type of its own
		return jinaFamily, nil
	}
	for _, f := range families() {
		if slices.Contains(f.types, c.Type) {
			return f, nil
		}
	}
	var known []string
	for _, f := range families() {
		known = append(known, f.types...)
	}
	if c.Type == "" {
		return family{}, errors.New("model_type is missing")
	}
	return family{}, fmt.Errorf("model_type %q is not supported: %s are", c.Type, strings.Join(known, ", "))
}

// familyOfGGUF recognises the architecture of a GGUF file.
func familyOfGGUF(architecture string) (family, error) {
	var known []string
	for _, f := range families() {
		if slices.Contains(f.gguf, architecture) {
			return f, nil
		}
		known = append(known, f.gguf...)
	}
	return family{}, fmt.Errorf("general.architecture %q is not supported: %s are", architecture, strings.Join(known, ", "))
}

// storedNames returns the names that the family's tensors have in a source of
// safetensors files: with the prefix under which the table of words is there.
func (f family) storedNames(s source) (func(string) string, error) {
	for _, prefix := range append([]string{""}, f.prefixes...) {
		for _, suffix := range []string{".weight", ".parametrizations.weight.original"} {
			if _, ok := s.lookup(prefix + f.words + suffix); ok {
				return func(name string) string { return prefix + name }, nil
			}
		}
	}
	return nil, fmt.Errorf("there is no tensor %q, with or without a prefix %q: the weights are of another architecture", f.words+".weight", f.prefixes)
}

var numbered = regexp.MustCompile(`^(?:.*\.)?layers?\.(\d+)\.(.+)$`)

// ggufName returns llama.cpp's name of a tensor or module.
func (f family) ggufName(name string) string {
	layer := ""
	if m := numbered.FindStringSubmatch(name); m != nil {
		layer, name = "blk."+m[1]+".", m[2]
	}
	module, suffix := name, ""
	for _, s := range []string{".weight", ".bias"} {
		if rest, ok := strings.CutSuffix(name, s); ok {
			module, suffix = rest, s
		}
	}
	if to, ok := f.rename[module]; ok {
		module = to
	}
	return layer + module + suffix
}

// layerName returns the start of the names in layer i.
func layerName(list string, i int) string { return list + "." + strconv.Itoa(i) + "." }
