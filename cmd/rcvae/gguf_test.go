package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae/cvae"
	"rcvae/internal/gguf"
)

// ggufWriter writes GGUF files.
type ggufWriter struct{ head, data bytes.Buffer }

func (w *ggufWriter) put(values ...any) {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			w.put(uint64(len(v)))
			w.head.WriteString(v)
		default:
			_ = binary.Write(&w.head, binary.LittleEndian, v) // a buffer takes everything
		}
	}
}

// tensor adds a tensor in eight bits (Q8_0) where its rows can be, else in float32.
func (w *ggufWriter) tensor(old gguf.Tensor) {
	values := make([]float32, len(old.Data)/4)
	_ = binary.Read(bytes.NewReader(old.Data), binary.LittleEndian, values) // it has this length
	w.put(old.Name, uint32(len(old.Shape)))
	for i := range old.Shape {
		w.put(uint64(old.Shape[len(old.Shape)-1-i]))
	}
	kind, offset := gguf.F32, uint64(w.data.Len())
	if len(old.Shape) == 2 && old.Columns()%32 == 0 && strings.HasPrefix(old.Name, "blk.") {
		kind = gguf.Q8_0
		for i := 0; i < len(values); i += 32 {
			w.data.Write(q8(values[i : i+32]))
		}
	} else {
		w.data.Write(old.Data)
	}
	w.put(uint32(kind), offset)
	w.data.Write(make([]byte, -w.data.Len()&31))
}

// q8 returns a block of Q8_0 whose scale is a power of two, which half precision holds.
func q8(values []float32) []byte {
	const exponent = -6
	block := binary.LittleEndian.AppendUint16(nil, (exponent+15)<<10)
	for _, v := range values {
		n := math.RoundToEven(math.Ldexp(float64(v), -exponent))
		block = append(block, byte(int8(max(-127, min(127, n)))))
	}
	return block
}

// byteTokens are GPT-2's characters for the 256 bytes: their own where they can be seen,
// else those from U+0100 on.
func byteTokens() []string {
	tokens, next := make([]string, 256), rune(256)
	for b := range tokens {
		if tokens[b] = string(rune(b)); b < '!' || b > '~' && b < '¡' || b == '\u00ad' {
			tokens[b] = string(next)
			next++
		}
	}
	return tokens
}

// tinyGGUF writes the tiny Qwen2 in eight bits, with a tokenizer of single bytes.
func tinyGGUF(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../embed/encoder/testdata/gguf/qwen2.gguf")
	if err != nil {
		t.Fatal(err)
	}
	file, err := gguf.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	w := &ggufWriter{}
	w.head.WriteString("GGUF")
	w.put(uint32(3), uint64(len(file.Tensors)), uint64(len(file.Metadata)+2))
	for key, value := range file.Metadata {
		w.put(key)
		switch value := value.(type) {
		case string:
			w.put(uint32(8), strings.Replace(value, "none", "gpt2", 1))
		case int64:
			w.put(uint32(4), uint32(value))
		case float64:
			w.put(uint32(6), float32(value))
		default:
			t.Fatalf("metadata %s is %T", key, value)
		}
	}
	w.put("tokenizer.ggml.pre", uint32(8), "qwen2", "tokenizer.ggml.tokens", uint32(9), uint32(8), uint64(256))
	for _, token := range byteTokens() {
		w.put(token)
	}
	for _, tensor := range file.Tensors {
		if tensor.Name == "token_embd.weight" { // it has fewer words
			tensor.Data = bytes.Repeat(tensor.Data, 3)[:4*256*tensor.Columns()]
			tensor.Shape = []int{256, tensor.Columns()}
		}
		w.tensor(tensor)
	}
	w.head.Write(make([]byte, -w.head.Len()&31))
	path := filepath.Join(t.TempDir(), "tiny.gguf")
	if err := os.WriteFile(path, append(w.head.Bytes(), w.data.Bytes()...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestModelOfAGGUFFile: a model keeps how its file was opened, weights in so many bits
// among it, and is used with the file at another place.
func TestModelOfAGGUFFile(t *testing.T) {
	f, file := newFixture(t), tinyGGUF(t)
	flags := []string{"--embedder", file, "--in-context", "--max-tokens", "100"}
	model := f.train(t, "m.rcvae", append(flags, "--weight-bits", "32")...)
	loaded, err := cvae.Load(model)
	if err != nil {
		t.Fatal(err)
	}
	record, err := recordOf(loaded)
	if err != nil || !record.Settings.InContext || record.Settings.WeightBits != 32 || record.Settings.MaxTokens != 100 {
		t.Errorf("record %+v (%v), want the flags", record, err)
	}
	moved := filepath.Join(t.TempDir(), "moved.gguf")
	if err := os.Rename(file, moved); err != nil {
		t.Fatal(err)
	}
	eval := rcvaeRun(t, "", "eval", "--pool", f.pool, "--model", model, "--quiet", "--cache", f.cache, "--embedder", moved)
	if eval.code != exitOK {
		t.Errorf("the file at another place: exit code %d\n%s", eval.code, eval.stderr)
	}
	embed := func(args ...string) result {
		return rcvaeRun(t, "what is 2?\n", append([]string{"embed", "--cache", "none", "--embedder", moved, "--in-context"}, args...)...)
	}
	stored, eight, float := embed(), embed("--weight-bits", "8"), embed("--weight-bits", "32")
	if stored.code != exitOK || eight.code != exitOK || float.code != exitOK || stored.stdout == "" {
		t.Errorf("exit codes %d, %d and %d: %s", stored.code, eight.code, float.code, stored.stderr)
	}
	if stored.stdout == eight.stdout || eight.stdout == float.stdout {
		t.Error("one matrix is stored in float32: rounding all, those in eight bits and none must differ")
	}
	if got := embed("--weight-bits", "7"); got.code == exitOK || !strings.Contains(got.stderr, "weight bits are 7") {
		t.Errorf("seven bits: exit code %d, %q", got.code, got.stderr)
	}
}
