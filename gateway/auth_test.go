package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"rcvae/gateway/edge"
)

func TestKeys(t *testing.T) {
	s := start(t, func(s *setup) {
		s.config.Keys = []edge.Key{edge.NewKey("one", "Ann"), edge.NewKey("two", "")}
	})
	for name, test := range map[string]struct {
		header string
		status int
	}{
		"no key":         {"", 401},
		"another scheme": {"Basic one", 401},
		"a wrong key":    {"Bearer three", 401},
		"an empty key":   {"Bearer ", 401},
		"a prefix":       {"Bearer on", 401},
		"the first":      {"Bearer one", 200},
		"the second":     {"bearer two", 200},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.post(chat, ask("q"), "Authorization", test.header)
			if test.status != http.StatusOK {
				got.wantError(t, test.status)
				if got.header.Get("WWW-Authenticate") == "" {
					t.Error("401 without WWW-Authenticate")
				}
			} else if got.status != http.StatusOK {
				t.Errorf("status %d, want 200: %s", got.status, got.body)
			}
		})
	}
	if got := s.get("/healthz"); got.status != http.StatusOK {
		t.Errorf("healthz asks for a key: %d", got.status)
	}
}

func TestKeysStayOnTheirSide(t *testing.T) {
	for name, test := range map[string]struct {
		forward bool
		want    string
	}{"by default": {false, "Bearer upstream-key"}, "when asked": {true, "Bearer client-key"}} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(s *setup) {
				s.llm.Key, s.config.ForwardKeys = "upstream-key", test.forward
				s.config.Keys = []edge.Key{edge.NewKey("client-key", "")}
			})
			for _, k := range []string{"1", "3"} {
				got := s.post(chat, ask("q"), "Authorization", "Bearer client-key", "X-RCVAE-K", k, "Cookie", "a=b")
				for field, values := range got.header {
					if strings.Contains(strings.Join(values, ""), "upstream-key") || strings.Contains(string(got.body), "upstream-key") {
						t.Errorf("the client sees the upstream's key in %s", field)
					}
				}
			}
			for _, call := range s.upstream.CallsOf("q") {
				if got := call.Header.Get("Authorization"); got != test.want || call.Header.Get("Cookie") != "" {
					t.Errorf("the upstream got the key %q and the cookie %q, want %q and none", got, call.Header.Get("Cookie"), test.want)
				}
			}
		})
	}
}

func TestEachKeyHasItsRate(t *testing.T) {
	s := start(t, func(s *setup) {
		s.config.Keys = []edge.Key{edge.NewKey("one", ""), edge.NewKey("two", "")}
		s.config.Rate, s.config.Burst = 0.001, 2
	})
	for i, test := range []struct {
		key    string
		status int
	}{{"one", 200}, {"one", 200}, {"one", 429}, {"two", 200}, {"one", 429}} {
		got := s.post(chat, ask("q"), "Authorization", "Bearer "+test.key)
		if got.status != test.status {
			t.Errorf("request %d with key %s: %d, want %d", i+1, test.key, got.status, test.status)
		}
		if got.status == http.StatusTooManyRequests && got.header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
}
