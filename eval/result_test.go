package eval_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

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
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`{"version":2,"pools":null}`))
	f.Add([]byte(`{"version":1,"pools":[{"by_k":[{"selectors":[{},{}]},{"selectors":[{}]}]}]}`))
	f.Add([]byte(`{"version":1,"pools":[{"by_k":[{"selectors":[{}]},{}],"seeds":[{"selectors":[{}]},{}],"diagnostics":[{"model":"m"}]}]}`))
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
		if err := eval.WriteText(&once, r); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSameBytesForAnyWorkers(t *testing.T) {
	questions := simulate(70, 9, 6)
	var want bytes.Buffer
	for _, workers := range []int{1, 4} {
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
			t.Errorf("the result with %d workers has other bytes", workers)
		}
		back, err := eval.ReadJSON(bytes.NewReader(got.Bytes()))
		if err != nil || !reflect.DeepEqual(back.Pools, r.Pools) {
			t.Errorf("ReadJSON(WriteJSON()) differs: %v", err)
		}
	}
}

func TestTextFits(t *testing.T) {
	c := config(2, 4, 6, 7)
	c.Pool, c.Sampler, c.Grader, c.Timing = "gsm8k-test-qwen2.5-coder-0.5b", "top_p", "gsm8k", true
	r, err := eval.Run(t.Context(), c, simulate(20, 7, 2), sources(1, 0, 2, 3, 4, 5, 6, 7))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := eval.WriteText(&b, r); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 110 {
			t.Errorf("line of %d characters: %s", n, line)
		}
	}
	for _, want := range []string{"vote:entropy", "mean@1", "vs majority", "k = 4 (n = 20)", "model 8", "warning: "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the text lacks %q", want)
		}
	}
	if testing.Verbose() {
		t.Log("\n" + b.String())
	}
}
