package eval_test

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"

	"rcvae/eval"
)

func FuzzReadJSON(f *testing.F) {
	r, err := eval.Run(f.Context(), config(2), simulate(6, 3, 1), sources(1, 2))
	if err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if err := eval.WriteJSON(&b, r); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(`{"version":9,"pools":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := eval.ReadJSON(bytes.NewReader(data))
		if err != nil {
			return
		}
		var once, twice bytes.Buffer
		if err := eval.WriteJSON(&once, r); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := eval.ReadJSON(bytes.NewReader(once.Bytes()))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if err := eval.WriteJSON(&twice, back); err != nil || !bytes.Equal(once.Bytes(), twice.Bytes()) {
			t.Fatalf("a round trip changes the bytes: %v", err)
		}
	})
}

// Neither the number of workers nor the order of the questions changes a byte.
func TestSameBytesInAnyOrder(t *testing.T) {
	questions := append(simulate(70, 9, 6), simulate(4, 9, 6)...) // four of them twice
	for i := range 3 {
		questions[len(questions)-1-i].Candidates[0].Text = "other texts for the id"
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var want bytes.Buffer
	for _, workers := range []int{1, 4, 4} {
		c := config(2, 4)
		c.Workers = workers
		r, err := eval.Run(t.Context(), c, questions, sources(1, 3))
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := eval.WriteJSON(&got, r); err != nil {
			t.Fatal(err)
		}
		if want.Len() == 0 {
			want = got
		} else if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("the result has other bytes")
		}
		back, err := eval.ReadJSON(bytes.NewReader(got.Bytes()))
		if err != nil || !reflect.DeepEqual(back.Pools, r.Pools) {
			t.Errorf("ReadJSON(WriteJSON()) differs: %v", err)
		}
		rng.Shuffle(len(questions), func(i, j int) { questions[i], questions[j] = questions[j], questions[i] })
	}
}
