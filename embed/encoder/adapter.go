package encoder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"rcvae/internal/gguf"
	"rcvae/internal/mapped"
)

// openAdapter opens the adapter of the options: a PEFT folder, a safetensors file under
// PEFT's names or, for a model of that form, an adapter in GGUF's form, whose rows may have
// an order of their own.
func (m *Model) openAdapter(f family, forGGUF bool) (adapters, error) {
	if data := m.options.AdapterData; data != nil {
		found, err := m.openAdapterFile(mapped.Memory{"adapter": data}, "adapter")
		return newAdapters(found, f.adapted, false), err
	}
	path := m.options.Adapter
	info, err := os.Stat(path)
	if err != nil {
		return adapters{}, err
	}
	if info.IsDir() {
		found, err := m.openPEFT(os.DirFS(path))
		return newAdapters(found, f.adapted, false), err
	}
	if strings.HasSuffix(path, ".safetensors") {
		found, err := m.openAdapterFile(os.DirFS(filepath.Dir(path)), filepath.Base(path))
		return newAdapters(found, f.adapted, false), err
	}
	if !forGGUF {
		return adapters{}, errors.New("an adapter in GGUF's form is for a model in that form: name a PEFT folder or a safetensors file")
	}
	found, err := m.openGGUFAdapter(os.DirFS(filepath.Dir(path)), filepath.Base(path))
	return newAdapters(found, func(module string) []string { return []string{f.ggufName(module)} }, true), err
}

// adapterLabel stands in the hash for an adapter's file, whatever it is called.
const adapterLabel = "adapter"

// peftConfig is adapter_config.json.
type peftConfig struct {
	Type         string             `json:"peft_type"`
	Rank         int                `json:"r"`
	Alpha        float64            `json:"lora_alpha"`
	Ranks        map[string]int     `json:"rank_pattern"`
	Alphas       map[string]float64 `json:"alpha_pattern"`
	RankScaled   bool               `json:"use_rslora"`
	Dora         bool               `json:"use_dora"`
	FanInFanOut  bool               `json:"fan_in_fan_out"`
	Bias         string             `json:"bias"`
	Saved        json.RawMessage    `json:"modules_to_save"`
	TrainedToken json.RawMessage    `json:"trainable_token_indices"`
}

func (c *peftConfig) check() error {
	isNull := func(raw json.RawMessage) bool {
		return len(raw) == 0 || string(raw) == "null" || string(raw) == "[]"
	}
	switch {
	case c.Type != "LORA":
		return fmt.Errorf("peft_type %q is not supported: LORA is", c.Type)
	case c.Dora, c.FanInFanOut, c.Bias != "" && c.Bias != "none", !isNull(c.Saved), !isNull(c.TrainedToken), len(c.Ranks) > 0, len(c.Alphas) > 0:
		return errors.New("use_dora, fan_in_fan_out, bias, modules_to_save, trainable_token_indices, rank_pattern and alpha_pattern are not supported")
	case c.Rank < 1 || c.Rank > maxWidth:
		return fmt.Errorf("r is %d", c.Rank)
	}
	return nil
}

// scale returns the factor of B·A.
func (c *peftConfig) scale() float32 {
	rank := float64(c.Rank)
	if c.RankScaled {
		rank = math.Sqrt(rank)
	}
	return float32(c.Alpha / rank)
}

// openPEFT reads the folder of an adapter as PEFT writes it.
func (m *Model) openPEFT(folder fs.FS) (map[string]adapter, error) {
	var c peftConfig
	found, err := readConfig(folder, "adapter_config.json", &c)
	if err != nil || !found {
		return nil, errors.Join(err, errors.New("want a folder with adapter_config.json and adapter_model.safetensors"))
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("adapter_config.json: %w", err)
	}
	m.hashing.add("adapter_config.json", fmt.Appendf(nil, "%g", c.scale()))
	all := make(tensors)
	if _, err := m.addFile(folder, "adapter_model.safetensors", all, func(string) bool { return true }); err != nil {
		return nil, err
	}
	return pairUp(all, c.scale(), peftNames)
}

