package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rcvae/gateway/edge"
)

// from asks for a completion with some header fields, in pairs; an empty value takes
// the field away, and "Host" is the name that the client uses.
func (s *stand) from(method string, fields ...string) reply {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+chat, strings.NewReader(ask("q")))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(fields); i += 2 {
		switch name, value := fields[i], fields[i+1]; {
		case name == "Host":
			request.Host = value
		case value == "":
			request.Header.Del(name)
		default:
			request.Header.Set(name, value)
		}
	}
	return s.send(request)
}

// TestAWebPageCannotSpendTheKey: what a browser sends for a page of another site, with
// and without asking first, and for a name that its owner let point here.
func TestAWebPageCannotSpendTheKey(t *testing.T) {
	s := start(t, func(*setup) {})
	for name, tt := range map[string]struct {
		fields []string
		status int
	}{
		"a simple request, text/plain":    {[]string{"Origin", "http://evil.example", "Content-Type", "text/plain"}, 403},
		"a simple request, no type":       {[]string{"Origin", "http://evil.example", "Content-Type", ""}, 403},
		"a form":                          {[]string{"Origin", "http://evil.example", "Content-Type", "application/x-www-form-urlencoded"}, 403},
		"JSON":                            {[]string{"Origin", "http://evil.example"}, 403},
		"a page without an origin":        {[]string{"Origin", "null"}, 403},
		"a cross-site request without it": {[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		"an old browser, text/plain":      {[]string{"Content-Type", "text/plain"}, 415},
		"an old browser, no type":         {[]string{"Content-Type", ""}, 415},
		"compressed":                      {[]string{"Content-Encoding", "gzip"}, 415},
		"a name that points here":         {[]string{"Host", "evil.example"}, 403},
		"the same with a port":            {[]string{"Host", "evil.example:8090", "Origin", "http://evil.example:8090"}, 403},
		"a name like localhost":           {[]string{"Host", "localhost.evil.example"}, 403},
		"an address as its beginning":     {[]string{"Host", "127.0.0.1.nip.io"}, 403},
		"localhost":                       {[]string{"Host", "localhost:8090"}, 200},
		"in capitals with a final dot":    {[]string{"Host", "LocalHost.:8090"}, 200},
		"an address":                      {[]string{"Host", "192.168.1.5:8090"}, 200},
		"an address of IPv6":              {[]string{"Host", "[::1]:8090"}, 200},
		"a name of a container":           {[]string{"Host", "rcvae:8090"}, 200},
		"a name of the local network":     {[]string{"Host", "box.local"}, 200},
		"the page at /":                   {[]string{"Host", "localhost:8090", "Origin", "http://localhost:8090", "Sec-Fetch-Site", "same-origin"}, 200},
		"JSON with a charset":             {[]string{"Content-Type", "application/json; charset=utf-8"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(s.upstream.CallsOf("q"))
			got := s.from(http.MethodPost, tt.fields...)
			if got.status != tt.status {
				t.Errorf("status %d, want %d: %s", got.status, tt.status, got.body)
			}
			if asked := len(s.upstream.CallsOf("q")) > before; asked != (tt.status == 200) {
				t.Errorf("the upstream was asked: %v", asked)
			}
			if got.header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("the answer may be read by a page of another site")
			}
		})
	}
}

func TestAllowedHosts(t *testing.T) {
	given := start(t, func(s *setup) { s.config.AllowHosts = []string{"llm.example.com", ".corp.example"} })
	for host, want := range map[string]int{"llm.example.com": 200, "LLM.example.com:443": 200, "a.corp.example": 200, "corp.example": 403, "evil.example": 403, "localhost": 200, "xllm.example.com": 403} {
		if got := given.from(http.MethodPost, "Host", host); got.status != want {
			t.Errorf("%s: status %d, want %d", host, got.status, want)
		}
	}
	keyed := start(t, func(s *setup) { s.config.Keys = []edge.Key{edge.NewKey("k", "")} })
	if got := keyed.from(http.MethodPost, "Host", "any.example", "Authorization", "Bearer k"); got.status != 200 {
		t.Errorf("with a key, any name: status %d, want 200", got.status)
	}
	all := start(t, func(s *setup) { s.config.AllowHosts = []string{"*"} })
	if got := all.from(http.MethodPost, "Host", "any.example"); got.status != 200 {
		t.Errorf("all names allowed: status %d, want 200", got.status)
	}
}

// TestTheOfficialClientInABrowser asks as openai-node does in a page.
func TestTheOfficialClientInABrowser(t *testing.T) {
	const asked = "authorization,content-type,x-stainless-os,x-stainless-lang,x-stainless-retry-count,x-stainless-timeout,openai-organization,x-evil"
	preflight := func(s *stand, origin string) reply {
		return s.from(http.MethodOptions, "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", asked, "Access-Control-Request-Private-Network", "true")
	}
	off := start(t, func(*setup) {})
	if got := preflight(off, "https://a.example"); got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("an origin is allowed by default")
	}
	for _, origins := range [][]string{{"https://a.example"}, {"*"}} {
		on := start(t, func(s *setup) { s.config.Origins = origins })
		got := preflight(on, "https://a.example")
		if got.status != http.StatusNoContent || got.header.Get("Access-Control-Allow-Origin") != "https://a.example" || got.header.Get("Access-Control-Allow-Private-Network") != "true" {
			t.Errorf("preflight: %d, %v, want 204 and the origin", got.status, got.header)
		}
		allowed := strings.Split(strings.ReplaceAll(got.header.Get("Access-Control-Allow-Headers"), " ", ""), ",")
		for name := range strings.SplitSeq(asked, ",") {
			if has := contains(allowed, name); has != (name != "x-evil") {
				t.Errorf("%s is allowed: %v", name, has)
			}
		}
		answer := on.from(http.MethodPost, "Origin", "https://a.example", "Sec-Fetch-Site", "cross-site")
		if answer.status != http.StatusOK || answer.header.Get("Access-Control-Allow-Origin") != "https://a.example" || !strings.Contains(answer.header.Get("Access-Control-Expose-Headers"), "X-Request-Id") {
			t.Errorf("a request of the origin: %d, %v", answer.status, answer.header)
		}
		if refused := on.from(http.MethodPost, "Origin", "https://a.example", "Content-Type", "text/plain"); refused.header.Get("Access-Control-Allow-Origin") == "" {
			t.Error("a page that may ask cannot read why it was refused")
		}
	}
	on := start(t, func(s *setup) { s.config.Origins = []string{"https://a.example"} })
	if got := preflight(on, "https://b.example"); got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("a foreign origin is allowed")
	}
}

