package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae/cvae"
	"rcvae/internal/safetensors"
	"rcvae/rcvaetest"
)

const jinaName = "jinaai/jina-embeddings-v3"

// jinaScript is a hub with a tiny model of random weights in the layout in which
// jina-embeddings-v3 is published, and the given tokenizer of so many tokens.
func jinaScript(t *testing.T, tokenizer []byte, tokens int) rcvaetest.HubScript {
	t.Helper()
	folder := "../../embed/encoder/testdata/tiny/jina-v3/original"
	config, err := os.ReadFile(filepath.Join(folder, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	size := fmt.Sprintf(`"vocab_size": %d`, tokens)
	files := rcvaetest.FolderFiles(map[string]string{
		"README.md":             "---\nlibrary_name: transformers\nlicense: cc-by-nc-4.0\n---\n",
		"config.json":           strings.Replace(string(config), `"vocab_size": 211`, size, 1),
		"modules.json":          `[{"idx":0,"name":"transformer","path":"","type":"custom_st.Transformer"},{"idx":1,"name":"pooler","path":"1_Pooling","type":"sentence_transformers.models.Pooling"},{"idx":2,"name":"normalizer","path":"2_Normalize","type":"sentence_transformers.models.Normalize"}]`,
		"1_Pooling/config.json": `{"word_embedding_dimension":64,"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":true}`,
		"custom_st.py":          "import torch",
	})
	files["tokenizer.json"], files["model.safetensors"] = tokenizer, withVocabulary(t, filepath.Join(folder, "model.safetensors"), tokens)
	return rcvaetest.HubScript{Name: jinaName, License: "cc-by-nc-4.0", Files: files, Large: []string{"model.safetensors", "tokenizer.json"}}
}

// withVocabulary returns a model's file with its table of words, and the adapters of it,
// repeated until they have so many rows.
func withVocabulary(t *testing.T, path string, tokens int) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	for i, tensor := range file.Tensors {
		if !strings.Contains(tensor.Name, "word_embeddings") || strings.HasSuffix(tensor.Name, "lora_B") {
			continue
		}
		rows := tensor.Shape[len(tensor.Shape)-2]
		stacked := 1
		if len(tensor.Shape) == 3 {
			stacked = tensor.Shape[0]
		}
		table := len(tensor.Data) / stacked
		var repeated []byte
		for s := range stacked {
			for have := 0; have < tokens; have += rows {
				repeated = append(repeated, tensor.Data[s*table:s*table+min(rows, tokens-have)*table/rows]...)
			}
		}
		file.Tensors[i].Data = repeated
		file.Tensors[i].Shape[len(tensor.Shape)-2] = tokens
	}
	out, err := file.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// letterTokenizer is a Unigram tokenizer of single letters in the form of XLM-RoBERTa's.
func letterTokenizer(t *testing.T) []byte {
	t.Helper()
	pieces := [][2]any{{"<s>", 0.0}, {"<pad>", 0.0}, {"</s>", 0.0}, {"<unk>", 0.0}, {"▁", -1.0}}
	for c := '!'; c <= '~'; c++ {
		pieces = append(pieces, [2]any{string(c), -2.0})
	}
	special := func(id int, text string) map[string]any {
		return map[string]any{"id": id, "content": text, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}
	}
	piece := func(name string) map[string]any {
		return map[string]any{"SpecialToken": map[string]any{"id": name, "type_id": 0}}
	}
	token := func(id int, name string) map[string]any {
		return map[string]any{"id": name, "ids": []int{id}, "tokens": []string{name}}
	}
	data, err := json.Marshal(map[string]any{
		"version":       "1.0",
		"added_tokens":  []any{special(0, "<s>"), special(1, "<pad>"), special(2, "</s>"), special(3, "<unk>")},
		"pre_tokenizer": map[string]any{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
		"post_processor": map[string]any{
			"type": "TemplateProcessing", "pair": []any{},
			"single":         []any{piece("<s>"), map[string]any{"Sequence": map[string]any{"id": "A", "type_id": 0}}, piece("</s>")},
			"special_tokens": map[string]any{"<s>": token(0, "<s>"), "</s>": token(2, "</s>")},
		},
		"model": map[string]any{"type": "Unigram", "unk_id": 3, "vocab": pieces, "byte_fallback": false},
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// xlmRobertaTokenizer is the tokenizer of jina-embeddings-v3.
func xlmRobertaTokenizer(t *testing.T) []byte {
	t.Helper()
	shared := os.Getenv("RCVAE_SHARED")
	if shared == "" {
		t.Skip("the shared data folder is absent; set RCVAE_SHARED to it")
	}
	in, err := os.Open(filepath.Join(shared, "data", "tokenizers", "xlm-roberta.tokenizer.json.gz"))
	if err != nil {
		t.Skip(err)
	}
	defer in.Close()
	unpacked, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// problemsFile writes problems with reference solutions.
func problemsFile(t *testing.T) string {
	t.Helper()
	var lines strings.Builder
	for i := range 40 {
		fmt.Fprintf(&lines, `{"id":"p%d","question":"What is %d + %d?","answer":"%d","solution":"%d + %d = %d\n#### %d"}`+"\n", i, i, i+1, 2*i+1, i, i+1, 2*i+1, 2*i+1)
	}
	return writeFile(t, "problems.jsonl", lines.String())
}

// The paper's configuration: its embedder from a hub, then its objective on it, with
// nothing to set but the two names.
func TestThePapersConfiguration(t *testing.T) {
	for name, tokenizer := range map[string]func(*testing.T) ([]byte, int){
		"letters":               func(t *testing.T) ([]byte, int) { return letterTokenizer(t), 211 },
		"XLM-RoBERTa tokenizer": func(t *testing.T) ([]byte, int) { return xlmRobertaTokenizer(t), 250002 },
	} {
		t.Run(name, func(t *testing.T) {
			words, tokens := tokenizer(t)
			hub := rcvaetest.StartHub(t, jinaScript(t, words, tokens))
			t.Setenv("HF_HOME", t.TempDir())
			t.Setenv("HF_ENDPOINT", hub.URL)
			trainThePaper(t, hub)
		})
	}
}

func trainThePaper(t *testing.T, hub *rcvaetest.Hub) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "paper.rcvae")
	cache := filepath.Join(t.TempDir(), "cache.sqlite")
	train := []string{"train", "--embedder", jinaName, "--objective", "paper", "--problems", problemsFile(t), "--out", out, "--cache", cache, "--epochs", "2"}
	if got := rcvaeRun(t, "", train...); got.code != exitFailure || !strings.Contains(got.stderr, "embedders get "+jinaName) {
		t.Fatalf("before it is there: exit code %d, error %q, want the command that gets it", got.code, got.stderr)
	}
	if n := len(hub.Requests()); n != 0 {
		t.Fatalf("train made %d requests to the hub", n)
	}
	if got := rcvaeRun(t, "", "embedders", "get", jinaName); got.code != exitFailure || !strings.Contains(got.stderr, "--accept-license cc-by-nc-4.0") {
		t.Fatalf("without the licence: exit code %d, error %q", got.code, got.stderr)
	}
	if got := rcvaeRun(t, "", "embedders", "get", jinaName, "--accept-license", "cc-by-nc-4.0"); got.code != exitOK {
		t.Fatalf("get: exit code %d\n%s", got.code, got.stderr)
	}
	asked := len(hub.Requests())
	if got := rcvaeRun(t, "", "embedders", "verify", jinaName); got.code != exitOK || !strings.Contains(got.stdout, "64 dimensions") {
		t.Errorf("verify: exit code %d, %q\n%s", got.code, got.stdout, got.stderr)
	}
	if got := rcvaeRun(t, "", "embedders", "list"); !strings.Contains(got.stdout, jinaName) {
		t.Errorf("list shows %q, want %s in it", got.stdout, jinaName)
	}
	if got := rcvaeRun(t, "", train...); got.code != exitOK {
		t.Fatalf("train: exit code %d\n%s", got.code, got.stderr)
	}
	model, err := cvae.Load(out)
	if err != nil {
		t.Fatal(err)
	}
	if fp := model.Info().Fingerprint; fp.Name != jinaName || fp.Dimension != 64 || fp.Pooling != "mean" {
		t.Errorf("fingerprint %+v", fp)
	}
	record, err := recordOf(model)
	if err != nil || record == nil || record.License != "cc-by-nc-4.0" || len(record.Probes.Vectors) < 12 {
		t.Errorf("record %+v, %v, want the licence and the probes", record, err)
	}
	candidates := "3 + 4 = 7. The answer is 7.\n3 - 4 = -1. The answer is -1.\n"
	if got := rcvaeRun(t, candidates, "select", "--model", out, "--question", "What is 3 + 4?", "--cache", cache); got.code != exitOK {
		t.Errorf("select: exit code %d\n%s", got.code, got.stderr)
	}
	if n := len(hub.Requests()); n != asked {
		t.Errorf("%d requests to the hub came from other commands than get", n-asked)
	}
}
