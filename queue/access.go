package queue

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Access says how a NATS server is reached.
type Access struct {
	URL       string // nats://HOST:PORT or tls://HOST:PORT
	TokenFile string // a token, or NATS credentials; empty: none
	CA        string // PEM file of the authority that signed the server's certificate; empty: the system's
	Name      string // of this process, for people
}

// Refusal is an error that trying again does not mend: the other side says no.
type Refusal struct{ Reason string }

// Error implements error.
func (r *Refusal) Error() string { return r.Reason }

func refusef(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

// reconnectWait is how long a server that is away is left alone.
const reconnectWait = 2 * time.Second

// Validate reports what is wrong with the URL: secrets stand in files, and go to other
// machines over TLS alone.
func (a Access) Validate() error {
	u, err := url.Parse(a.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls":
		return fmt.Errorf("the queue's URL %q: want nats://HOST:PORT or tls://HOST:PORT", a.URL)
	case u.User != nil:
		return fmt.Errorf("the queue's URL holds a secret: put it into a file")
	case a.TokenFile != "" && u.Scheme == "nats" && a.CA == "" && !Loopback(u.Hostname()):
		return fmt.Errorf("the token would go to %s in the clear: write tls://%s", u.Host, u.Host)
	}
	return nil
}

// Loopback reports whether a host is this machine, reached by nobody else.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// conn is a connection to a server, or to the one in this process.
type conn struct {
	nc *nats.Conn
	js jetstream.JetStream
}

// dial connects, waiting as long as nobody answers. It is refused when the server answers
// and lets nobody in with this token.
func dial(ctx context.Context, a Access, say func(string)) (*conn, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	options, err := a.options(say)
	if err != nil {
		return nil, err
	}
	for told := false; ; {
		nc, err := nats.Connect(a.URL, options...)
		if err == nil {
			return newConn(nc)
		}
		if r := a.refusal(err); r != nil {
			return nil, r
		}
		if !told {
			told = true
			say(fmt.Sprintf("waiting for %s: %v", a.URL, err))
		}
		if err := pause(ctx, reconnectWait); err != nil {
			return nil, err
		}
	}
}

func newConn(nc *nats.Conn) (*conn, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("open JetStream: %w", err)
	}
	return &conn{nc, js}, nil
}

// refusal returns the error of a server that does not want this client, nil for others.
func (a Access) refusal(err error) error {
	switch {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		what := "without a token"
		if a.TokenFile != "" {
			what = "with the token in " + a.TokenFile
		}
		return refusef("%s lets nobody in %s (%v): copy the coordinator's token file", a.URL, what, err)
	case err != nil && (strings.Contains(err.Error(), "x509:") || errors.Is(err, nats.ErrSecureConnRequired) || errors.Is(err, nats.ErrSecureConnWanted)):
		return refusef("%s: %v: name the authority of its certificate with --tls-ca", a.URL, err)
	case errors.Is(err, errNoToken):
		return &Refusal{err.Error()}
	}
	return nil
}

var errNoToken = errors.New("read the token")

// unheard takes the errors that come with no call; those that matter come back elsewhere.
// Without it they are printed.
func unheard(*nats.Conn, *nats.Subscription, error) {}

func (a Access) options(say func(string)) ([]nats.Option, error) {
	options := []nats.Option{
		nats.Name(a.Name), nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait), nats.Timeout(10 * time.Second),
		nats.ErrorHandler(unheard),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				say(fmt.Sprintf("lost %s (%v): trying again until it is back", a.URL, err))
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { say("connected to " + a.URL + " again") }),
	}
	if strings.HasPrefix(a.URL, "tls://") || a.CA != "" {
		options = append(options, nats.Secure())
	}
	if a.CA != "" {
		options = append(options, nats.RootCAs(a.CA))
	}
	if a.TokenFile == "" {
		return options, nil
	}
	token, err := ReadToken(a.TokenFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; the coordinator makes it when it starts: copy its file here", err)
	}
	if err != nil {
		return nil, err
	}
	if strings.Contains(token, "BEGIN NATS USER JWT") {
		return append(options, nats.UserCredentials(a.TokenFile)), nil
	}
	// Read at every connection: the file may have a new one by then.
	return append(options, nats.TokenHandler(func() string {
		if fresh, err := ReadToken(a.TokenFile); err == nil {
			token = fresh
		}
		return token
	})), nil
}

// maxToken bounds a token file, in bytes.
const maxToken = 64 << 10

// ReadToken returns the token in a file, without white space around it.
func ReadToken(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoToken, err)
	}
	if info.Size() > maxToken {
		return "", fmt.Errorf("%w: %s is larger than %d KiB; is it a token?", errNoToken, path, maxToken>>10)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoToken, err)
	}
	token := strings.TrimSpace(string(data))
	if token == "" {
		return "", fmt.Errorf("%w: %s is empty; remove it, and the coordinator makes one", errNoToken, path)
	}
	return token, nil
}

// pause waits, or returns the context's error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
