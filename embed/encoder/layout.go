package encoder

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// layout is what the small files of a folder say about texts and embeddings.
type layout struct {
	where      string // of the transformer's own files, "." mostly
	pooling    string // "" if they do not say
	skipPrompt bool
	dense      []string // folders of dense layers
	maxTokens  int      // 0 if they do not say
	lower      *bool    // of the tokenizer: lower case; nil if they do not say
	lowerText  bool     // texts are brought to lower case before the tokenizer sees them
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
		Max   int  `json:"max_seq_length"`
		Lower bool `json:"do_lower_case"`
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
	l.maxTokens, l.lowerText = max(0, s.Max), s.Lower
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
