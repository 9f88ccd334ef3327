package eval_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"rcvae/eval"
)

func TestDetailsRoundTrip(t *testing.T) {
	want := []eval.Details{
		{Version: eval.DetailsVersion, ID: "a", Question: "Is </script> \u2028 read?", Signals: []string{"wrong"}, Candidates: []eval.CandidateDetails{
			{Text: "yes\nno", Answer: "1", Verdict: "correct", Scores: map[string]float64{"entropy": -1.5}, Signals: []*float64{nil}, Entropy: new(2.5), Latent: []float32{0.25}},
		}, Chosen: []eval.RuleDetails{{Rule: "majority", Tied: []int{0}, Value: 1, Weights: []float64{1}, Margin: 1}}},
		{Version: eval.DetailsVersion, ID: "b"},
	}
	var plain, zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	for _, d := range want {
		line, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		plain.Write(append(line, '\n'))
		if _, err := zip.Write(append(line, '\n')); err != nil {
			t.Fatal(err)
		}
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]*bytes.Buffer{"plain": &plain, "gzip": &zipped} {
		var got []eval.Details
		for d, err := range eval.ReadDetails(file, name) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, d)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: read %+v, want %+v", name, got, want)
		}
	}
}

func TestReadDetailsRefuses(t *testing.T) {
	good := `{"version":1,"id":"a"}` + "\n"
	for name, test := range map[string]struct{ text, want string }{
		"another version": {good + `{"version":9}`, "f:2: details have format version 9"},
		"not JSON":        {good + "{", "f:2: decode details"},
		"a lost choice":   {`{"version":1,"chosen":[{"rule":"majority","best":0}]}`, "f:1: rule majority chose candidate 0 of 0"},
		"a lost signal":   {`{"version":1,"signals":["wrong"],"candidates":[{}]}`, "f:1: candidate 0 has 0 signals"},
		"a cut file":      {"\x1f\x8b\x08", "f: "},
	} {
		t.Run(name, func(t *testing.T) {
			var last error
			for _, err := range eval.ReadDetails(strings.NewReader(test.text), "f") {
				last = err
			}
			if last == nil || !strings.HasPrefix(last.Error(), test.want) {
				t.Errorf("error %v, want %q", last, test.want)
			}
		})
	}
}

// Whatever is read can be written and read again.
func FuzzReadDetails(f *testing.F) {
	f.Add([]byte(`{"version":1,"id":"a","signals":["wrong"],"candidates":[{"text":"x","signals":[null]}],"chosen":[{"rule":"majority","tied":[0],"value":1}]}` + "\n"))
	f.Add([]byte("{\"version\":1}\n\n{"))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, file []byte) {
		for d, err := range eval.ReadDetails(bytes.NewReader(file), "f") {
			if err != nil {
				if !strings.HasPrefix(err.Error(), "f:") {
					t.Errorf("error %q does not name the file", err)
				}
				return
			}
			line, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			for again, err := range eval.ReadDetails(bytes.NewReader(line), "g") {
				second, _ := json.Marshal(again)
				if err != nil || !bytes.Equal(line, second) {
					t.Errorf("%s is read as %s, %v", line, second, err)
				}
			}
		}
	})
}
