package redact

import (
	"strings"
	"testing"
)

// FuzzKey: no stretch of gram bytes of the key is left, and a text without any of
// it, or of a mask, stays as it was.
func FuzzKey(f *testing.F) {
	const key = "sk-proj-0123456789abcdefghijkl"
	f.Add("wrong key " + key + key)
	f.Add("sk-***kl and 0123456789ab")
	f.Add("sk-proj-01234567" + key[3:])
	f.Add("plain")
	f.Fuzz(func(t *testing.T, text string) {
		got := Key(text, key)
		for i := 0; i+gram <= len(key); i++ {
			if part := key[i : i+gram]; strings.Contains(got, part) {
				t.Errorf("Key(%q) = %q shows %q", text, got, part)
			}
		}
		if again := Key(got, key); again != got {
			t.Errorf("Key(%q) = %q, and of that %q", text, got, again)
		}
	})
}
