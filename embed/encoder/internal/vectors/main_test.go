package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae/embed/encoder"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../testdata/tiny/bert")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "vocab.txt"), []byte("[UNK]\n[CLS]\n[SEP]\na\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	texts := `{"role":"question","text":"a b"}` + "\n" + `{"role":"solution","text":"b","question":"a b"}`
	var out, log bytes.Buffer
	if err := run(dir, encoder.Options{Pooling: "mean"}, strings.NewReader(texts), &out, &log); err != nil {
		t.Fatal(err)
	}
	if out.Len() != 2*32*4 {
		t.Fatalf("%d bytes, want two vectors of 32 float32", out.Len())
	}
	var square float64
	for i := 0; i < 32*4; i += 4 {
		b := out.Bytes()[i:]
		v := float64(math.Float32frombits(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24))
		square += v * v
	}
	if math.Abs(square-1) > 1e-5 {
		t.Errorf("the square of the first vector's length is %v, want 1", square)
	}
	if err := run(dir, encoder.Options{Pooling: "mean"}, strings.NewReader(`{"role":"answer"}`), &out, &log); err == nil || !strings.Contains(err.Error(), `role "answer"`) {
		t.Errorf("an unknown role: error %v, want one about it", err)
	}
}
