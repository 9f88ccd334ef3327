package embed_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"rcvae"
	"rcvae/embed"
)

func TestEncode(t *testing.T) {
	var questions []rcvae.Question
	for i := range 4 { // 0 to 3 candidates
		q := rcvae.Question{Problem: rcvae.Problem{ID: fmt.Sprint(i), Question: fmt.Sprint("question ", i)}}
		for j := range i {
			q.Candidates = append(q.Candidates, rcvae.Candidate{Text: fmt.Sprint("solution ", i, j)})
		}
		questions = append(questions, q)
	}
	got, err := embed.Encode(t.Context(), &hashEmbedder{name: "hash"}, questions)
	if err != nil || len(got) != len(questions) {
		t.Fatalf("Encode() = %d questions, %v", len(got), err)
	}
	for i, e := range got {
		if e.ID != questions[i].ID || !slices.Equal(e.Embedding, vectorOf(questions[i].Question)) || len(e.Solutions) != len(questions[i].Candidates) {
			t.Errorf("question %d has id %s, %d solutions, or another question's embedding", i, e.ID, len(e.Solutions))
		}
		for j, s := range e.Solutions {
			if !slices.Equal(s.Embedding, vectorOf(questions[i].Candidates[j].Text)) {
				t.Errorf("candidate %d of question %d has another text's embedding", j, i)
			}
		}
	}
	broken := errors.New("server is down")
	if _, err := embed.Encode(t.Context(), &hashEmbedder{failWith: broken}, questions); !errors.Is(err, broken) {
		t.Errorf("Encode() = %v, want %v", err, broken)
	}
}
