package edge_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"rcvae/gateway/edge"
)

func TestParseKeys(t *testing.T) {
	hash := sha256.Sum256([]byte("secret"))
	line := hex.EncodeToString(hash[:])
	keys, err := edge.ParseKeys(strings.NewReader("# clients\n\n" + line + " Ann\n" + strings.ToUpper(line) + "  -\n"))
	if err != nil || len(keys) != 2 || keys[0] != edge.NewKey("secret", "Ann") || keys[1] != edge.NewKey("secret", "") {
		t.Errorf("ParseKeys = %v, %v, want the key twice, once with a name", keys, err)
	}
	_, err = edge.ParseKeys(strings.NewReader(line + "\nplain-secret\n"))
	if err == nil || !strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "plain-secret") {
		t.Errorf("a line that is no hash: %v, want its number and not its content", err)
	}
}

// FuzzParseKeys: what was read is found again in the text, and errors quote nothing.
func FuzzParseKeys(f *testing.F) {
	f.Add("# a\n" + strings.Repeat("ab", 32) + " Ann\n")
	f.Add("xyz")
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := edge.ParseKeys(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, k := range keys {
			if !strings.Contains(strings.ToLower(text), hex.EncodeToString(k.Hash[:])) || !strings.Contains(text, k.Name) {
				t.Errorf("ParseKeys(%q) found a key that is not there", text)
			}
		}
	})
}
