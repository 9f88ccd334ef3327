package llm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"rcvae/llm"
	"rcvae/rcvaetest"
)

// upstreamOf returns an upstream whose server is the handler, on the loopback.
func upstreamOf(t *testing.T, handler http.Handler) *llm.Upstream {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	u, err := llm.New(llm.DefaultOptions(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestBaseURL(t *testing.T) {
	for given, want := range map[string]string{
		"http://h:8080":              "http://h:8080/v1",
		"http://h:8080/":             "http://h:8080/v1",
		"http://h:8080/v1":           "http://h:8080/v1",
		"https://h/openai/v1/":       "https://h/openai/v1",
		"https://h/api/paas/v4":      "https://h/api/paas/v4",
		"https://h/.":                "https://h",
		"https://h/v1?api-version=2": "https://h/v1",
	} {
		u, err := llm.New(llm.DefaultOptions(given))
		if err != nil || u.URL() != want {
			t.Errorf("URL of %q = %q, %v, want %q", given, u.URL(), err, want)
		}
	}
}

func TestOptionsReportEveryBadField(t *testing.T) {
	for _, url := range []string{"", "localhost:8080", "ftp://h", "http://", "http://h/v1?key=1", "http://h/v1?v=1&access_token=secret", "http://h/v1#a", "http://user:secret@h", "http://h\x7f"} {
		if err := llm.DefaultOptions(url).Validate(); err == nil {
			t.Errorf("the URL %q is accepted", url)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error %q shows the password", err)
		}
	}
	err := llm.Options{URL: "x", Key: "a\nb", Retries: -1}.Validate()
	for _, part := range []string{"URL", "key", "concurrency", "timeout", "retries"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("Validate = %v, want %q in it", err, part)
		}
	}
	if _, err := llm.New(llm.Options{}); err == nil {
		t.Error("New accepts the zero Options")
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestBodiesCanBeReadAgain: without that, a transport gives up a POST on a connection that
// the server has closed meanwhile.
func TestBodiesCanBeReadAgain(t *testing.T) {
	for _, size := range []int{10, 1 << 20} {
		options := llm.DefaultOptions("http://scripted.test")
		options.Retries, options.Transport = 0, transportFunc(func(r *http.Request) (*http.Response, error) {
			first, _ := io.ReadAll(r.Body)
			again, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			if second, _ := io.ReadAll(again); len(first) < size || string(first) != string(second) || r.ContentLength != int64(len(first)) || !json.Valid(first) {
				t.Errorf("read %d and %d bytes of %d, want the same JSON twice", len(first), len(second), r.ContentLength)
			}
			return nil, io.ErrUnexpectedEOF
		})
		u, err := llm.New(options)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Repeat("x", size)
		_, _ = u.Forward(t.Context(), http.MethodPost, llm.ChatPath, nil, fmt.Appendf(nil, "{%q:1}", text)) //nolint:bodyclose // there is none
		_, _ = u.Draw(t.Context(), chat(t, text, `,"seed":1`))
	}
}

func TestForwardPassesBytesAndHeaders(t *testing.T) {
	server, u := start(t, rcvaetest.Script{Key: "k1"}, func(o *llm.Options) { o.Key = "k1" })
	const body = `{ "messages": [{"role":"user","content":"hi"}],  "x":1.50}`
	header := http.Header{"X-Trace": {"a", "b"}}
	response, err := u.Forward(t.Context(), http.MethodPost, llm.ChatPath, header, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(response.Body)
	response.Body.Close()
	call := server.Calls()[0]
	if response.StatusCode != http.StatusOK || !strings.Contains(string(answer), rcvaetest.Marker("hi")) {
		t.Errorf("status %d, answer %s", response.StatusCode, answer)
	}
	if string(call.Raw) != body || !slices.Equal(call.Header["X-Trace"], header["X-Trace"]) || call.Header.Get("Content-Type") != "application/json" {
		t.Errorf("the server got %q with %v", call.Raw, call.Header)
	}
	if len(header) != 1 {
		t.Errorf("the caller's header was changed: %v", header)
	}
	header.Set("Authorization", "Bearer other")
	_, err = u.Forward(t.Context(), http.MethodPost, llm.ChatPath, header, []byte(body)) //nolint:bodyclose // there is none with an error
	if status, ok := errors.AsType[*llm.StatusError](err); !ok || status.Status != http.StatusUnauthorized {
		t.Errorf("Forward = %v with another Authorization, want it passed and refused", err)
	}
}

func TestReady(t *testing.T) {
	server, u := start(t, rcvaetest.Script{Key: "k"}, func(o *llm.Options) { o.Key = "k" })
	if err := u.Ready(t.Context()); err != nil {
		t.Errorf("Ready() = %v", err)
	}
	if calls := server.Calls(); calls[0].Path != "/models" || calls[0].Method != http.MethodGet {
		t.Errorf("the call was %s %s", calls[0].Method, calls[0].Path)
	}
	for name, tt := range map[string]struct {
		status int
		ready  bool
	}{"loading": {503, false}, "wrong key": {401, false}, "forbidden": {403, true}, "no such list": {404, true}} {
		u := upstreamOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(tt.status) }))
		if err := u.Ready(t.Context()); (err == nil) != tt.ready {
			t.Errorf("%s: Ready() = %v, want ready: %v", name, err, tt.ready)
		}
	}
	gone, err := llm.New(llm.DefaultOptions("http://127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := gone.Ready(ctx); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("Ready() without a server = %v, want an error that names it", err)
	}
}
