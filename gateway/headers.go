package gateway

import (
	"net/textproto"
	"slices"
	"strings"
)

// The header fields that pass besides [Config.PassHeaders]; a name that ends in * is the
// beginning of names. docs/gateway.md has the policy.
var (
	passedUp   = []string{"User-Agent", "Traceparent", "Tracestate", "Openai-*"}
	passedUpK1 = []string{"Accept", "Idempotency-Key"} // of a call that is the client's own
	passedDown = []string{"Content-Type", "Content-Length", "Cache-Control", "X-Request-Id", "Retry-After", "Retry-After-Ms", "X-Ratelimit-*", "Openai-*"}
)

// chosenHeader tells which candidate was chosen.
const chosenHeader = "X-Rcvae-Chosen"

// neverPassed are fields that belong to one connection, or carry secrets.
var neverPassed = []string{
	"Authorization", "Proxy-*", "Cookie", "Set-Cookie", "Host", "Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	"Content-*", "Accept-Encoding", "Expect", "Access-Control-*", "X-Rcvae-*", "Www-Authenticate", "Api-Key", "X-Api-Key",
}

func matches(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		prefix, ok := strings.CutSuffix(p, "*")
		return p == name || ok && strings.HasPrefix(name, prefix)
	})
}

// checkPassed returns the names of a list that must not pass.
func checkPassed(list []string) (bad []string) {
	for _, name := range list {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		prefix := strings.TrimSuffix(canonical, "*")
		if prefix == "" || strings.ContainsAny(prefix, " *:,") || matches(prefix, neverPassed) {
			bad = append(bad, name)
		}
	}
	return bad
}
