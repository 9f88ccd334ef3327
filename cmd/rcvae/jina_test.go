package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"rcvae/rcvaetest"
)

// jinaFolder is a tiny model of the architecture, the adapters and the files of
// jina-embeddings-v3, the paper's embedder, with a vocabulary of characters.
func jinaFolder(t *testing.T) string {
	t.Helper()
	const source = "../../embed/encoder/testdata/tiny/jina-v3/original"
	folder := t.TempDir()
	for _, name := range []string{"config.json", "model.safetensors"} {
		data, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			t.Fatal(err)
		}
		writeTo(t, filepath.Join(folder, name), data)
	}
	vocabulary := [][]any{{"<s>", 0}, {"<pad>", 0}, {"</s>", 0}, {"<unk>", 0}, {"▁", -1}}
	for c := '!'; c <= '~'; c++ {
		vocabulary = append(vocabulary, []any{string(c), -2})
	}
	special := func(name string, id int) map[string]any {
		return map[string]any{"id": name, "ids": []int{id}, "tokens": []string{name}}
	}
	tokenizer, err := json.Marshal(map[string]any{
		"version":       "1.0",
		"pre_tokenizer": map[string]any{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
		"post_processor": map[string]any{
			"type": "TemplateProcessing",
			"single": []any{
				map[string]any{"SpecialToken": map[string]any{"id": "<s>", "type_id": 0}},
				map[string]any{"Sequence": map[string]any{"id": "A", "type_id": 0}},
				map[string]any{"SpecialToken": map[string]any{"id": "</s>", "type_id": 0}},
			},
			"special_tokens": map[string]any{"<s>": special("<s>", 0), "</s>": special("</s>", 2)},
		},
		"model": map[string]any{"type": "Unigram", "unk_id": 3, "vocab": vocabulary},
	})
	if err != nil {
		t.Fatal(err)
	}
	writeTo(t, filepath.Join(folder, "tokenizer.json"), tokenizer)
	writeTo(t, filepath.Join(folder, "modules.json"), []byte(`[{"idx":0,"path":"","type":"custom_st.Transformer"},{"idx":1,"path":"1_Pooling","type":"sentence_transformers.models.Pooling"},{"idx":2,"path":"2_Normalize","type":"sentence_transformers.models.Normalize"}]`))
	writeTo(t, filepath.Join(folder, "1_Pooling", "config.json"), []byte(`{"word_embedding_dimension":64,"pooling_mode_mean_tokens":true}`))
	return folder
}

func writeTo(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestReproduceWithThePapersEmbedder runs the whole protocol with a folder of the shape of
// the paper's embedder: published rules on its vectors, ours trained on them.
func TestReproduceWithThePapersEmbedder(t *testing.T) {
	p := newTableProtocol(t, rcvaetest.Script{})
	folder := jinaFolder(t)
	got := accuracies(p.table(t, p.args("out", "--embedder", folder, "--task", "text-matching")))
	for _, row := range []string{"R-CVAE of the text: lowest entropy", "R-CVAE of the code: smallest ‖μ‖", "top-p 0.9, majority"} {
		for _, suite := range []string{"gsm8k", "math"} {
			if _, there := got[row+"|"+suite+"|honest"]; !there {
				t.Errorf("no figure of %q on %s: %v", row, suite, got)
			}
		}
	}
	var protocol map[string]any
	data, err := os.ReadFile(filepath.Join(p.path("out"), "protocol.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &protocol); err != nil {
		t.Fatal(err)
	}
	if embedder := fmt.Sprint(protocol["embedder"]); embedder != folder {
		t.Errorf("protocol.json names the embedder %q, want %q", embedder, folder)
	}
}
