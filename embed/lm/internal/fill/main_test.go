package main

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/embed"
	"rcvae/embed/lm"
	"rcvae/internal/safetensors"
)

const question, solution = "How many? é", "There are 4."

// vectorFile writes the vectors of a question and of its solution, in float16: the first
// value and nothing else, and the second.
func vectorFile(t *testing.T, width int, one uint16) string {
	t.Helper()
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(question)))
	q := sha256.Sum256([]byte("\x00" + question))
	r := sha256.Sum256([]byte("\x01" + string(length) + question + solution))
	values := make([]byte, 2*2*width)
	binary.LittleEndian.PutUint16(values, one)
	binary.LittleEndian.PutUint16(values[2*(width+1):], one)
	file := safetensors.File{Tensors: []safetensors.Tensor{
		{Name: "keys", DType: "U8", Shape: []int{2, 32}, Data: append(q[:], r[:]...)},
		{Name: "vectors", DType: "F16", Shape: []int{2, width}, Data: values},
	}}
	data, err := file.Encode()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "vectors.safetensors")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const almostOne = 0x3bfe // 0.9990234375

// TestFillServesTheTexts: what was filled is found by the texts, of unit length, and
// nothing is embedded.
func TestFillServesTheTexts(t *testing.T) {
	width := lm.Fingerprint().Dimension
	path := filepath.Join(t.TempDir(), "cache.sqlite")
	if err := fill(t.Context(), path, []string{vectorFile(t, width, almostOne)}); err != nil {
		t.Fatal(err)
	}
	cache, err := embed.OpenCache(path, noEmbedder{})
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close()
	got, err := cache.Embed(t.Context(), []rcvae.Text{{Role: rcvae.RoleSolution, Text: solution, Question: question}, {Text: question}})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Index(got[0], 1) != 1 || slices.Index(got[1], 1) != 0 {
		t.Errorf("the ones stand at %d and %d, want 1 for the solution and 0 for the question", slices.Index(got[0], 1), slices.Index(got[1], 1))
	}
}

func TestFillRefuses(t *testing.T) {
	width := lm.Fingerprint().Dimension
	path := filepath.Join(t.TempDir(), "cache.sqlite")
	for _, c := range []struct {
		name, file, want string
	}{
		{"another width", vectorFile(t, width-1, almostOne), "895"},
		{"another length", vectorFile(t, width, 0x3800), "length 0.5"},
		{"not finite", vectorFile(t, width, 0x7e00), "not finite"},
		{"no file", filepath.Join(t.TempDir(), "absent"), "absent"},
	} {
		if err := fill(t.Context(), path, []string{c.file}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestUnit(t *testing.T) {
	e := unit(rcvae.Embedding{0.6, 0.801})
	if length := math.Hypot(float64(e[0]), float64(e[1])); math.Abs(length-1) > 1e-7 {
		t.Errorf("length %v, want 1", length)
	}
}
