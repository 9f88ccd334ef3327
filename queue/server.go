package queue

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"rcvae/internal/atomicfile"
)

// ListenOptions say how a [Server] listens.
type ListenOptions struct {
	Address   string // HOST:PORT; port 0 takes a free one
	TokenFile string // made with a new token, readable by its owner alone, when it is not there
	Cert, Key string // PEM files for TLS; both or none
	Store     string // folder of the streams, made when it is not there; one server at a time has it
	Sync      bool   // every message is on the disk before it is acknowledged: for results that are paid for
}

// Validate reports every bad field at once. Other machines may reach a server only with
// a token and over TLS.
func (o ListenOptions) Validate() error {
	var errs []error
	host, port, err := net.SplitHostPort(o.Address)
	if err != nil {
		errs = append(errs, fmt.Errorf("listen for workers on %q: want HOST:PORT", o.Address))
	} else if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		errs = append(errs, fmt.Errorf("listen for workers on %q: the port is no number from 0 to 65535", o.Address))
	}
	if (o.Cert == "") != (o.Key == "") {
		errs = append(errs, errors.New("TLS wants a certificate and its key: give both files"))
	}
	if err == nil && o.Cert == "" && !Loopback(host) {
		errs = append(errs, fmt.Errorf("listen for workers on %s: other machines reach it, and tokens and texts would travel in the clear: give a certificate and its key, or listen on 127.0.0.1", o.Address))
	}
	if o.TokenFile == "" || o.Store == "" {
		errs = append(errs, errors.New("listen for workers: name a token file and a folder"))
	}
	return errors.Join(errs...)
}

// maxPayload bounds one message, in bytes.
const maxPayload = 8 << 20

// Server is a NATS server with JetStream inside this process.
type Server struct {
	inner  *server.Server
	secret string // the token of this process
	store  string
	lock   *atomicfile.Lock
	scheme string
	log    *faultLog
}

// Listen starts a server.
func Listen(o ListenOptions) (*Server, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := makeToken(o.TokenFile); err != nil {
		return nil, err
	}
	if err := free(o.Address); err != nil {
		return nil, err
	}
	lock, err := lockStore(o.Store)
	if err != nil {
		return nil, err
	}
	s := &Server{secret: rand.Text(), store: o.Store, lock: lock, scheme: "nats", log: &faultLog{}}
	options, err := s.options(o)
	if err == nil {
		s.inner, err = server.NewServer(options)
	}
	if err != nil {
		lock.Release()
		return nil, fmt.Errorf("listen for workers on %s: %w", o.Address, err)
	}
	s.inner.SetLoggerV2(s.log, false, false, false)
	s.inner.Start()
	if !s.inner.ReadyForConnections(startTimeout) || !s.inner.JetStreamEnabled() {
		s.inner.Shutdown()
		lock.Release()
		return nil, fmt.Errorf("listen for workers on %s with the folder %s: %s", o.Address, o.Store, s.log.last())
	}
	return s, nil
}

// free returns why an address cannot be listened on: the server itself would not say.
func free(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen for workers: %w; name another address", err)
	}
	return listener.Close()
}

// startTimeout is long: a folder may hold a gigabyte of results.
const startTimeout = time.Minute

// lockStore makes a folder and takes it for this process.
func lockStore(dir string) (*atomicfile.Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the queue's folder: %w", err)
	}
	lock, err := atomicfile.Acquire(filepath.Join(dir, "queue"), "a coordinator of workers")
	if err != nil {
		return nil, fmt.Errorf("take the queue's folder %s: %w", dir, err)
	}
	return lock, nil
}

func (s *Server) options(o ListenOptions) (*server.Options, error) {
	host, port, _ := net.SplitHostPort(o.Address) // validated
	number, _ := strconv.Atoi(port)
	if number == 0 {
		number = server.RANDOM_PORT
	}
	options := &server.Options{
		ServerName: "rcvae", Host: host, Port: number, NoSigs: true, MaxPayload: maxPayload, DisableJetStreamBanner: true,
		JetStream: true, StoreDir: o.Store, SyncAlways: o.Sync, JetStreamMaxMemory: 256 << 20, JetStreamMaxStore: 1 << 40,
		CustomClientAuthentication: &gate{secret: s.secret, tokenFile: o.TokenFile},
	}
	if o.Cert == "" {
		return options, nil
	}
	pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	options.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	options.TLSTimeout, s.scheme = 10, "tls"
	return options, nil
}