// openAdapterFile reads a file of PEFT's tensors, int8 with scales or not, whose metadata
// has the factor of B·A as scale.
func (m *Model) openAdapterFile(folder fs.FS, name string) (map[string]adapter, error) {
	all := make(tensors)
	metadata, err := m.addFile(folder, name, all, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	m.hashing[len(m.hashing)-1].name = adapterLabel
	scale, err := strconv.ParseFloat(metadata["scale"], 32)
	if err != nil || !(math.Abs(scale) < math.MaxFloat32) {
		return nil, fmt.Errorf("the metadata of %s has the scale %q, want a number: name a PEFT folder otherwise", name, metadata["scale"])
	}
	return pairUp(all, float32(scale), peftNames)
}

// peftNames are the endings of an adapter's two parts, and whether they are transposed.
var peftNames = []adapterNames{
	{a: ".lora_A.weight", b: ".lora_B.weight"},
	{a: ".lora_embedding_A", b: ".lora_embedding_B", transposed: true},
}

type adapterNames struct {
	a, b       string
	transposed bool
}

// pairUp joins the two parts of each module's adapter.
func pairUp(all source, scale float32, kinds []adapterNames) (map[string]adapter, error) {
	out := make(map[string]adapter)
	used := 0
	for _, name := range all.names() {
		for _, kind := range kinds {
			module, ok := strings.CutSuffix(name, kind.a)
			if !ok {
				continue
			}
			a, _ := all.lookup(name)
			b, ok := all.lookup(module + kind.b)
			if !ok || len(a.shape) != 2 || len(b.shape) != 2 {
				return nil, fmt.Errorf("the adapter of %s is not two matrices", module)
			}
			if kind.transposed {
				a, b = a.transposed(), b.transposed()
			}
			out[peftModule(module)] = adapter{a: a, b: b, scale: scale}
			used += 2
		}
	}
	if used == 0 || used != len(all.names()) {
		return nil, fmt.Errorf("of the adapter's %d tensors, %d are pairs for low-rank changes: others are not supported", len(all.names()), used)
	}
	return out, nil
}

// peftModule drops what PEFT and the classes put before a module's name.
func peftModule(name string) string {
	name = strings.TrimPrefix(name, "base_model.model.")
	for _, f := range families() {
		for _, prefix := range f.prefixes {
			name = strings.TrimPrefix(name, prefix)
		}
	}
	return name
}

// openGGUFAdapter reads an adapter as llama.cpp's converters write it.
func (m *Model) openGGUFAdapter(folder fs.FS, name string) (map[string]adapter, error) {
	file, err := mapped.Open(folder, name)
	if err != nil {
		return nil, err
	}
	m.files = append(m.files, file)
	g, err := gguf.Decode(file.Data)
	if err != nil {
		return nil, err
	}
	if kind := g.Metadata["adapter.type"]; kind != "lora" {
		return nil, fmt.Errorf("adapter.type is %v: want lora", kind)
	}
	alpha, ok := g.Metadata["adapter.lora.alpha"].(float64)
	if !ok {
		return nil, errors.New("adapter.lora.alpha is missing")
	}
	m.hashing.later(adapterLabel, file)
	if prompt, ok := g.Metadata["adapter.lora.prompt_prefix"].(string); ok {
		m.setPrompts(prompt)
	}
	out, err := pairUp(ggufTensors{g}, 1, []adapterNames{{a: ".weight.lora_a", b: ".weight.lora_b"}})
	for module, ad := range out {
		if module == "token_embd" { // (V, r) and (H, r)
			ad.scale = float32(alpha / float64(ad.a.columns()))
			ad.b = ad.b.transposed()
		} else {
			ad.scale = float32(alpha / float64(ad.a.rows()))
		}
		if module == "token_types" { // a table of one row, stored as a layer from one to H
			ad.a, ad.b = ad.b, ad.a
		}
		out[module] = ad
	}
	return out, err
}
