package embed_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"rcvae"
	"rcvae/embed"
)

// TestUnwritableCacheCostsNoAnswer embeds after the table was dropped under the cache.
// What is computed is kept in memory, the file is left alone for a while, and is used
// again when it works again.
func TestUnwritableCacheCostsNoAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.sqlite")
	inner := &hashEmbedder{name: "hash"}
	c := open(t, path, inner)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("DROP TABLE vector"); err != nil {
		t.Fatal(err)
	}
	var told []error
	c.OnFault = func(err error) { told = append(told, err) }
	for range 3 {
		mustEmbed(t, c, numbered(3))
	}
	if inner.texts.Load() != 3 || c.Faults() != 2 || len(told) != 2 {
		t.Errorf("%d texts embedded, %d faults, told of %v, want 3 and 2: one read, one write", inner.texts.Load(), c.Faults(), told)
	}
	if !strings.Contains(c.Trouble(), path) || strings.Contains(c.Trouble(), "remove") {
		t.Errorf("Trouble() = %q, want the file, and no advice to remove what is whole", c.Trouble())
	}
}

// TestALockedCacheCostsNoAnswer embeds while another process holds the file's lock.
func TestALockedCacheCostsNoAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.sqlite")
	inner := &hashEmbedder{name: "hash"}
	c := open(t, path, inner)
	mustEmbed(t, c, numbered(3))
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := embed.Impatient(c); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		mustEmbed(t, c, numbered(6))
	}
	if inner.texts.Load() != 6 || !strings.Contains(c.Trouble(), "another process holds") {
		t.Errorf("%d texts embedded, trouble %q, want 6 and the lock", inner.texts.Load(), c.Trouble())
	}
}

// TestTroubleEnds: half a minute later the file is tried again.
func TestTroubleEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		flaky := &flakyStore{fail: true}
		c := embed.NewCacheForTest(&hashEmbedder{name: "hash"}, flaky.get, flaky.put)
		mustEmbed(t, c, numbered(2))
		flaky.fail = false
		mustEmbed(t, c, numbered(3))
		if flaky.calls != 2 || c.Trouble() == "" || c.Faults() != 2 {
			t.Errorf("%d uses of a store that failed a moment ago, trouble %q, %d faults, want 2, some and 2", flaky.calls, c.Trouble(), c.Faults())
		}
		synctest.Wait()
		embed.SleepPastPause()
		mustEmbed(t, c, numbered(4))
		if flaky.calls != 4 || c.Trouble() != "" {
			t.Errorf("%d uses, trouble %q, want it used again and none", flaky.calls, c.Trouble())
		}
	})
}

type flakyStore struct {
	fail  bool
	calls int
}

func (f *flakyStore) get() error { return f.use() }
func (f *flakyStore) put() error { return f.use() }

func (f *flakyStore) use() error {
	f.calls++
	if f.fail {
		return fmt.Errorf("no space left on device")
	}
	return nil
}

// flat returns unit vectors along the first axis.
type flat struct{ dimension, texts int }

func (f *flat) Fingerprint() rcvae.Fingerprint {
	return rcvae.Fingerprint{Name: "flat", Dimension: f.dimension, Normalized: true}
}

func (f *flat) Embed(_ context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	f.texts += len(texts)
	out := make([]rcvae.Embedding, len(texts))
	for i := range out {
		out[i] = make(rcvae.Embedding, f.dimension)
		out[i][0] = 1
	}
	return out, nil
}

// TestTheFileStaysWithinItsLimit embeds four times as much as fits: the oldest are
// forgotten, the newest kept, and the file does not grow.
func TestTheFileStaysWithinItsLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.sqlite")
	const limit, rows, chunk = 1 << 20, 4800, 100
	inner := &flat{dimension: 384}
	c, err := embed.OpenCacheLimited(path, limit, inner)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for from := 0; from < rows; from += chunk {
		if _, err := c.Embed(t.Context(), numbered(rows)[from:from+chunk]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Embed(t.Context(), numbered(rows)[rows-chunk:]); err != nil || inner.texts != rows {
		t.Errorf("the newest were embedded again: %d texts in all, %v, want %d", inner.texts, err, rows)
	}
	if _, err := c.Embed(t.Context(), numbered(rows)[:chunk]); err != nil || inner.texts != rows+chunk {
		t.Errorf("the oldest were kept: %d texts in all, %v, want %d", inner.texts, err, rows+chunk)
	}
	c.Close()
	if info, err := os.Stat(path); err != nil || info.Size() > limit+limit/2 {
		t.Errorf("the file has %d bytes, %v, want about %d", info.Size(), err, limit)
	}
	if c.Faults() != 0 {
		t.Errorf("%d faults", c.Faults())
	}
}

// TestFilesOfVersion1AreTaken: their rows are found.
func TestFilesOfVersion1AreTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.sqlite")
	c := open(t, path, &hashEmbedder{name: "hash"})
	mustEmbed(t, c, numbered(50))
	c.Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE embedding (embedder BLOB NOT NULL, text BLOB NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (embedder, text)) WITHOUT ROWID;
		INSERT INTO embedding SELECT embedder, text, value FROM vector; DROP TABLE vector; PRAGMA user_version=1`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	again := &hashEmbedder{name: "hash"}
	mustEmbed(t, open(t, path, again), numbered(50))
	if got := again.texts.Load(); got != 0 {
		t.Errorf("embedded %d texts again, want 0", got)
	}
}
