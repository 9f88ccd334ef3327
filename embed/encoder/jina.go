package encoder

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"rcvae/embed/encoder/internal/block"
)

// jinaFamily is jina-embeddings-v3: XLM-RoBERTa with rotary positions and one adapter
// for each task. Sturua et al., "jina-embeddings-v3: Multilingual Embeddings With Task
// LoRA" (2024). Its published file stacks the adapters of all tasks beside each weight;
// newer ones are a base with a PEFT folder for each task.
var jinaFamily = family{
	types: []string{"jina_embeddings_v3"}, gguf: []string{"jina-bert-v3"}, prefixes: []string{"roberta."}, words: "embeddings.word_embeddings", build: jina,
	rename: map[string]string{
		"embeddings.word_embeddings": "token_embd", "embeddings.token_type_embeddings": "token_types", "emb_ln": "token_embd_norm",
		"mixer.Wqkv": "attn_qkv", "mixer.out_proj": "attn_output", "norm1": "attn_output_norm", "norm2": "layer_output_norm",
		"mlp.fc1": "ffn_up", "mlp.fc2": "ffn_down",
	},
	adapted: func(module string) []string { // the names in transformers' own class
		native := strings.ReplaceAll(module, "encoder.layers.", "layers.")
		return []string{module, native, strings.ReplaceAll(native, "mixer.out_proj", "self_attn.o_proj")}
	},
}

func jina(raw []byte, c *config) (builder, error) {
	c.LayerEpsilon, c.Activation, c.Segments = 1e-5, "gelu", 1
	old := struct {
		Base float64 `json:"rotary_emb_base"`
	}{10000}
	if err := json.Unmarshal(raw, &old); err != nil {
		return nil, err
	}
	c.RopeTheta, c.Pad = old.Base, 1
	return c.build(raw, func(w *weights) (*network, error) {
		c.Positions -= c.Pad + 1 // XLM-RoBERTa counts positions behind the padding token's id
		return jinaLayers(w, c)
	})
}

func jinaLayers(w *weights, c *config) (*network, error) {
	act, err := block.ParseActivation(c.Activation)
	if err != nil {
		return nil, err
	}
	rotary, err := c.rotary("")
	if err != nil {
		return nil, err
	}
	h, f, eps := c.Hidden, c.Intermediate, float32(c.LayerEpsilon)
	n := &network{embeddings: rotaryEmbeddings(w, c, "emb_ln", c.Segments)}
	n.layers = stackLayers(c.Layers, func(i int) layer {
		p, native := layerName("encoder.layers", i), layerName("layers", i)+"self_attn."
		attention := c.attention(w, true, p+"mixer.out_proj", true,
			part{name: p + "mixer.Wqkv", out: 3 * h, pieces: []string{native + "q_proj", native + "k_proj", native + "v_proj"}})
		attention.Rotary = rotary
		return &postNorm{
			attention:     attention,
			attentionNorm: w.layerNorm(p+"norm1", h, true, eps),
			feedForward:   &block.FeedForward{Up: w.linear(p+"mlp.fc1", f, h, true), Down: w.linear(p+"mlp.fc2", h, f, true), Activation: act},
			outputNorm:    w.layerNorm(p+"norm2", h, true, eps),
		}
	})
	return n, nil
}

// Names of the published file's tensors: PyTorch's parametrizations.
const (
	stackedBase = ".parametrizations.weight.original"
	stackedA    = ".parametrizations.weight.0.lora_A"
	stackedB    = ".parametrizations.weight.0.lora_B"
)

// stackedTasks is what config.json says of adapters that are stacked beside the weights.
type stackedTasks struct {
	Names  []string          `json:"lora_adaptations"`
	Rank   int               `json:"lora_rank"`
	Alpha  float64           `json:"lora_alpha"`
	Prompt map[string]string `json:"task_instructions"`
}

// unstack gives the weights of a file with stacked adapters their plain names, and
// returns the adapters of a task, none for "".
func (s stackedTasks) unstack(all tensors, task string) (tensors, map[string]adapter, error) {
	index := slices.Index(s.Names, task)
	if task != "" && index < 0 {
		return nil, nil, fmt.Errorf("the model has no task %q: %s are its tasks", task, strings.Join(s.Names, ", "))
	}
	if s.Rank < 1 {
		return nil, nil, fmt.Errorf("lora_rank is %d", s.Rank)
	}
	plain, found := make(tensors), make(map[string]adapter)
	for name, t := range all {
		module, ok := strings.CutSuffix(name, stackedBase)
		if !ok {
			if !strings.Contains(name, ".parametrizations.") {
				plain[name] = t
			}
			continue
		}
		plain[module+".weight"] = t
		a, b := all[module+stackedA], all[module+stackedB]
		if len(a.shape) != 3 || len(b.shape) != 3 || a.shape[0] != len(s.Names) || b.shape[0] != len(s.Names) {
			return nil, nil, fmt.Errorf("the adapters of %s have shapes %v and %v, want %d stacked", module, a.shape, b.shape, len(s.Names))
		}
		if index >= 0 {
			found[jinaModule(module)] = adapter{a: a.slice(index, a.shape[1]), b: b.slice(index, b.shape[1]), scale: float32(s.Alpha / float64(s.Rank))}
		}
	}
	return plain, found, nil
}

// jinaModule drops the prefix of the published file.
func jinaModule(name string) string { return strings.TrimPrefix(name, "roberta.") }
