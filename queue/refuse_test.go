package queue

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae"
	"rcvae/embed"
)

// TestRefusals are workers that a coordinator does not want, each told why.
func TestRefusals(t *testing.T) {
	b := newBench(t)
	e := hashEmbedder{weights: "one"}
	c := b.coordinator(e, quick())
	defer c.Close()
	own := func(e rcvae.Embedder) Skill { return &EmbedSkill{Own: e} }
	for name, w := range map[string]struct {
		skill Skill
		build string
		want  string
	}{
		"another build":              {own(e), "newer", "build newer, the coordinator build test"},
		"another embedder":           {own(hashEmbedder{weights: "two"}), testBuild, "wants fingerprint"},
		"another function, one name": {own(hashEmbedder{weights: "one", salt: 7}), testBuild, "computes something else"},
		"no embedder to open": {&EmbedSkill{Open: func(context.Context, json.RawMessage, Bring) (rcvae.Embedder, error) {
			return nil, errors.New("no weights")
		}}, testBuild, "no weights"},
	} {
		worker, err := NewWorker(t.Context(), b.access, w.skill, WorkerOptions{Build: w.build})
		if err != nil {
			t.Fatal(err)
		}
		err = worker.Run(t.Context())
		if refusal, ok := errors.AsType[*Refusal](err); !ok || !strings.Contains(refusal.Reason, w.want) {
			t.Errorf("%s: %v, want a refusal with %q", name, err, w.want)
		}
	}
}

// TestOtherVersions greets a coordinator with messages that it does not speak.
func TestOtherVersions(t *testing.T) {
	b := newBench(t)
	c := b.coordinator(hashEmbedder{}, quick())
	defer c.Close()
	for _, hello := range []any{Hello{Version: Version + 1, Build: testBuild}, "hello"} {
		w := newWorker(&EmbedSkill{Own: hashEmbedder{}}, WorkerOptions{Build: testBuild})
		var err error
		if w.conn, err = b.server.connect(); err != nil {
			t.Fatal(err)
		}
		var plan Plan
		if err := w.request(t.Context(), planSubject(Embedding), hello, &plan); err != nil || plan.Refused == "" {
			t.Errorf("%v: %v, answered %+v, want it refused", hello, err, plan)
		}
		w.conn.nc.Close()
	}
}

// TestWrongToken tries without a token and with a wrong one, and exchanges the right one
// under a worker.
func TestWrongToken(t *testing.T) {
	b := newBench(t)
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"", wrong, wrong + ".missing"} {
		_, err := NewWorker(t.Context(), Access{URL: b.access.URL, TokenFile: file}, &EmbedSkill{Own: hashEmbedder{}}, WorkerOptions{Build: testBuild})
		if _, ok := errors.AsType[*Refusal](err); !ok && !errors.Is(err, errNoToken) {
			t.Errorf("token file %q: %v, want a refusal", file, err)
		}
	}
	info, err := os.Stat(b.listen.TokenFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token's file: %v, %v, want it readable by its owner alone", info.Mode(), err)
	}
	old := filepath.Join(t.TempDir(), "old")
	if data, err := os.ReadFile(b.listen.TokenFile); err != nil || os.WriteFile(old, data, 0o600) != nil {
		t.Fatal(err)
	}
	b.access.TokenFile = old
	w := b.worker(hashEmbedder{})
	if err := os.WriteFile(b.listen.TokenFile, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.server.Close()
	b.start()
	if err := w.ended(); err == nil || !strings.Contains(err.Error(), "lets nobody in") {
		t.Errorf("the worker with the old token ended with %v, want a refusal", err)
	}
}

