package edge

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Key is the SHA-256 of a client's bearer key. The key itself is not kept.
type Key struct {
	Hash [sha256.Size]byte
	Name string // for the log; may be empty
}

// NewKey returns the hash of a client's key.
func NewKey(key, name string) Key { return Key{sha256.Sum256([]byte(key)), name} }

// ParseKeys reads one hexadecimal SHA-256 a line, and a name behind it if there is
// one. Empty lines and lines that start with # are skipped. Errors name the line and
// do not quote it.
func ParseKeys(r io.Reader) ([]Key, error) {
	var keys []Key
	scanner := bufio.NewScanner(r)
	for line := 1; scanner.Scan(); line++ {
		text := strings.TrimSpace(scanner.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		hash, name, _ := strings.Cut(text, " ")
		raw, err := hex.DecodeString(hash)
		if err != nil || len(raw) != sha256.Size {
			return nil, fmt.Errorf("line %d: want the SHA-256 of a key, 64 hexadecimal digits; 'printf %%s KEY | sha256sum' prints it", line)
		}
		keys = append(keys, Key{[sha256.Size]byte(raw), strings.Trim(name, " \t-")})
	}
	return keys, scanner.Err()
}

// guard knows the clients' keys and how much each may ask.
type guard struct {
	keys     []Key
	limiters []*rate.Limiter // one per key, at least one; nil: no limit
}

func newGuard(c Config) *guard {
	g := &guard{keys: c.Keys}
	if c.Rate > 0 {
		for range max(len(c.Keys), 1) {
			g.limiters = append(g.limiters, rate.NewLimiter(rate.Limit(c.Rate), c.Burst))
		}
	}
	return g
}

// admit checks the request's key and the rate of that key. It returns the key's name.
func (g *guard) admit(r *http.Request) (name string, err error) {
	client := 0
	if len(g.keys) > 0 {
		key := ClientKey(r.Header)
		if key == "" {
			return "", rejected(rejectedKey, http.StatusUnauthorized, "a key is needed: send the header 'Authorization: Bearer KEY'")
		}
		if client = g.find(key); client < 0 {
			return "", rejected(rejectedKey, http.StatusUnauthorized, "the key is not known here")
		}
		name = g.keys[client].Name
	}
	if g.limiters == nil {
		return name, nil
	}
	reservation := g.limiters[client].Reserve()
	if delay := reservation.Delay(); delay > 0 {
		reservation.Cancel()
		whose := "all clients together"
		if len(g.keys) > 0 {
			whose = "this key"
		}
		e := rejected(rejectedRate, http.StatusTooManyRequests, "too many requests: the limit of %s is %v per second; try again later", whose, float64(g.limiters[client].Limit()))
		e.RetryAfter = min(delay, time.Hour)
		return name, e
	}
	return name, nil
}

// ClientKey returns the key that a client sends as clients of OpenAI do (Authorization:
// Bearer KEY), or of Azure (api-key: KEY); "" if there is none.
func ClientKey(header http.Header) string {
	scheme, key, _ := strings.Cut(header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(key)
	}
	return header.Get("Api-Key")
}

// find compares with every key, in the same time wherever it is and whatever it is.
func (g *guard) find(key string) int {
	hash, found := sha256.Sum256([]byte(key)), -1
	for i := range g.keys {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], g.keys[i].Hash[:]), i, found)
	}
	return found
}
