// Package llm draws solutions from language models behind OpenAI-compatible
// servers: vLLM, SGLang, OpenAI, llama.cpp, Ollama, llama-cpp-python, TGI and others.
//
// [Upstream] speaks to one server. It asks for k choices in one request where the
// server honours n and in several where it does not, which answers show; it retries,
// counts tokens and survives the failure of a part. [Sampler] adds sampling settings
// and a prompt template and implements [rcvae.Sampler].
package llm

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Options configures an [Upstream].
type Options struct {
	URL         string            // base, for example "http://127.0.0.1:8080/v1"; a missing path becomes /v1, the path "/." is none; a query goes along with every call
	Key         string            // bearer key of the server; may be empty
	Concurrency int               // calls at once, all questions together
	Timeout     time.Duration     // of one call, its retries not included; a call that times out is not repeated
	Retries     int               // of one call, after errors that pass
	RetryFor    time.Duration     // a server that is away, or restarts, is asked again for as long, whatever Retries is
	LongestWait time.Duration     // that one call waits in all because the server asks for it (Retry-After); beyond, the error is returned
	RepeatCut   bool              // an answer that stopped in its middle is asked for again; the server may bill both
	Transport   http.RoundTripper // nil: one tuned for many connections to one host
}

// DefaultOptions returns the options for the server at url.
func DefaultOptions(url string) Options {
	return Options{URL: url, Concurrency: 8, Timeout: 10 * time.Minute, Retries: 4, LongestWait: time.Minute}
}

// Validate reports every bad field at once.
func (o Options) Validate() error {
	var errs []error
	if _, _, err := baseURL(o.URL); err != nil {
		errs = append(errs, err)
	}
	if strings.ContainsAny(o.Key, "\r\n") {
		errs = append(errs, errors.New("the upstream key contains a line break"))
	}
	if o.Concurrency < 1 {
		errs = append(errs, fmt.Errorf("concurrency is %d, want at least 1", o.Concurrency))
	}
	if o.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout is %v, want more than 0", o.Timeout))
	}
	if o.Retries < 0 || o.RetryFor < 0 || o.LongestWait < 0 {
		errs = append(errs, fmt.Errorf("retries is %d, retry-for %v and longest-wait %v, want at least 0", o.Retries, o.RetryFor, o.LongestWait))
	}
	return errors.Join(errs...)
}

// baseURL returns the URL that the paths of the API are appended to, and the query of
// every call.
func baseURL(text string) (base string, query url.Values, err error) {
	u, err := url.Parse(text)
	if !strings.Contains(text, "://") {
		return "", nil, fmt.Errorf("upstream URL %q: write http://%s, or https://", text, text)
	}
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("upstream URL: %w", err)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return "", nil, fmt.Errorf("upstream URL %q: want one like http://127.0.0.1:8080/v1", text)
	case u.Fragment != "" || u.User != nil || secretInQuery.MatchString(u.RawQuery):
		return "", nil, errors.New("upstream URL: a fragment, a user, or a key in the query is not supported; the key is set by RCVAE_UPSTREAM_KEY")
	}
	path := strings.TrimRight(u.Path, "/")
	for _, end := range []string{ChatPath, CompletionPath, EmbeddingPath, ModelsPath} {
		if base, ok := strings.CutSuffix(path, end); ok {
			return "", nil, fmt.Errorf("upstream URL %q: leave out %s, which is added; want %s", text, end, u.Scheme+"://"+u.Host+base)
		}
	}
	switch path {
	case "":
		path = "/v1"
	case "/.": // an API at the root
		path = ""
	}
	query = u.Query()
	u.Path, u.RawPath, u.RawQuery = path, "", ""
	return u.String(), query, nil
}

// secretInQuery finds fields of a query that hold what others must not see: command
// lines are seen.
var secretInQuery = regexp.MustCompile(`(?i)(^|&)[^=&]*(key|token|secret|password|sig)[^=&]*=`)

// Upstream speaks to one server. It is safe for concurrent use and remembers how
// the server behaves, model by model.
type Upstream struct {
	options   Options
	base      string
	query     url.Values // of every call
	transport http.RoundTripper
	slots     chan struct{} // one element per call under way
	profiles  profiles
}

// New returns an Upstream. It opens no connection.
func New(o Options) (*Upstream, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("upstream: %w", err)
	}
	base, query, _ := baseURL(o.URL) // validated
	u := &Upstream{options: o, base: base, query: query, transport: o.Transport, slots: make(chan struct{}, o.Concurrency)}
	if u.transport == nil {
		u.transport = newTransport()
	}
	return u, nil
}

// URL returns the server's base URL without its query, for messages.
func (u *Upstream) URL() string { return u.base }

// newTransport returns a transport that keeps many connections to one host open. It
// has no time limit of its own: each call has one.
func newTransport() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, 512
	return transport
}
