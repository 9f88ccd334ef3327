package openaiapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rcvae/internal/openaiapi"
)

func parse(t *testing.T, text string) openaiapi.Body {
	t.Helper()
	b, err := openaiapi.ParseBody([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestUnchangedBodyKeepsItsBytes(t *testing.T) {
	for _, text := range []string{`{}`, `{ "b" : 1.50,` + "\n\t" + `"a":[ 1e3,"\u00e9<" ] }`, `{"n":null}`} {
		if got := string(parse(t, text).Bytes()); got != text {
			t.Errorf("Bytes() = %s, want %s", got, text)
		}
	}
}

func TestChangedBodyKeepsTheOtherValues(t *testing.T) {
	b := parse(t, ` {"z": 1.50, "n":2 , "html":"<a>&","list": [1,  2]} `)
	original := b.Clone()
	if err := b.Set("n", 8); err != nil {
		t.Fatal(err)
	}
	if err := b.Set("stop", []string{"<|end|>"}); err != nil {
		t.Fatal(err)
	}
	if !b.Delete("html") || b.Delete("html") {
		t.Error("Delete reports the wrong thing")
	}
	if got, want := string(b.Bytes()), `{"z":1.50,"n":8,"list":[1,  2],"stop":["<|end|>"]}`; got != want {
		t.Errorf("Bytes() = %s, want %s", got, want)
	}
	if got, want := string(original.Bytes()), `{"z": 1.50, "n":2 , "html":"<a>&","list": [1,  2]}`; got != want {
		t.Errorf("the clone is %s, want %s", got, want)
	}
	if err := b.Set("bad", func() {}); err == nil {
		t.Error("a function was encoded")
	}
}

func TestReadingFields(t *testing.T) {
	b := parse(t, `{"model":"m","null":null,"n":3,"s":5}`)
	var n int
	if ok, err := b.Decode("n", &n); !ok || err != nil || n != 3 {
		t.Errorf("Decode(n) = %d, %v, %v", n, ok, err)
	}
	if ok, err := b.Decode("model", &n); !ok || err == nil || !strings.Contains(err.Error(), `"model"`) {
		t.Errorf("Decode of a string into a number = %v, %v; want an error with the field's name", ok, err)
	}
	for _, absent := range []string{"null", "none"} {
		if ok, err := b.Decode(absent, &n); ok || err != nil || b.Has(absent) {
			t.Errorf("Decode(%s) = %v, %v, want it absent", absent, ok, err)
		}
	}
	if b.Text("model") != "m" || b.Text("s") != "" || b.Text("none") != "" || b.Len() != 4 {
		t.Errorf("Text gives %q, %q, %q of %d fields", b.Text("model"), b.Text("s"), b.Text("none"), b.Len())
	}
	var keys []string
	for key := range b.All() {
		keys = append(keys, key)
	}
	if want := []string{"model", "null", "n", "s"}; !reflect.DeepEqual(keys, want) {
		t.Errorf("All yields %v, want %v", keys, want)
	}
}

func TestBodiesThatAreRefused(t *testing.T) {
	var many strings.Builder
	for i := range 300 {
		fmt.Fprintf(&many, `%q:1,`, fmt.Sprint(i))
	}
	for name, text := range map[string]string{
		"empty": "", "list": `[1]`, "number": `1`, "null": `null`, "cut off": `{"a":[1,`, "no colon": `{"a" 1}`, "behind": `{} {}`, "text behind": `{}x`,
		"twice": `{"n":1,"n":2}`, "twice, escaped": `{"n":1,"\u006e":2}`, "comma": `{"a":1,}`, "many fields": "{" + strings.TrimSuffix(many.String(), ",") + "}",
		"deep": `{"a":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`,
	} {
		if b, err := openaiapi.ParseBody([]byte(text)); err == nil {
			t.Errorf("%s: parsed as %.50s, want an error", name, b.Bytes())
		}
	}
}

// FuzzBody checks that a body reads as encoding/json reads it, that an unchanged one
// keeps its bytes, and that a change touches nothing else.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"model":"m","messages":[{"role":"user","content":"a\n\u2028b"}],"n":1}`))
	f.Add([]byte(` {"a" : {"b":[1,2,{"c":null}]} , "\u00e9":1e400} `))
	f.Add([]byte(`{"n":1,"n":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := openaiapi.ParseBody(bytes.Clone(data))
		if err != nil {
			return
		}
		if !bytes.Equal(b.Bytes(), bytes.TrimSpace(data)) {
			t.Fatalf("unchanged body %q became %q", data, b.Bytes())
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(data, &want); err != nil || len(want) != b.Len() {
			t.Fatalf("%q has %d fields, encoding/json says %d (%v)", data, b.Len(), len(want), err)
		}
		for key, value := range b.All() {
			var elements []json.RawMessage
			_ = json.Unmarshal(value, &elements) // another type has none
			if got := b.List(key); !slices.EqualFunc(got, elements, func(x, y json.RawMessage) bool { return bytes.Equal(x, y) }) {
				t.Errorf("List(%q) = %q, encoding/json says %q", key, got, elements)
			}
		}
		changed := b.Clone()
		changed.SetRaw("rcvae fuzz", json.RawMessage(`1`))
		again, err := openaiapi.ParseBody(changed.Bytes())
		if err != nil {
			t.Fatalf("changed body %q: %v", changed.Bytes(), err)
		}
		for key, value := range b.All() {
			if !bytes.Equal(value, want[key]) {
				t.Errorf("field %q is %s, encoding/json says %s", key, value, want[key])
			}
			if v, _ := again.Get(key); !bytes.Equal(v, value) {
				t.Errorf("field %q was %s, is %s after another one was set", key, value, v)
			}
		}
	})
}
