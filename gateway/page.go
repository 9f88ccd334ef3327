package gateway

import (
	_ "embed" // of the page
	"encoding/json"
	"net/http"
	"strings"

	"rcvae/gateway/edge"
	"rcvae/internal/style"
	"rcvae/signal"
)

//go:embed page/index.html
var pageHTML string

// page serves the page to try the gateway with. It is one file and loads nothing: the
// policy forbids every host but this one.
func (s *Server) page(w http.ResponseWriter, _ *http.Request, _ *edge.Exchange) error {
	type column struct {
		Name  string `json:"name"`
		About string `json:"about"`
	}
	var columns []column
	for _, c := range signal.Columns() {
		columns = append(columns, column{c.Name, c.Description})
	}
	settings, _ := json.Marshal(map[string]any{ // strings and numbers always encode, with < > & escaped
		"k": s.config.K, "maxK": s.config.MaxK, "selector": s.config.Selector, "selectors": s.parts.ruleNames(), "key": len(s.config.Keys) > 0, "signals": columns,
	})
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	page := strings.NewReplacer(`"SETTINGS"`, string(settings), `"STYLE"`, style.Base)
	_, _ = page.WriteString(w, pageHTML) // a client that has gone cannot be told
	return nil
}
