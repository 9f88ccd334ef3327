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

func TestEachEmbedsSomeQuestionsAtATime(t *testing.T) {
	solved := make([]rcvae.Candidate, 5000)
	for i := range solved {
		solved[i].Text = fmt.Sprint("solution ", i)
	}
	var questions []rcvae.Question
	for i := range 10 {
		questions = append(questions, rcvae.Question{Problem: rcvae.Problem{Question: fmt.Sprint("question ", i)}, Candidates: solved})
	}
	inner := &hashEmbedder{name: "hash"}
	n := 0
	for e, err := range embed.Each(t.Context(), inner, questions) {
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(e.Embedding, vectorOf(questions[n].Question)) || len(e.Solutions) != len(solved) {
			t.Errorf("question %d has another's embedding, or %d solutions", n, len(e.Solutions))
		}
		if n++; n == 1 && inner.texts.Load() >= 25000 {
			t.Errorf("%d texts are embedded before the first question is given out", inner.texts.Load())
		}
	}
	if n != len(questions) {
		t.Errorf("%d questions, want %d", n, len(questions))
	}
}