func contains(list []string, name string) bool {
	for _, s := range list {
		if s == name {
			return true
		}
	}
	return false
}

// TestTLS serves HTTP/2 and HTTP/1.1 over TLS with the gateway's own server.
func TestTLS(t *testing.T) {
	cert, key, pool := certificate(t)
	s := start(t, func(s *setup) { s.config.TLSCert, s.config.TLSKey = cert, key })
	address, stop := s.listen()
	for _, version := range []string{"HTTP/2.0", "HTTP/1.1"} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: version == "HTTP/2.0"}
		client := &http.Client{Transport: transport}
		for _, body := range []string{ask("q"), ask("q", `"stream":true`), ask("q", `"rcvae":{"k":1}`)} {
			response, err := client.Post("https://"+address+chat, "application/json", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusOK || response.Proto != version {
				t.Errorf("%s: status %d over %s", version, response.StatusCode, response.Proto)
			}
		}
		transport.CloseIdleConnections()
	}
	if response, err := http.Post("https://"+address+chat, "application/json", strings.NewReader(ask("q"))); err == nil {
		response.Body.Close()
		t.Error("a client that does not know the certificate was answered")
	}
	if err := stop(); err != nil {
		t.Errorf("Serve() = %v", err)
	}
}

// TestSilenceOverHTTP2: a stream whose upstream is silent for longer than a write may
// take goes on, and a client that never finishes its handshake does not stay.
func TestSilenceOverHTTP2(t *testing.T) {
	cert, key, pool := certificate(t)
	const limit = 20 * time.Millisecond
	s := before(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"n\":1}\n\n")
		_ = http.NewResponseController(w).Flush()
		<-time.After(5 * limit) // the fault that is played, five times the deadline
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	}, func(s *setup) {
		s.config.TLSCert, s.config.TLSKey, s.config.WriteTimeout, s.config.HeaderTimeout = cert, key, limit, 50*time.Millisecond
	})
	address, stop := s.listen()
	defer stop() //nolint:errcheck // other tests look at it
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Post("https://"+address+chat, "application/json", strings.NewReader(ask("q", proxied, `"stream":true`)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || !strings.HasSuffix(string(body), "data: [DONE]\n\n") {
		t.Errorf("got %q, %v, want the whole stream", body, err)
	}
	conn := dial(t, address)
	if _, err := conn.Write([]byte{22, 3, 1}); err != nil { // the beginning of a handshake
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("the connection is still open: %v", err)
	}
}

// certificate makes one for the loopback, in PEM files.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "rcvae"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	pemCert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(cert, pemCert, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(pemCert)
	return cert, key, pool
}
