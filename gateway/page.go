package gateway

import (
	_ "embed" // of the page
	"encoding/json"
	"net/http"
	"strings"

	"rcvae/gateway/edge"
)

//go:embed page/index.html
var pageHTML string

// page serves the page to try the gateway with. It is one file and loads nothing: the
// policy forbids every host but this one.
func (s *Server) page(w http.ResponseWriter, _ *http.Request, _ *edge.Exchange) error {
	settings, _ := json.Marshal(map[string]any{ // strings and numbers always encode, with < > & escaped
		"k": s.config.K, "maxK": s.config.MaxK, "selector": s.config.Selector, "selectors": s.ruleNames(), "key": len(s.config.Keys) > 0,
	})
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write([]byte(strings.Replace(pageHTML, `"SETTINGS"`, string(settings), 1))) // a client that has gone cannot be told
	return nil
}
