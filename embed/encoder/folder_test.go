package encoder_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"strings"
	"testing"

	"rcvae/embed/encoder"
)

func TestPoolingComesFromTheFiles(t *testing.T) {
	for _, c := range []struct{ name, modules, pooling, want string }{
		{"switches", "", meanPooling, encoder.PoolMean},
		{"a name", "", `{"pooling_mode":"cls","embedding_dimension":32}`, encoder.PoolCLS},
		{"a list of one", "", `{"pooling_mode":["lasttoken"]}`, encoder.PoolLast},
		{"old names of modules", `[{"idx":0,"path":"","type":"sentence_transformers.models.Transformer"},{"idx":1,"path":"1_Pooling","type":"sentence_transformers.models.Pooling"}]`, meanPooling, encoder.PoolMean},
		{"new names of modules", `[{"path":"","type":"sentence_transformers.base.modules.transformer.Transformer"},{"path":"1_Pooling","type":"sentence_transformers.sentence_transformer.modules.pooling.Pooling"},{"path":"2_Normalize","type":"sentence_transformers.base.modules.normalize.Normalize"}]`, meanPooling, encoder.PoolMean},
	} {
		more := map[string]string{"1_Pooling/config.json": c.pooling}
		if c.modules != "" {
			more["modules.json"] = c.modules
		}
		m := openFS(t, folder(t, more), encoder.Options{})
		if got := m.Fingerprint().Pooling; got != c.want {
			t.Errorf("%s: pooling %q, want %q", c.name, got, c.want)
		}
	}
}

func TestOpenRejects(t *testing.T) {
	pooled := func(more map[string]string) map[string]string {
		all := map[string]string{"1_Pooling/config.json": meanPooling}
		maps.Copy(all, more)
		return all
	}
	for _, c := range []struct {
		name    string
		more    map[string]string
		options encoder.Options
		want    string
	}{
		{"no pooling", nil, encoder.Options{}, "--pooling"},
		{"two poolings", map[string]string{"1_Pooling/config.json": `{"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":true}`}, encoder.Options{}, "one of them"},
		{"another pooling", map[string]string{"1_Pooling/config.json": `{"pooling_mode":"max"}`}, encoder.Options{}, `"max"`},
		{"an unknown module", pooled(map[string]string{"modules.json": `[{"path":"x","type":"a.b.WordWeights"}]`}), encoder.Options{}, "WordWeights"},
		{"a module elsewhere", pooled(map[string]string{"modules.json": `[{"path":"../x","type":"a.Transformer"}]`}), encoder.Options{}, "leaves the folder"},
		{"an unknown type", pooled(map[string]string{"config.json": `{"model_type":"t5"}`}), encoder.Options{}, `model_type "t5" is not supported`},
		{"no type", pooled(map[string]string{"config.json": `{}`}), encoder.Options{}, "model_type is missing"},
		{"sizes", pooled(map[string]string{"config.json": `{"model_type":"bert","hidden_size":0,"num_attention_heads":-1}`}), encoder.Options{}, "num_attention_heads is -1"},
		{"another architecture", pooled(map[string]string{"config.json": `{"model_type":"qwen2","vocab_size":101,"max_position_embeddings":40,"hidden_size":32,"num_hidden_layers":2,"num_attention_heads":4,"intermediate_size":48}`}), encoder.Options{}, "another architecture"},
		{"fewer layers", pooled(map[string]string{"config.json": tinyConfig(t, `"num_hidden_layers":2`, `"num_hidden_layers":1`)}), encoder.Options{}, "no place for tensor encoder.layer.1."},
		{"more layers", pooled(map[string]string{"config.json": tinyConfig(t, `"num_hidden_layers":2`, `"num_hidden_layers":3`)}), encoder.Options{}, `no tensor "encoder.layer.2.`},
		{"other sizes", pooled(map[string]string{"config.json": tinyConfig(t, `"hidden_size":32`, `"hidden_size":64`)}), encoder.Options{}, "has shape [40 32], want [40 64]"},
		{"a vocabulary of another model", pooled(map[string]string{"vocab.txt": vocabulary + strings.Join(letters(200), "\n") + "\n"}), encoder.Options{}, "of two models"},
		{"too many tokens", pooled(nil), encoder.Options{MaxTokens: 41}, "40 positions"},
		{"too few tokens", pooled(nil), encoder.Options{MaxTokens: 1}, "want at least 2"},
		{"too many dimensions", pooled(nil), encoder.Options{Dimension: 33}, "dimension is 33"},
		{"in context", pooled(nil), encoder.Options{InContext: true}, "causal"},
		{"a task", pooled(nil), encoder.Options{Task: "separation"}, `no task or prompt "separation"`},
		{"a shard elsewhere", pooled(map[string]string{"model.safetensors.index.json": `{"weight_map":{"a":"../b"}}`}), encoder.Options{}, "not a file of the folder"},
		{"a shard that is missing", pooled(map[string]string{"model.safetensors.index.json": `{"weight_map":{"a":"b.safetensors"}}`}), encoder.Options{}, "b.safetensors"},
		{"a folder's name for a pooling", pooled(nil), encoder.Options{Pooling: "max"}, `pooling is "max"`},
	} {
		if _, err := encoder.OpenFS(folder(t, c.more), c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	bare := folder(t, pooled(nil))
	delete(bare, "vocab.txt")
	if _, err := encoder.OpenFS(bare, encoder.Options{}); err == nil || !strings.Contains(err.Error(), "tokenizer.json") {
		t.Errorf("without a tokenizer: error %v, want one about tokenizer.json", err)
	}
	if _, err := encoder.Open("testdata/absent", encoder.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of nothing = %v, want fs.ErrNotExist", err)
	}
}

// tinyConfig returns the tiny BERT's config.json with a change.
func tinyConfig(t *testing.T, old, replacement string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/tiny/bert/config.json")
	if err != nil {
		t.Fatal(err)
	}
	compact := strings.NewReplacer(" ", "", "\n", "").Replace(string(data))
	if !strings.Contains(compact, old) {
		t.Fatalf("the config has no %s", old)
	}
	return strings.Replace(compact, old, replacement, 1)
}

func letters(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "x" + strings.Repeat("y", i)
	}
	return out
}
