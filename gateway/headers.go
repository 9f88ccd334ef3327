package gateway

import (
	"context"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"rcvae/gateway/edge"
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

// upHeader returns what of a client's header goes to the upstream. own says that the
// call is the client's, and not one of several that are made for it.
func (s *Server) upHeader(ctx context.Context, from http.Header, x *edge.Exchange, own bool) http.Header {
	header := http.Header{"X-Request-Id": {x.ID}}
	for name, values := range from {
		if matches(name, passedUp) || matches(name, s.passed) || own && matches(name, passedUpK1) {
			header[name] = values
		}
	}
	if s.config.ForwardKeys {
		if value, ok := from["Authorization"]; ok {
			header["Authorization"] = value
		} else if key := edge.ClientKey(from); key != "" {
			header["Authorization"] = []string{"Bearer " + key}
		}
	}
	s.injectTrace(ctx, header)
	return header
}

// downHeader copies what of the upstream's header a client gets when the answer is the
// upstream's own.
func (s *Server) downHeader(to, from http.Header) {
	for name, values := range from {
		if matches(name, passedDown) || matches(name, s.passed) && !matches(name, neverPassed) {
			to[name] = values
		}
	}
}
