package edge

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// checkHost refuses names that are not this service's. A web page can let a name of
// its own point to this machine and then read the answers (DNS rebinding); addresses,
// and names that no stranger can own, are safe. With client keys there is nothing to
// gain, so only a list that was given counts.
func (e *Edge) checkHost(r *http.Request) error {
	name := hostName(r.Host)
	if len(e.config.AllowHosts) == 0 && len(e.config.Keys) > 0 || localName(name) || name == e.machine {
		return nil
	}
	for _, allowed := range e.config.AllowHosts {
		allowed = strings.ToLower(allowed)
		if allowed == "*" || allowed == name || strings.HasPrefix(allowed, ".") && strings.HasSuffix(name, allowed) {
			return nil
		}
	}
	return rejected(rejectedHost, http.StatusForbidden, "the Host %q is not one of this gateway's names; start it with --allow-host %s", name, name)
}

// hostName returns a Host without port, brackets and final dot, in lower case.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
}

// localName reports whether a host is an address, or a name that public DNS does not
// give out.
func localName(name string) bool {
	if name == "" || net.ParseIP(name) != nil || !strings.Contains(name, ".") {
		return true
	}
	return slices.ContainsFunc([]string{".localhost", ".local", ".internal"}, func(end string) bool { return strings.HasSuffix(name, end) })
}

// checkOrigin refuses requests that a foreign web page makes.
func (e *Edge) checkOrigin(r *http.Request) error {
	origin := r.Header.Get("Origin")
	switch {
	case origin == "" && r.Header.Get("Sec-Fetch-Site") != "cross-site", e.originAllowed(origin):
		return nil
	case origin == "":
		return rejected(rejectedOrigin, http.StatusForbidden, "a page of another site asked; start the gateway with --cors ORIGIN to allow it")
	}
	if u, err := url.Parse(origin); err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) {
		return nil
	}
	return rejected(rejectedOrigin, http.StatusForbidden, "pages of %q may not use this gateway; start it with --cors %s to allow them", origin, origin)
}

func (e *Edge) originAllowed(origin string) bool {
	return slices.Contains(e.config.Origins, "*") || origin != "" && slices.Contains(e.config.Origins, origin)
}

// allowedHeaders are those that pages may send besides the prefixes.
var (
	allowedHeaders  = []string{"authorization", "api-key", "content-type", "accept", "user-agent", "x-rcvae-k", "x-request-id", "idempotency-key", "traceparent", "tracestate"}
	allowedPrefixes = []string{"x-stainless-", "openai-"} // of the official client
)

// exposed are the fields of an answer that pages may read.
const exposed = "X-RCVAE-Chosen, X-RCVAE-Request-Id, X-Request-Id, Retry-After, Retry-After-Ms, OpenAI-Processing-Ms, " +
	"X-RateLimit-Limit-Requests, X-RateLimit-Limit-Tokens, X-RateLimit-Remaining-Requests, X-RateLimit-Remaining-Tokens, X-RateLimit-Reset-Requests, X-RateLimit-Reset-Tokens"

// cors answers a browser's questions when its origin is allowed, and reports whether
// the request is done with.
func (e *Edge) cors(w http.ResponseWriter, r *http.Request) (done bool) {
	origin := r.Header.Get("Origin")
	if origin == "" || len(e.config.Origins) == 0 {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if !e.originAllowed(origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", exposed)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", strings.Join(pageHeaders(r.Header.Get("Access-Control-Request-Headers")), ", "))
	h.Set("Access-Control-Max-Age", "600")
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// pageHeaders returns the headers that pages may send, with those of the asked that
// have an allowed prefix.
func pageHeaders(asked string) []string {
	list := slices.Clone(allowedHeaders)
	for name := range strings.SplitSeq(asked, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		if slices.ContainsFunc(allowedPrefixes, func(p string) bool { return strings.HasPrefix(name, p) }) && isToken(name) {
			list = append(list, name)
		}
	}
	return list
}

func isToken(name string) bool {
	return len(name) < 64 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
