package encoder_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/embed/encoder"
	"rcvae/internal/safetensors"
	"rcvae/rcvaetest"
)

const peftJSON = `{"peft_type":"LORA","r":2,"lora_alpha":3,"bias":"none","target_modules":["q_proj"]}`

// llamaAdapter writes a random adapter of a few modules of the tiny Llama as a PEFT
// folder, and the model with the same change merged into its weights as another.
func llamaAdapter(t *testing.T) (peft, merged string) {
	t.Helper()
	model, err := safetensors.ReadFile("testdata/tiny/llama/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	adapter, changed := safetensors.File{}, safetensors.File{}
	for _, tensor := range model.Tensors {
		values, err := tensor.Float32()
		if err != nil {
			t.Fatal(err)
		}
		module := strings.TrimSuffix(tensor.Name, ".weight")
		for _, target := range []string{"layers.0.self_attn.q_proj", "layers.1.self_attn.k_proj", "layers.1.mlp.up_proj"} {
			if module != target {
				continue
			}
			out, in := tensor.Shape[0], tensor.Shape[1]
			a, b := normal(rng, 2*in), normal(rng, out*2)
			for i := range out {
				for j := range in {
					values[i*in+j] += 1.5 * (b[2*i]*a[j] + b[2*i+1]*a[in+j]) // 3 / 2
				}
			}
			name := "base_model.model.model." + module
			adapter.Tensors = append(adapter.Tensors, safetensors.Float32s(name+".lora_A.weight", []int{2, in}, a), safetensors.Float32s(name+".lora_B.weight", []int{out, 2}, b))
		}
		changed.Tensors = append(changed.Tensors, safetensors.Float32s(tensor.Name, tensor.Shape, values))
	}
	config, err := os.ReadFile("testdata/tiny/llama/config.json")
	if err != nil {
		t.Fatal(err)
	}
	peft, merged = t.TempDir(), t.TempDir()
	write(t, filepath.Join(peft, "adapter_config.json"), []byte(peftJSON))
	write(t, filepath.Join(peft, "adapter_model.safetensors"), encode(t, adapter))
	write(t, filepath.Join(merged, "config.json"), config)
	write(t, filepath.Join(merged, "model.safetensors"), encode(t, changed))
	return peft, merged
}

func normal(rng *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(rng.NormFloat64()) / 4
	}
	return out
}

func encode(t *testing.T, f safetensors.File) []byte {
	t.Helper()
	data, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// An adapter does what the merged weights do, also over the rows that llama.cpp stores in
// another order.
func TestPEFTIsMerged(t *testing.T) {
	peft, merged := llamaAdapter(t)
	g := readGolden(t, "testdata/tiny/llama/golden.safetensors")
	embed := func(path, adapter string) [][]float32 {
		got, err := open(t, path, encoder.Options{Pooling: "mean", Adapter: adapter}).EmbedTokens(t.Context(), rcvae.RoleSolution, g.texts)
		if err != nil {
			t.Fatal(err)
		}
		out := make([][]float32, len(got))
		for i, e := range got {
			out[i] = e
		}
		return out
	}
	want := embed(merged, "")
	if c := cosine(want[3], embed("testdata/tiny/llama", "")[3]); c > 0.999 {
		t.Fatalf("the adapter changes an embedding by a cosine of %v alone", c)
	}
	for _, path := range []string{"testdata/tiny/llama", "testdata/gguf/llama.gguf"} {
		for i, e := range embed(path, peft) {
			if c := cosine(e, want[i]); math.Abs(c-1) > 1e-6 {
				t.Errorf("%s, text %d: the cosine with the merged weights' embedding is %v, want 1", path, i, c)
			}
		}
	}
}

// One adapter in two forms, made by tools/golden/gguf_golden.py, over one model in two
// forms.
func TestAdapterFormsAgree(t *testing.T) {
	g := readGolden(t, "testdata/tiny/llama/golden.safetensors")
	const peft, lora = "testdata/lora/llama", "testdata/lora/llama.gguf"
	var want []rcvae.Embedding
	for _, c := range []struct{ model, adapter string }{
		{"testdata/tiny/llama", peft}, {"testdata/gguf/llama.gguf", peft}, {"testdata/gguf/llama.gguf", lora},
	} {
		got, err := open(t, c.model, encoder.Options{Pooling: "mean", Adapter: c.adapter}).EmbedTokens(t.Context(), rcvae.RoleSolution, g.texts)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
			if cos := cosine(want[3], g.pooled(t, "mean")[3]); cos > 0.99 {
				t.Fatalf("the adapter changes an embedding by a cosine of %v alone", cos)
			}
		}
		for i := range want {
			if cos := cosine(got[i], want[i]); math.Abs(cos-1) > 1e-6 {
				t.Errorf("%s with %s, text %d: cosine %v with the first, want 1", c.model, c.adapter, i, cos)
			}
		}
	}
}

