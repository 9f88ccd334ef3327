// Package llm draws solutions from language models behind OpenAI-compatible
// servers: vLLM, SGLang, OpenAI, llama.cpp, Ollama, llama-cpp-python, TGI and others.
//
// [Upstream] speaks to one server. It asks for k choices in one request where the
// server honours n and in several where it does not, which it finds out itself; it
// retries, counts tokens and survives the failure of a part. [Sampler] adds sampling
// settings and a prompt template and implements [rcvae.Sampler].
package llm

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/failsafe-go/failsafe-go"
)

// Options configures an [Upstream].
type Options struct {
	URL         string        // base, for example "http://127.0.0.1:8080/v1"; a missing /v1 is added
	Key         string        // bearer key of the server; may be empty
	Concurrency int           // calls at once, all questions together
	Timeout     time.Duration // of one call, its retries not included; a call that times out is not repeated
	Retries     int           // of one call, after errors that pass
	Client      *http.Client  // nil: one tuned for many connections to one host
}

// DefaultOptions returns the options for the server at url.
func DefaultOptions(url string) Options {
	return Options{URL: url, Concurrency: 8, Timeout: 10 * time.Minute, Retries: 4}
}

// Validate reports every bad field at once.
func (o Options) Validate() error {
	var errs []error
	if _, err := baseURL(o.URL); err != nil {
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
	if o.Retries < 0 {
		errs = append(errs, fmt.Errorf("retries is %d, want at least 0", o.Retries))
	}
	return errors.Join(errs...)
}

// baseURL returns the URL that the paths of the API are appended to.
func baseURL(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", fmt.Errorf("upstream URL: %w", err)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return "", fmt.Errorf("upstream URL %q: want one like http://127.0.0.1:8080/v1", text)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return "", errors.New("upstream URL: a query, a fragment or a user is not supported; the key is set by RCVAE_UPSTREAM_KEY")
	}
	if path := strings.TrimRight(u.Path, "/"); path == "" {
		u.Path = "/v1"
	} else {
		u.Path = path
	}
	return u.String(), nil
}

// Upstream speaks to one server. It is safe for concurrent use and remembers how
// the server behaves, model by model.
type Upstream struct {
	options Options
	base    string
	client  *http.Client

	executor failsafe.Executor[any]
	slots    chan struct{} // one element a call under way
	memory   memory
}

// New returns an Upstream. It opens no connection.
func New(o Options) (*Upstream, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("upstream: %w", err)
	}
	base, _ := baseURL(o.URL) // validated
	u := &Upstream{options: o, base: base, client: o.Client, executor: newExecutor(o.Retries, o.Concurrency), slots: make(chan struct{}, o.Concurrency)}
	if u.client == nil {
		u.client = newClient()
	}
	return u, nil
}

// URL returns the server's base URL, for messages.
func (u *Upstream) URL() string { return u.base }

// newClient returns a client that keeps many connections to one host open. It has no
// timeout of its own: each call has one.
func newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, 512
	return &http.Client{Transport: transport}
}
