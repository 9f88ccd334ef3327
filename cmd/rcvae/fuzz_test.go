package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzCandidateLine checks that every text survives the three forms of a line: as a
// JSON object, as a JSON string, and as it is where it cannot be mistaken for one.
func FuzzCandidateLine(f *testing.F) {
	for _, text := range []string{"", "5", `"quoted"`, "{\"text\":1}", "a\nb", "{x", "\\boxed{5} \u2028", "null", "true", "[1, 2]", `["a", "b"]`, `[{"text":"a"}]`, "[]"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || len(text) > 1<<16 {
			return // JSON cannot carry it
		}
		asString, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		lines := []string{string(asString), `{"text":` + string(asString) + `}`}
		if !strings.HasPrefix(text, "{") && (!strings.HasPrefix(text, `"`) || !json.Valid([]byte(text))) {
			lines = append(lines, text)
		}
		for _, line := range lines {
			if got, err := parseCandidate(line); err != nil || got.Text != text {
				t.Errorf("line %q: text %q, %v, want %q", line, got.Text, err, text)
			}
			if got, err := textOfLine(line); err != nil || got != text {
				t.Errorf("line %q: %q, %v, want %q", line, got, err, text)
			}
		}
	})
}
