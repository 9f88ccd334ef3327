package llm

import (
	"strings"
	"testing"

	"rcvae/internal/openaiapi"
)

// FuzzRefusal: whatever a message says, what is learned from it is the name of a field
// that it names, and fewer choices than were asked for.
func FuzzRefusal(f *testing.F) {
	f.Add("Unsupported parameter: 'max_tokens' is not supported with this model.", 8)
	f.Add(`[{"loc":["body","seed"]}]`, 2)
	f.Add("[{'type': 'x', 'loc': ('body', 'n'", 3)
	f.Add("candidateCount value of 16 but the supported range is from 1 (inclusive) to 9 (exclusive)", 16)
	f.Fuzz(func(t *testing.T, message string, asked int) {
		asked = 2 + max(asked, 0)%1000
		e := &StatusError{Status: 400, Detail: openaiapi.Error{Message: message}}
		if field := e.refusedField(); field != "" && !strings.Contains(strings.ToLower(message), strings.ToLower(field)) && !strings.HasPrefix(message, "[{") {
			t.Errorf("%q refuses %q", message, field)
		}
		if n := e.choicesAllowed(asked); n < 1 || n >= asked {
			t.Errorf("%q allows %d of %d", message, n, asked)
		}
	})
}
