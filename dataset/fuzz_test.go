package dataset_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"rcvae"
	"rcvae/dataset"
)

// What the pool reader accepts is written so that it reads back equal, byte for byte
// the second time, and unknown fields keep their text.
func FuzzPool(f *testing.F) {
	f.Add(poolLine)
	f.Add(`{"question":"q","candidates":[],"level":"5","solution":"","big":12345678901234567890.10}`)
	f.Add(`{"question":1e2,"candidates":[{"text":"\ud800","n_tokens":null,"tail_logprob":null}]}` + "\n\n" + poolLine)
	f.Add(`{"question":"q","candidates":[{"text":"a","answer":null,"correct":true},{"text":"b","answer":"","correct":false},{"text":"c","answer_from":"none"}]}`)
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
		compactExtra(t, items)
		if !reflect.DeepEqual(again, items) {
			t.Errorf("round trip gives\n%+v\nwant\n%+v", again, items)
		}
		if write(t, again) != written {
			t.Error("a second round trip changes the bytes")
		}
	})
}

// compactExtra drops white space from unknown fields, which a round trip drops too.
func compactExtra(t *testing.T, questions []rcvae.Question) {
	compact := func(extra rcvae.Extra) {
		for key, value := range extra {
			var b bytes.Buffer
			if err := json.Compact(&b, value); err != nil {
				t.Fatal(err)
			}
			extra[key] = b.Bytes()
		}
	}
	for _, q := range questions {
		compact(q.Extra)
		for _, c := range q.Candidates {
			compact(c.Extra)
		}
	}
}

// A problem that is accepted and written as a question without candidates reads back
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
		var items []rcvae.Question
		for _, p := range problems {
			items = append(items, rcvae.Question{Problem: p})
		}
		compactExtra(t, items)
		again, err := readProblems(write(t, items))
		if err != nil {
			t.Fatalf("what was written does not read: %v", err)
		}
		if !reflect.DeepEqual(problems, again) {
			t.Errorf("round trip gives %v, want %v", again, problems)
		}
	})
}

// What is read of a Parquet file is a pool: it is written and reads back equal, as
// Parquet and as JSON Lines.
func FuzzParquet(f *testing.F) {
	dir := f.TempDir()
	items, err := readPool(poolLine + "\n" + `{"question":"r","candidates":[]}`)
	if err != nil {
		f.Fatal(err)
	}
	in, out := filepath.Join(dir, "p.parquet"), filepath.Join(dir, "p.jsonl")
	if err := dataset.SavePool(in, items); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(in)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(in, content, 0o600); err != nil {
			t.Fatal(err)
		}
		items, err := dataset.LoadPool(in)
		if err != nil {
			return
		}
		if err := errors.Join(dataset.SavePool(out, items), dataset.SavePool(in, items)); err != nil {
			t.Fatal(err)
		}
		lines, err := dataset.LoadPool(out)
		table, tableErr := dataset.LoadPool(in)
		if err != nil || tableErr != nil || write(t, lines) != write(t, table) {
			t.Errorf("JSON Lines and Parquet differ: %v, %v\n%+v\n%+v", err, tableErr, lines, table)
		}
	})
}