// An int8 file with one scale a row, as tools/adapt writes it, does what its values do in
// float32.
func TestAdapterFileInEightBits(t *testing.T) {
	g := readGolden(t, "testdata/tiny/llama/golden.safetensors")
	rng := rand.New(rand.NewPCG(9, 10))
	eight, plain := safetensors.File{Metadata: map[string]string{"scale": "1.5"}}, safetensors.File{}
	for _, m := range []struct {
		name       string
		rows, cols int
	}{{"lora_A", 2, 32}, {"lora_B", 32, 2}} {
		name := "base_model.model.model.layers.0.self_attn.q_proj." + m.name + ".weight"
		data, scales, values := make([]byte, m.rows*m.cols), make([]float32, m.rows), make([]float32, m.rows*m.cols)
		for i := range data {
			scales[i/m.cols] = float32(i/m.cols+1) / 1024
			data[i] = byte(rng.IntN(255) - 127)
			values[i] = scales[i/m.cols] * float32(int8(data[i]))
		}
		eight.Tensors = append(eight.Tensors, safetensors.Tensor{Name: name, DType: "I8", Shape: []int{m.rows, m.cols}, Data: data}, safetensors.Float32s(name+".scale", []int{m.rows, 1}, scales))
		plain.Tensors = append(plain.Tensors, safetensors.Float32s(name, []int{m.rows, m.cols}, values))
	}
	dir := t.TempDir()
	path, folder := filepath.Join(dir, "eight.safetensors"), filepath.Join(dir, "plain")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, path, encode(t, eight))
	write(t, filepath.Join(folder, "adapter_config.json"), []byte(peftJSON))
	write(t, filepath.Join(folder, "adapter_model.safetensors"), encode(t, plain))
	for _, model := range []string{"testdata/tiny/llama", "testdata/gguf/llama.gguf"} {
		var got [3][]rcvae.Embedding
		for i, adapter := range []string{path, folder, ""} {
			var err error
			if got[i], err = open(t, model, encoder.Options{Pooling: "mean", Adapter: adapter}).EmbedTokens(t.Context(), rcvae.RoleSolution, g.texts); err != nil {
				t.Fatal(err)
			}
		}
		for i, e := range got[0] {
			if c := cosine(e, got[1][i]); math.Abs(c-1) > 1e-6 {
				t.Errorf("%s, text %d: the cosine of both forms is %v, want 1", model, i, c)
			}
		}
		if c := cosine(got[0][3], got[2][3]); c > 0.999 {
			t.Errorf("%s: the adapter changes an embedding by a cosine of %v alone", model, c)
		}
	}
	eight.Metadata = nil
	write(t, path, encode(t, eight))
	o := encoder.Options{Pooling: "mean", TokensOnly: true, Adapter: path}
	if _, err := encoder.Open("testdata/tiny/llama", o); err == nil || !strings.Contains(err.Error(), "scale") {
		t.Errorf("a file without a scale: error %v, want one that asks for it", err)
	}
}

func TestAdaptersAreChecked(t *testing.T) {
	peft, _ := llamaAdapter(t)
	tensors, err := os.ReadFile(filepath.Join(peft, "adapter_model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, model, config, want string }{
		{"of another model", "bert", peftJSON, "which the model does not have"},
		{"of another size", "qwen3", peftJSON, "the adapter of layers.0.self_attn.q_proj has shapes"},
		{"of another kind", "llama", strings.Replace(peftJSON, "LORA", "IA3", 1), `peft_type "IA3"`},
		{"with more than low ranks", "llama", strings.Replace(peftJSON, `"bias"`, `"use_dora":true,"bias"`, 1), "use_dora"},
		{"with biases", "llama", strings.Replace(peftJSON, "none", "all", 1), "bias"},
		{"without a rank", "llama", strings.Replace(peftJSON, `"r":2`, `"r":0`, 1), "r is 0"},
		{"without a configuration", "llama", "", "adapter_config.json"},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "adapter_model.safetensors"), tensors)
		if c.config != "" {
			write(t, filepath.Join(dir, "adapter_config.json"), []byte(c.config))
		}
		o := encoder.Options{Pooling: "mean", TokensOnly: true, Adapter: dir}
		if _, err := encoder.Open("testdata/tiny/"+c.model, o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	o := encoder.Options{Pooling: "mean", TokensOnly: true, Adapter: "testdata/lora/llama.gguf"}
	if _, err := encoder.Open("testdata/tiny/llama", o); err == nil || !strings.Contains(err.Error(), "name a PEFT folder") {
		t.Errorf("an adapter of the other form: error %v, want one that asks for a PEFT folder", err)
	}
	o.Adapter = "testdata/gguf/bert.gguf"
	if _, err := encoder.Open("testdata/gguf/llama.gguf", o); err == nil || !strings.Contains(err.Error(), "adapter.type") {
		t.Errorf("a model for an adapter: error %v, want one about adapter.type", err)
	}
}

func TestModelIsAnEmbedder(t *testing.T) {
	files := folder(t, map[string]string{"1_Pooling/config.json": meanPooling, "vocab.txt": vocabulary + "x\n=\n2\nann\nhas\n3\napples\n.\n"})
	rcvaetest.TestEmbedder(t, openFS(t, files, encoder.Options{}))
}

func ExampleModel_Embed() {
	dir, err := os.MkdirTemp("", "encoder")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, os.DirFS("testdata/tiny/bert")); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "vocab.txt"), []byte(vocabulary), 0o600); err != nil {
		panic(err)
	}
	model, err := encoder.Open(dir, encoder.Options{Pooling: encoder.PoolMean, QuestionPrompt: "query: "})
	if err != nil {
		panic(err)
	}
	defer model.Close()
	embeddings, err := model.Embed(context.Background(), []rcvae.Text{
		{Role: rcvae.RoleQuestion, Text: "a b"}, {Role: rcvae.RoleSolution, Text: "a b"},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(embeddings), slices.Equal(embeddings[0], embeddings[1]))
	// Output: 2 false
}
