package queue

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rcvae"
)

// TestLeavingWorker asks a worker to leave while it has a chunk: it finishes that one, and
// another worker does the rest. Nothing is embedded twice.
func TestLeavingWorker(t *testing.T) {
	b := newBench(t)
	e := hashEmbedder{}
	c := b.coordinator(e, quick())
	defer c.Close()
	var embedded atomic.Int64
	var first *running
	var once sync.Once
	left := make(chan error, 1)
	counting := e
	counting.onTexts = func(_ context.Context, list []rcvae.Text) error {
		if strings.HasPrefix(list[0].Text, "text ") {
			embedded.Add(int64(len(list)))
			once.Do(func() {
				leaving := make(chan struct{})
				go func() {
					close(leaving)
					left <- first.stop()
					b.worker(e)
				}()
				<-leaving
			})
		}
		return nil
	}
	first = b.worker(counting)
	list := texts(300)
	got, err := b.cache("", e, c).Embed(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, e, list)
	if err := <-left; err != nil {
		t.Errorf("a worker that was asked to leave ended with %v", err)
	}
	if int(embedded.Load()) != first.Done() {
		t.Errorf("the worker embedded %d texts and delivered %d", embedded.Load(), first.Done())
	}
}

// certificate writes a certificate for the loopback and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestTLS embeds over TLS, and refuses a server whose certificate nobody knows.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	o := ListenOptions{Address: "127.0.0.1:0", TokenFile: filepath.Join(dir, "token"), Store: filepath.Join(dir, "store")}
	o.Cert, o.Key = certificate(t)
	server, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	if !strings.HasPrefix(server.URL(), "tls://") {
		t.Errorf("URL() = %s, want tls://", server.URL())
	}
	b := &bench{t: t, server: server, listen: o, access: Access{URL: server.URL(), TokenFile: o.TokenFile, CA: o.Cert}}
	e := hashEmbedder{}
	c := b.coordinator(e, quick())
	defer c.Close()
	b.worker(e)
	list := texts(100)
	got, err := b.cache("", e, c).Embed(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, e, list)
	_, err = dial(t.Context(), Access{URL: server.URL(), TokenFile: o.TokenFile}, func(string) {})
	if _, ok := errors.AsType[*Refusal](err); !ok || !strings.Contains(err.Error(), "--tls-ca") {
		t.Errorf("without the authority: %v, want a refusal that names --tls-ca", err)
	}
}
