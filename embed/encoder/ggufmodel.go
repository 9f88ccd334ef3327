package encoder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"rcvae"

	"rcvae/internal/gguf"
	"rcvae/internal/mapped"
	"rcvae/internal/tokenizer"
)

// openGGUF opens a GGUF file.
func (m *Model) openGGUF(folder fs.FS, name string) error {
	mappedFile, err := mapped.Open(folder, name)
	if err != nil {
		return err
	}
	m.files = append(m.files, mappedFile)
	file, err := gguf.Decode(mappedFile.Data)
	if err != nil {
		return err
	}
	m.hashing.later("model.gguf", mappedFile) // whatever it is called
	architecture, _ := file.Metadata["general.architecture"].(string)
	f, err := familyOfGGUF(architecture)
	if err != nil {
		return err
	}
	if m.options.Task != "" {
		return fmt.Errorf("task %q: a GGUF file has no tasks; name an adapter's file instead", m.options.Task)
	}
	raw, err := configOfGGUF(file, architecture)
	if err != nil {
		return err
	}
	if err := m.buildGGUF(f, raw, file); err != nil {
		return err
	}
	m.head = head{pooling: poolingOfGGUF(file, architecture), dimension: m.options.Dimension}
	if m.options.Pooling != "" {
		m.head.pooling = m.options.Pooling
	}
	if err := m.denseOfGGUF(file); err != nil {
		return err
	}
	if kind := file.Metadata["tokenizer.ggml.model"]; kind == nil || kind == "none" {
		return nil // see Model.check
	}
	m.words, err = tokenizer.FromGGUF(file.Metadata)
	return err
}

func (m *Model) buildGGUF(f family, raw []byte, file *gguf.File) error {
	var a adapters
	if m.options.adapted() {
		var err error
		if a, err = m.openAdapter(f, true); err != nil {
			return fmt.Errorf("adapter %s: %w", m.options.Adapter, err)
		}
	}
	c := newConfig()
	c.fromGGUF = true
	if t, ok := (ggufTensors{file}).lookup("rope_freqs.weight"); ok {
		c.factors = t.values()
	}
	n, err := m.assemble(f, raw, c, newWeights(ggufTensors{file}, f.ggufName, a))
	if err != nil {
		return err
	}
	m.networks = [roles]*network{n, n}
	m.overridePrompts()
	return nil
}

// denseOfGGUF adds the dense layers that EmbeddingGemma's files have.
func (m *Model) denseOfGGUF(file *gguf.File) error {
	in := m.networks[rcvae.RoleSolution].embeddings.Hidden
	for _, name := range []string{"dense_2", "dense_3"} {
		t, ok := file.Lookup(name + ".weight")
		if !ok {
			continue
		}
		if len(t.Shape) != 2 || t.Shape[1] != in {
			return fmt.Errorf("tensor %s has shape %v, want (…, %d)", t.Name, t.Shape, in)
		}
		out := t.Shape[0]
		w := newWeights(ggufTensors{file}, func(name string) string { return name }, adapters{})
		d := dense{weight: w.values(t.Name, out, in), bias: make([]float32, out)}
		if _, ok := file.Lookup(name + ".bias"); ok {
			d.bias = w.values(name+".bias", out)
		}
		if err := errors.Join(w.errs...); err != nil {
			return err
		}
		m.head.dense = append(m.head.dense, d)
		in = out
	}
	return nil
}

// poolingOfGGUF returns the pooling that the file names, "" for none.
func poolingOfGGUF(file *gguf.File, architecture string) string {
	kind, _ := file.Metadata[architecture+".pooling_type"].(int64)
	return map[int64]string{1: PoolMean, 2: PoolCLS, 3: PoolLast}[kind]
}

// configKeys are the keys of llama.cpp, without the architecture, with their names in the
// config.json of one or another architecture.
var configKeys = map[string][]string{
	"block_count": {"num_hidden_layers", "n_layer"}, "context_length": {"max_position_embeddings", "n_positions"},
	"embedding_length": {"hidden_size", "n_embd"}, "feed_forward_length": {"intermediate_size", "n_inner"},
	"attention.head_count": {"num_attention_heads", "n_head"}, "attention.head_count_kv": {"num_key_value_heads"},
	"attention.key_length": {"head_dim"}, "attention.layer_norm_epsilon": {"layer_norm_eps", "norm_eps", "layer_norm_epsilon"},
	"attention.layer_norm_rms_epsilon": {"rms_norm_eps"}, "attention.causal": {"is_causal"},
	"attention.sliding_window": {"sliding_window", "local_attention"},
	"rope.freq_base":           {"rope_theta", "rotary_emb_base", "global_rope_theta"}, "rope.freq_base_swa": {"rope_local_base_freq", "local_rope_theta"},
}

// configOfGGUF writes a file's metadata as the config.json that it was made from.
func configOfGGUF(file *gguf.File, architecture string) ([]byte, error) {
	words, ok := file.Lookup("token_embd.weight")
	if !ok || len(words.Shape) != 2 {
		return nil, errors.New("there is no table of words, token_embd.weight")
	}
	c := map[string]any{"vocab_size": words.Shape[0]}
	for key, names := range configKeys {
		if v, ok := file.Metadata[architecture+"."+key]; ok {
			for _, name := range names {
				c[name] = v
			}
		}
	}
	if err := ropeOfGGUF(file, architecture, c); err != nil {
		return nil, err
	}
	tablesOfGGUF(file, c)
	if pattern, ok := file.Metadata[architecture+".attention.sliding_window_pattern"].([]byte); ok {
		types := make([]string, len(pattern))
		for i, sliding := range pattern {
			types[i] = map[bool]string{true: "sliding_attention", false: "full_attention"}[sliding != 0]
		}
		c["layer_types"] = types
	}
	switch architecture {
	case "gemma-embedding", "gemma3":
		c["query_pre_attn_scalar"] = c["head_dim"]
		c["use_bidirectional_attention"] = architecture == "gemma-embedding"
	case "qwen3":
		_, biased := file.Lookup("blk.0.attn_q.bias")
		c["attention_bias"] = biased
	}
	return json.Marshal(c)
}

// tablesOfGGUF sets what the shapes of tables tell.
func tablesOfGGUF(file *gguf.File, c map[string]any) {
	if table, ok := file.Lookup("position_embd.weight"); ok && len(table.Shape) == 2 {
		c["max_position_embeddings"] = table.Shape[0] // without the rows that XLM-RoBERTa never uses
	}
	if segments, ok := file.Lookup("token_types.weight"); ok {
		c["type_vocab_size"] = 1
		if len(segments.Shape) == 2 {
			c["type_vocab_size"] = segments.Shape[0]
		}
	}
}

// ropeOfGGUF refuses scaled rotary positions but linear ones.
func ropeOfGGUF(file *gguf.File, architecture string, c map[string]any) error {
	switch kind := file.Metadata[architecture+".rope.scaling.type"]; kind {
	case nil, "none":
	case "linear":
		c["rope_scaling"] = map[string]any{"rope_type": "linear", "factor": file.Metadata[architecture+".rope.scaling.factor"]}
	default:
		return fmt.Errorf("rotary scaling %v is not supported in GGUF files", kind)
	}
	return nil
}
