package cvae

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"rcvae"
)

// The embedder's record comes through training and the file as it was given; without one
// the file says nothing of it.
func TestEmbedderRecord(t *testing.T) {
	config := DefaultConfig(Contrastive, 4)
	config.Epochs = 1
	questions := []rcvae.Encoded{{
		Question:  rcvae.Question{Problem: rcvae.Problem{ID: "q"}, Candidates: []rcvae.Candidate{{Answer: "1", Verdict: rcvae.Correct}, {Answer: "2", Verdict: rcvae.Incorrect}}},
		Embedding: rcvae.Embedding{1, 0, 0, 0},
		Solutions: []rcvae.Solution{{Embedding: rcvae.Embedding{0, 1, 0, 0}}, {Embedding: rcvae.Embedding{0, 0, 1, 0}}},
	}}
	for _, want := range []json.RawMessage{nil, json.RawMessage(`{"license":"cc-by-nc-4.0"}`)} {
		m, err := Train(context.Background(), config, questions, Options{EmbedderRecord: want})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "m.rcvae")
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		data, err := readFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Load(path)
		if err != nil || !bytes.Equal(got.EmbedderRecord(), want) {
			t.Errorf("record %s, %v, want %s", got.EmbedderRecord(), err, want)
		}
		if has := bytes.Contains(data, []byte("embedder_record")); has != (want != nil) {
			t.Errorf("record %s: the file names it: %v", want, has)
		}
	}
	_, err := Train(context.Background(), config, questions, Options{EmbedderRecord: json.RawMessage(`{`)})
	if err == nil || !strings.Contains(err.Error(), "record") {
		t.Errorf("a record that is no JSON: %v, want an error", err)
	}
}
