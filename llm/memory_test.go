package llm_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"

	"rcvae/llm"
	"rcvae/rcvaetest"
)

// memoryTransport calls a handler without a network, so that synctest can turn the
// clock: goroutines that wait for a socket would stop it.
type memoryTransport struct{ handler http.Handler }

func (m memoryTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	reader, writer := io.Pipe()
	w := &memoryWriter{header: http.Header{}, started: make(chan struct{}), body: writer}
	incoming := httptest.NewRequestWithContext(request.Context(), request.Method, request.URL.Path, request.Body)
	incoming.Header = request.Header.Clone()
	go func() {
		defer func() {
			if recover() != nil {
				_ = writer.CloseWithError(syscall.ECONNRESET)
				w.fail.Do(func() { close(w.started) })
				return
			}
			w.WriteHeader(http.StatusOK)
			_ = writer.Close()
		}()
		m.handler.ServeHTTP(w, incoming)
	}()
	select {
	case <-w.started:
	case <-request.Context().Done():
		_ = reader.CloseWithError(request.Context().Err())
		return nil, request.Context().Err()
	}
	if w.status == 0 {
		return nil, syscall.ECONNRESET
	}
	return &http.Response{StatusCode: w.status, Header: w.header, Body: reader, Request: request}, nil
}

type memoryWriter struct {
	header  http.Header
	status  int
	started chan struct{}
	fail    sync.Once
	body    *io.PipeWriter
}

func (w *memoryWriter) Header() http.Header { return w.header }

func (w *memoryWriter) WriteHeader(status int) {
	w.fail.Do(func() {
		w.status = status
		close(w.started)
	})
}

func (w *memoryWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// inMemory returns an upstream whose server plays the script in memory.
func inMemory(t *testing.T, script rcvaetest.Script, change func(*llm.Options)) (*rcvaetest.OpenAI, *llm.Upstream) {
	t.Helper()
	server := rcvaetest.NewOpenAI(script)
	options := llm.DefaultOptions("http://scripted.test")
	options.Transport = memoryTransport{server}
	if change != nil {
		change(&options)
	}
	u, err := llm.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return server, u
}
