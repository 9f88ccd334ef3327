package dataset_test

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"rcvae/dataset"
)

// What the pool reader accepts is written so that it reads back equal, and the JSON
// means what it meant.
func FuzzPool(f *testing.F) {
	f.Add(poolLine)
	f.Add(`{"question":"q","candidates":[],"level":"5","solution":""}`)
	f.Add(`{"question":1e2,"candidates":[{"text":"\ud800","n_tokens":null,"tail_logprob":null}]}` + "\n\n" + poolLine)
	f.Fuzz(func(t *testing.T, text string) {
		items, err := readPool(text)
		if err != nil {
			return
		}
		written := write(t, items)
		again, err := readPool(written)
		if err != nil {
			t.Fatalf("what was written does not read: %v\n%s", err, written)
		}
		if len(items) != len(again) {
			t.Fatalf("%d items written, %d read", len(items), len(again))
		}
		in := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
		in = nonBlank(in)
		for i, line := range strings.Split(strings.TrimSuffix(written, "\n"), "\n") {
			if len(items) == 0 || !plainText(text) {
				break
			}
			want := decode(t, in[i])
			if id := want["id"]; id == nil || id == "" {
				want["id"] = items[i].ID // made up
			}
			if got := decode(t, line); !reflect.DeepEqual(got, want) {
				t.Errorf("round trip gives\n%v\nwant\n%v", got, want)
			}
		}
		if !bytes.Equal([]byte(write(t, again)), []byte(written)) {
			t.Error("a second round trip changes the bytes")
		}
	})
}

// plainText leaves out compressed input, whose lines the test cannot see, and byte
// order marks.
func plainText(text string) bool {
	return !strings.HasPrefix(text, "\x1f\x8b") && !strings.HasPrefix(text, "\x28\xb5\x2f\xfd") && !strings.HasPrefix(text, "\ufeff")
}

func nonBlank(lines []string) (out []string) {
	for _, l := range lines {
		if strings.TrimSpace(l) != "" {
			out = append(out, l)
		}
	}
	return out
}

func decode(t *testing.T, line string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(line))
	decoder.UseNumber()
	var v map[string]any
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return canonical(v).(map[string]any)
}

// canonical makes numbers of equal value equal where the pool format owns them.
func canonical(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = canonical(e)
			if n, ok := e.(json.Number); ok && strings.HasSuffix(k, "_logprob") {
				if x, err := n.Float64(); err == nil && !math.IsInf(x, 0) {
					v[k] = x
				}
			}
		}
	case []any:
		for i := range v {
			v[i] = canonical(v[i])
		}
	}
	return v
}

// A problem that is accepted and written as an item without candidates reads back
// as the same problem.
func FuzzProblems(f *testing.F) {
	f.Add(`{"id":"a","question":"q","solution":"s","answer":"7","subject":"algebra","level":3}`)
	f.Add(`{"question":"q","answer":"x\n#### 1,024"}`)
	f.Add(`{"problem":"p","level":"Level 5","type":"Algebra","solution":"\\boxed{\\frac{1}{2}}"}`)
	f.Fuzz(func(t *testing.T, text string) {
		problems, err := readProblems(text)
		if err != nil {
			return
		}
		var items []dataset.Item
		for _, p := range problems {
			items = append(items, dataset.Item{Problem: p})
		}
		again, err := readProblems(write(t, items))
		if err != nil {
			t.Fatalf("what was written does not read: %v", err)
		}
		if !reflect.DeepEqual(problems, again) {
			t.Errorf("round trip gives %v, want %v", again, problems)
		}
	})
}
