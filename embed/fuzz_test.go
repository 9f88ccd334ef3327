package embed_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"rcvae/embed"
)

// Probes that are read from a file are written as they were, and comparing them is an
// error or a cosine.
func FuzzProbes(f *testing.F) {
	for _, seed := range []string{
		`{"version":1,"vectors":["gD8AAA==",null]}`, `{"version":1,"vectors":["wH8="]}`, `{"version":2,"vectors":[]}`, `{"version":1,"vectors":[""]}`, `{}`, `[`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p, q embed.Probes
		if json.Unmarshal(data, &p) != nil {
			return
		}
		first, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(first, &q); err != nil {
			t.Fatal(err)
		}
		second, err := json.Marshal(q)
		if err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("%s is written as %s after it is read (%v)", first, second, err)
		}
		if least, err := p.Compare(q); err == nil && !(least >= embed.SameFrom && least <= 1+1e-9) {
			t.Fatalf("Compare() = %v without an error", least)
		}
	})
}