// URL returns the address that workers connect to.
func (s *Server) URL() string { return s.scheme + "://" + s.inner.Addr().String() }

// failed returns an error when the server cannot write to its folder any more. It would not
// recover by itself when there is room again.
func (s *Server) failed() error {
	if s == nil {
		return nil
	}
	fault := s.log.disk()
	if fault == "" && !s.inner.JetStreamEnabled() {
		fault = "JetStream stopped, as it does when the disk is full"
	}
	if fault == "" {
		return nil
	}
	return fmt.Errorf("the queue cannot write to its folder %s: %s; make room and run the same command again: what is committed is kept", s.store, fault)
}

// connect returns a connection from this process that may do everything.
func (s *Server) connect() (*conn, error) {
	nc, err := nats.Connect("", nats.InProcessServer(s.inner), nats.Token(s.secret), nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait), nats.ErrorHandler(unheard))
	if err != nil {
		return nil, fmt.Errorf("connect to the queue in this process: %w", err)
	}
	return newConn(nc)
}

// Close stops the server. What is in its streams stays for the next one with this folder.
func (s *Server) Close() {
	s.inner.Shutdown()
	s.inner.WaitForShutdown()
	s.lock.Release()
}

// Discard stops the server and removes its folder: nothing in it is needed any more.
func (s *Server) Discard() error {
	s.Close()
	return os.RemoveAll(s.store)
}

// gate lets this process and workers in.
type gate struct{ secret, tokenFile string }

// Check implements [server.Authentication]. The token is read anew for every connection,
// so that another one in the file counts at once.
func (g *gate) Check(c server.ClientAuthentication) bool {
	given := []byte(c.GetOpts().Token)
	if subtle.ConstantTimeCompare(given, []byte(g.secret)) == 1 {
		return true
	}
	token, err := ReadToken(g.tokenFile)
	if err != nil || subtle.ConstantTimeCompare(given, []byte(token)) != 1 {
		return false
	}
	c.RegisterUser(&server.User{Username: "worker", Permissions: workerPermissions()})
	return true
}

// workerPermissions are pulling jobs, publishing results, asking for plans, telling that
// one is there, and reading files.
func workerPermissions() *server.Permissions {
	publish := []string{"rcvae.done.>", "rcvae.plan.*", "rcvae.prove.*", "$KV." + workersBucket + ".*", "$JS.ACK.>"}
	for _, k := range []Kind{Embedding, Sampling} {
		publish = append(publish, "$JS.API.CONSUMER.INFO."+k.stream()+".*", "$JS.API.CONSUMER.MSG.NEXT."+k.stream()+".*")
	}
	files := "OBJ_" + filesBucket
	publish = append(publish, "$JS.API.STREAM.INFO."+files, "$JS.API.STREAM.MSG.GET."+files, "$JS.API.DIRECT.GET."+files+".>",
		"$JS.API.CONSUMER.CREATE."+files+".>", "$JS.API.CONSUMER.DELETE."+files+".>", "$JS.FC."+files+".>")
	return &server.Permissions{Publish: &server.SubjectPermission{Allow: publish}, Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}}}
}

// makeToken writes a new token into the file if there is none.
func makeToken(path string) error {
	if _, err := os.Stat(path); err == nil {
		_, err = ReadToken(path)
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the token: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) { // another process was faster
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the token: %w", err)
	}
	_, err = file.WriteString(rand.Text() + "\n")
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("make the token: %w", errors.Join(err, os.Remove(path)))
	}
	return nil
}

// connectTo returns a connection to the server in this process or, without one, to another.
func connectTo(ctx context.Context, s *Server, a Access, say func(string)) (*conn, error) {
	if s != nil {
		return s.connect()
	}
	return dial(ctx, a, say)
}