// TestPermissions: a worker may not take results, purge streams or read what others say.
func TestPermissions(t *testing.T) {
	b := newBench(t)
	c := b.coordinator(hashEmbedder{}, quick())
	defer c.Close()
	conn, err := dial(t.Context(), b.access, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.nc.Close()
	for _, subject := range []string{"$JS.API.STREAM.PURGE.RCVAE_DONE", "$JS.API.STREAM.DELETE.RCVAE_EMBED", "$JS.API.CONSUMER.CREATE.RCVAE_DONE.x", "rcvae.embed.x.y.z"} {
		if err := conn.nc.Publish(subject, nil); err != nil {
			t.Fatal(err)
		}
		if err := conn.nc.Flush(); err != nil {
			t.Fatal(err)
		}
		if err := conn.nc.LastError(); err == nil || !strings.Contains(strings.ToLower(err.Error()), "permissions violation for publish to \""+strings.ToLower(subject)) {
			t.Errorf("publish to %s: %v, want it forbidden", subject, err)
		}
	}
}

func TestListenOptions(t *testing.T) {
	for name, o := range map[string]ListenOptions{
		"all addresses, no TLS": {Address: "0.0.0.0:0", TokenFile: "t", Store: "s"},
		"every address, no TLS": {Address: ":4222", TokenFile: "t", Store: "s"},
		"no port":               {Address: "127.0.0.1", TokenFile: "t", Store: "s"},
		"port out of range":     {Address: "127.0.0.1:70000", TokenFile: "t", Store: "s"},
		"no token":              {Address: "127.0.0.1:0", Store: "s"},
		"half of TLS":           {Address: "127.0.0.1:0", TokenFile: "t", Store: "s", Cert: "c"},
	} {
		if err := o.Validate(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	b := newBench(t)
	second := b.listen
	if _, err := Listen(second); err == nil || !strings.Contains(err.Error(), "name another address") {
		t.Errorf("a second server at one address: %v, want it said", err)
	}
	second.Address = "127.0.0.1:0"
	if _, err := Listen(second); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second server with one folder: %v, want it said", err)
	}
}

// TestFilesReachWorkers copies a folder through the queue, twice, and none out of its folder.
func TestFilesReachWorkers(t *testing.T) {
	source, dir := t.TempDir(), t.TempDir()
	content := strings.Repeat("weights ", 100_000)
	if err := os.WriteFile(filepath.Join(source, "w"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	e := hashEmbedder{}
	list := func() ([]File, error) { return []File{{Path: "sub/w", Source: filepath.Join(source, "w")}}, nil }
	c, err := NewCoordinator(t.Context(), b.server, Access{}, EmbedSpec(e, Run("x"), testBuild, json.RawMessage(`{}`), list), quick())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2 {
		b.skilled(&EmbedSkill{Open: func(ctx context.Context, _ json.RawMessage, bring Bring) (rcvae.Embedder, error) {
			return e, bring(ctx, dir)
		}})
	}
	if _, err := b.cache("", e, c).Embed(t.Context(), texts(100)); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "sub", "w")); err != nil || string(got) != content {
		t.Errorf("%d bytes came, %v, want %d", len(got), err, len(content))
	}
	for _, path := range []string{"../w", "/etc/w", ""} {
		if err := getFile(t.Context(), nil, File{Path: path}, dir); !errors.Is(err, errForeignPath) {
			t.Errorf("path %q: %v, want it refused", path, err)
		}
	}
}

// FuzzEmbedResult: every result is read as it was written, or is damaged.
func FuzzEmbedResult(f *testing.F) {
	e := hashEmbedder{}
	vectors, err := e.Embed(f.Context(), texts(2))
	if err != nil {
		f.Fatal(err)
	}
	r := embedResult{vectors: vectors, failed: []failedText{{embed.Key{9}, "why"}}, keys: []embed.Key{{1}, {2}}}
	f.Add(r.encode(8))
	f.Add(embedResult{}.encode(8))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeEmbedResult(data, 8)
		if err == nil && string(r.encode(8)) != string(data) {
			t.Error("it was read, and is written otherwise")
		}
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("the error %v is not ErrDamaged", err)
		}
	})
}

// TestDamagedResults flips every bit of a result: none is read.
func TestDamagedResults(t *testing.T) {
	vectors, err := hashEmbedder{}.Embed(t.Context(), texts(1))
	if err != nil {
		t.Fatal(err)
	}
	good := embedResult{vectors: vectors, keys: []embed.Key{{1}}, failed: []failedText{{embed.Key{2}, "why"}}}.encode(8)
	if _, err := decodeEmbedResult(good, 8); err != nil {
		t.Fatal(err)
	}
	for i := range 8 * len(good) {
		bad := []byte(string(good))
		bad[i/8] ^= 1 << (i % 8)
		if _, err := decodeEmbedResult(bad, 8); !errors.Is(err, ErrDamaged) {
			t.Errorf("bit %d: %v, want ErrDamaged", i, err)
		}
	}
	for n := range good {
		if _, err := decodeEmbedResult(good[:n], 8); !errors.Is(err, ErrDamaged) {
			t.Errorf("%d bytes: %v, want ErrDamaged", n, err)
		}
	}
	long := hashEmbedder{dimension: 8}
	twice, _ := long.Embed(t.Context(), texts(1))
	twice[0][0] *= 3
	if _, err := decodeEmbedResult(embedResult{vectors: twice, keys: []embed.Key{{1}}}.encode(8), 8); !errors.Is(err, ErrDamaged) {
		t.Errorf("a vector that has not unit length: %v, want ErrDamaged", err)
	}
}
