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

	"rcvae/internal/mapped"
	"rcvae/internal/safetensors"
)

// Limits on the small files of a folder.
const (
	maxConfig  = 4 << 20 // bytes
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
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(data) > maxConfig {
		err = errors.New("too large")
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil
}

// layout is what the small files of a folder say about texts and embeddings.
type layout struct {
	where      string // of the transformer's own files, "." mostly
	pooling    string // "" if they do not say
	skipPrompt bool
	dense      []string // folders of dense layers
	maxTokens  int      // 0 if they do not say
	lower      *bool    // lower case; nil if they do not say
	prompts    map[string]string
	prompt     string // name of the prompt that is used where none is named
}

// readLayout reads the files of sentence-transformers, of its first as of its newest
// versions.
func readLayout(folder fs.FS) (*layout, error) {
	l := &layout{where: "."}
	var modules []struct {
		Path string `json:"path"`
		Type string `json:"type"`
	}
	found, err := readConfig(folder, "modules.json", &modules)
	if err != nil {
		return nil, err
	}
	if len(modules) > maxModules {
		return nil, fmt.Errorf("modules.json has %d modules, at most %d are read", len(modules), maxModules)
	}
	for _, m := range modules {
		where := path.Clean("./" + m.Path)
		if !fs.ValidPath(where) {
			return nil, fmt.Errorf("modules.json: the path %q leaves the folder", m.Path)
		}
		switch kind := m.Type[strings.LastIndex(m.Type, ".")+1:]; kind {
		case "Transformer":
			l.where = where
		case "Pooling":
			if err := l.readPooling(folder, path.Join(where, "config.json")); err != nil {
				return nil, err
			}
		case "Dense":
			l.dense = append(l.dense, where)
		case "Normalize": // embeddings have unit length in any case
		default:
			return nil, fmt.Errorf("modules.json: a module of type %q is not supported: Transformer, Pooling, Dense and Normalize are", m.Type)
		}
	}
	if !found {
		if err := l.readPooling(folder, "1_Pooling/config.json"); err != nil {
			return nil, err
		}
	}
	return l, l.readTexts(folder)
}

// poolingConfig is a pooling module in its old spelling, switches, and its new one.
type poolingConfig struct {
	CLS           bool            `json:"pooling_mode_cls_token"`
	Mean          bool            `json:"pooling_mode_mean_tokens"`
	Max           bool            `json:"pooling_mode_max_tokens"`
	MeanSqrt      bool            `json:"pooling_mode_mean_sqrt_len_tokens"`
	Weighted      bool            `json:"pooling_mode_weightedmean_tokens"`
	Last          bool            `json:"pooling_mode_lasttoken"`
	Mode          json.RawMessage `json:"pooling_mode"`
	IncludePrompt *bool           `json:"include_prompt"`
}

func (l *layout) readPooling(folder fs.FS, name string) error {
	var c poolingConfig
	found, err := readConfig(folder, name, &c)
	if err != nil || !found {
		return err
	}
	l.skipPrompt = c.IncludePrompt != nil && !*c.IncludePrompt
	var modes []string
	var mode string
	switch {
	case len(c.Mode) == 0:
		modes = c.old()
	case json.Unmarshal(c.Mode, &mode) == nil:
		modes = []string{mode}
	case json.Unmarshal(c.Mode, &modes) != nil:
		return fmt.Errorf("%s: pooling_mode is %.40s, want a name or a list of names", name, c.Mode)
	}
	names := map[string]string{"mean": PoolMean, "cls": PoolCLS, "lasttoken": PoolLast, "last": PoolLast}
	if len(modes) != 1 || names[modes[0]] == "" {
		return fmt.Errorf("%s: pooling %q is not supported: mean, cls and lasttoken are, one of them", name, modes)
	}
	l.pooling = names[modes[0]]
	return nil
}

func (c *poolingConfig) old() []string {
	var modes []string
	for _, m := range []struct {
		on   bool
		name string
	}{{c.CLS, "cls"}, {c.Mean, "mean"}, {c.Max, "max"}, {c.MeanSqrt, "mean_sqrt_len_tokens"}, {c.Weighted, "weightedmean"}, {c.Last, "lasttoken"}} {
		if m.on {
			modes = append(modes, m.name)
		}
	}
	return modes
}

// readTexts reads how texts are cut, cased and prompted.
func (l *layout) readTexts(folder fs.FS) error {
	var s struct {
		Max   int   `json:"max_seq_length"`
		Lower *bool `json:"do_lower_case"`
	}
	for _, kind := range []string{"bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"} {
		found, err := readConfig(folder, path.Join(l.where, "sentence_"+kind+"_config.json"), &s)
		if err != nil {
			return err
		}
		if found {
			break
		}
	}
	l.maxTokens = max(0, s.Max)
	var t struct {
		Lower *bool `json:"do_lower_case"`
	}
	if _, err := readConfig(folder, path.Join(l.where, "tokenizer_config.json"), &t); err != nil {
		return err
	}
	l.lower = t.Lower
	var p struct {
		Prompts map[string]string `json:"prompts"`
		Default *string           `json:"default_prompt_name"`
	}
	if _, err := readConfig(folder, "config_sentence_transformers.json", &p); err != nil {
		return err
	}
	l.prompts = p.Prompts
	if p.Default != nil {
		l.prompt = *p.Default
	}
	return nil
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
	m.skipPrompt = l.skipPrompt
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
		return all, m.addFile(folder, "model.safetensors", all, func(string) bool { return true })
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
		if err := m.addFile(folder, file, all, func(name string) bool { return index.Map[name] == file }); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (m *Model) addFile(folder fs.FS, name string, all tensors, keep func(string) bool) error {
	file, err := mapped.Open(folder, name)
	if err != nil {
		return fmt.Errorf("weights: %w; a folder holds them as model.safetensors", err)
	}
	m.files = append(m.files, file)
	decoded, err := safetensors.Decode(file.Data)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	m.hashing.later(name, file.Data)
	return all.add(decoded, keep)
}

// openDense reads dense modules.
func (m *Model) openDense(folder fs.FS, where []string) error {
	in := m.networks[RoleSolution].embeddings.Hidden
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
		if err := m.addFile(sub, "model.safetensors", all, func(string) bool { return true }); err != nil {
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
