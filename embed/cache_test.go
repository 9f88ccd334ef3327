package embed_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"rcvae"
	"rcvae/embed"
	"rcvae/internal/half"
)

// hashEmbedder maps each text to a pseudo-random unit vector and counts its work.
type hashEmbedder struct {
	name      string
	weights   string
	texts     atomic.Int64
	inContext bool
	onEmbed   func() // called before each batch
	failWith  error
}

const hashDimension = 8

func (h *hashEmbedder) Fingerprint() rcvae.Fingerprint {
	return rcvae.Fingerprint{Name: h.name, Weights: h.weights, Dimension: hashDimension, InContext: h.inContext, Normalized: true}
}

func (h *hashEmbedder) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	if h.onEmbed != nil {
		h.onEmbed()
	}
	if err := errors.Join(ctx.Err(), h.failWith); err != nil {
		return nil, err
	}
	h.texts.Add(int64(len(texts)))
	out := make([]rcvae.Embedding, len(texts))
	for i, t := range texts {
		out[i] = vectorOf(t.Text)
	}
	return out, nil
}

// kept is what a cache makes of a vector: half precision, and unit length.
func kept(e rcvae.Embedding) rcvae.Embedding {
	out, square := make(rcvae.Embedding, len(e)), 0.0
	for i, v := range e {
		out[i] = half.Float32(half.FromFloat32(v))
		square += float64(float64(out[i]) * float64(out[i]))
	}
	for i := range out {
		out[i] = float32(float64(out[i]) * (1 / math.Sqrt(square)))
	}
	return out
}

func vectorOf(text string) rcvae.Embedding {
	h := fnv.New64a()
	h.Write([]byte(text))
	rng := rand.New(rand.NewPCG(h.Sum64(), 1))
	e := make(rcvae.Embedding, hashDimension)
	var square float64
	for i := range e {
		e[i] = float32(rng.NormFloat64())
		square += float64(e[i]) * float64(e[i])
	}
	for i := range e {
		e[i] /= float32(math.Sqrt(square))
	}
	return e
}

func texts(list ...string) []rcvae.Text {
	out := make([]rcvae.Text, len(list))
	for i, text := range list {
		out[i] = rcvae.Text{Role: rcvae.RoleSolution, Text: text}
	}
	return out
}

func numbered(n int) []rcvae.Text {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("text %d", i)
	}
	return texts(list...)
}

func open(t *testing.T, path string, inner rcvae.Embedder) *embed.Cache {
	t.Helper()
	c, err := embed.OpenCache(path, inner)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func mustEmbed(t *testing.T, c *embed.Cache, texts []rcvae.Text) []rcvae.Embedding {
	t.Helper()
	got, err := c.Embed(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		if want := kept(vectorOf(text.Text)); !slices.Equal(got[i], want) {
			t.Fatalf("embedding of %q = %v, want %v", text.Text, got[i], want)
		}
	}
	return got
}

func TestCacheAnswersEachTextOnce(t *testing.T) {
	for name, path := range map[string]string{"memory": "", "file": filepath.Join(t.TempDir(), "c.sqlite")} {
		t.Run(name, func(t *testing.T) {
			inner := &hashEmbedder{name: "hash"}
			c := open(t, path, inner)
			mustEmbed(t, c, texts("a", "b", "a", "", "b"))
			if got := inner.texts.Load(); got != 3 {
				t.Errorf("embedded %d texts, want 3: repetitions count once", got)
			}
			mustEmbed(t, c, texts("", "c", "a"))
			if got := inner.texts.Load(); got != 4 {
				t.Errorf("embedded %d texts in all, want 4: only %q was new", got, "c")
			}
		})
	}
}

func TestCacheOutlivesTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "with space & 100%?.sqlite")
	first := open(t, path, &hashEmbedder{name: "hash"})
	mustEmbed(t, first, numbered(300))
	first.Close()
	again := &hashEmbedder{name: "hash"}
	mustEmbed(t, open(t, path, again), numbered(300))
	if got := again.texts.Load(); got != 0 {
		t.Errorf("embedded %d texts again, want 0", got)
	}
	other := &hashEmbedder{name: "another", weights: "others"}
	mustEmbed(t, open(t, path, other), numbered(10))
	if got := other.texts.Load(); got != 10 {
		t.Errorf("another embedder computed %d of 10 texts, want all: vectors belong to one fingerprint", got)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the cache is not where it was asked for: %v", err)
	}
}

func TestInterruptedWorkContinues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.sqlite")
	ctx, cancel := context.WithCancel(t.Context())
	batches := 0
	inner := &hashEmbedder{name: "hash", onEmbed: func() {
		if batches++; batches == 3 {
			cancel()
		}
	}}
	c := open(t, path, inner)
	if _, err := c.Embed(ctx, numbered(1000)); !errors.Is(err, context.Canceled) {
		t.Fatalf("Embed = %v, want context.Canceled", err)
	}
	done := inner.texts.Load()
	if done == 0 || done == 1000 {
		t.Fatalf("%d texts done when interrupted, want some", done)
	}
	inner.onEmbed = nil
	var first int
	c.Progress = func(done, _ int) {
		if first == 0 {
			first = done
		}
	}
	mustEmbed(t, c, numbered(1000))
	if got := inner.texts.Load(); got != 1000 {
		t.Errorf("embedded %d texts in all, want 1000: what was done is kept", got)
	}
	if int64(first) != done {
		t.Errorf("first progress = %d, want %d", first, done)
	}
}

func TestDamagedRowIsAMiss(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.sqlite")
	c := open(t, path, &hashEmbedder{name: "hash"})
	mustEmbed(t, c, numbered(5))
	c.Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	// Swap two vectors, cut one, and change a byte in the others.
	for _, statement := range []string{
		`UPDATE vector SET value = (SELECT e.value FROM vector e WHERE e.text <> vector.text LIMIT 1) WHERE text = (SELECT text FROM vector LIMIT 1)`,
		`UPDATE vector SET value = substr(value, 1, 11) WHERE text = (SELECT text FROM vector LIMIT 1 OFFSET 1)`,
		`UPDATE vector SET value = CAST(substr(value, 1, 4) || x'77' || substr(value, 6) AS BLOB) WHERE text = (SELECT text FROM vector LIMIT 1 OFFSET 2)`,
		`UPDATE vector SET value = CAST(x'02' || substr(value, 2) AS BLOB) WHERE text = (SELECT text FROM vector LIMIT 1 OFFSET 3)`, // another form
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	again := &hashEmbedder{name: "hash"}
	c = open(t, path, again)
	mustEmbed(t, c, numbered(5))
	if got := again.texts.Load(); got != 4 {
		t.Errorf("embedded %d texts, want the 4 damaged ones", got)
	}
	mustEmbed(t, c, numbered(5))
	if got := again.texts.Load(); got != 4 {
		t.Errorf("embedded %d texts in all, want 4: damaged rows are replaced", got)
	}
}

// TestDamagedFileCostsNoAnswer overwrites everything but the first page.
func TestDamagedFileCostsNoAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.sqlite")
	c := open(t, path, &hashEmbedder{name: "hash"})
	mustEmbed(t, c, numbered(1000))
	c.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(data); i++ {
		data[i] = 0xa5
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	c, err = embed.OpenCache(path, &hashEmbedder{name: "hash"})
	if err != nil {
		if !strings.Contains(err.Error(), path) {
			t.Errorf("error %v does not name the file", err)
		}
		return
	}
	defer c.Close()
	var faults []error
	c.OnFault = func(err error) { faults = append(faults, err) }
	mustEmbed(t, c, numbered(1000))
	if len(faults) == 0 || int(c.Faults()) != len(faults) || !strings.Contains(faults[0].Error(), path) {
		t.Errorf("%d faults counted, told of %v, want some that name the file", c.Faults(), faults)
	}
}

// TestRolesAreApart: a text has one vector per role, and in context one per question.
func TestRolesAreApart(t *testing.T) {
	inner := &hashEmbedder{name: "hash"}
	c := open(t, "", inner)
	q, r := rcvae.Text{Text: "7"}, rcvae.Text{Role: rcvae.RoleSolution, Text: "7", Question: "3 + 4?"}
	other := r
	other.Question = "8 - 1?"
	mustEmbed(t, c, []rcvae.Text{q, r, other})
	if got := inner.texts.Load(); got != 2 {
		t.Errorf("embedded %d texts, want 2: the question does not enter the solution's embedding", got)
	}
	context := &hashEmbedder{name: "hash", inContext: true}
	c = open(t, "", context)
	mustEmbed(t, c, []rcvae.Text{q, r, other, r})
	if got := context.texts.Load(); got != 3 {
		t.Errorf("embedded %d texts in context, want 3", got)
	}
}

// TestCallersOwnTheirVectors changes a returned vector and asks again.
func TestCallersOwnTheirVectors(t *testing.T) {
	c := open(t, "", &hashEmbedder{name: "hash"})
	mustEmbed(t, c, texts("a", "a"))[0][0] = 99
	mustEmbed(t, c, texts("a", "a"))
}

// TestMemoryIsBounded embeds more texts than a cache without a file keeps.
func TestMemoryIsBounded(t *testing.T) {
	inner := &wide{dimension: 1 << 20} // 4 MiB a vector, 64 of them fit
	c := open(t, "", inner)
	for i := range 200 {
		if _, err := c.Embed(t.Context(), texts(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Embed(t.Context(), texts("199")); err != nil || inner.calls != 200 {
		t.Errorf("the newest text was embedded again: %d calls, %v", inner.calls, err)
	}
	if _, err := c.Embed(t.Context(), texts("0")); err != nil || inner.calls != 201 {
		t.Errorf("the oldest text was kept: %d calls, %v", inner.calls, err)
	}
}

// wide returns one and the same long vector.
type wide struct{ dimension, calls int }

func (w *wide) Fingerprint() rcvae.Fingerprint { return rcvae.Fingerprint{Dimension: w.dimension} }

func (w *wide) Embed(_ context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	w.calls++
	e := make(rcvae.Embedding, w.dimension)
	e[0] = 1
	return slices.Repeat([]rcvae.Embedding{e}, len(texts)), nil
}

func TestForeignFilesAreRejected(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, []byte("this is not a database, it is a text of some length\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(dir, "foreign.sqlite")
	db, err := sql.Open("sqlite", foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE people (name TEXT)"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	before := map[string][]byte{}
	for _, path := range []string{text, foreign} {
		if before[path], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{text, foreign, filepath.Join(dir, "no", "such", "folder.sqlite")} {
		if c, err := embed.OpenCache(path, &hashEmbedder{name: "hash"}); err == nil {
			c.Close()
			t.Errorf("OpenCache(%s) succeeded, want an error", filepath.Base(path))
		}
	}
	for path, want := range before {
		if got, err := os.ReadFile(path); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s was changed (%v)", filepath.Base(path), err)
		}
	}
}

func TestTwoCachesShareOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.sqlite")
	var group sync.WaitGroup
	for range 2 {
		c := open(t, path, &hashEmbedder{name: "hash"})
		for range 4 {
			group.Go(func() {
				if _, err := c.Embed(t.Context(), numbered(400)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	last := &hashEmbedder{name: "hash"}
	mustEmbed(t, open(t, path, last), numbered(400))
	if got := last.texts.Load(); got != 0 {
		t.Errorf("embedded %d texts, want 0", got)
	}
}

// wrong returns vectors of another dimension, or NaN.
type wrong struct {
	hashEmbedder
	vector rcvae.Embedding
}

func (w *wrong) Embed(_ context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	return slices.Repeat([]rcvae.Embedding{w.vector}, len(texts)), nil
}

func TestBadVectorsNeverEnter(t *testing.T) {
	nan := make(rcvae.Embedding, hashDimension)
	nan[3] = float32(math.NaN())
	long := make(rcvae.Embedding, hashDimension)
	long[0] = 7
	for name, vector := range map[string]rcvae.Embedding{"short": {1, 0}, "NaN": nan, "not of unit length": long} {
		c := open(t, "", &wrong{vector: vector})
		if _, err := c.Embed(t.Context(), texts("a")); err == nil {
			t.Errorf("%s: Embed succeeded, want an error", name)
		}
	}
}

func ExampleCache() {
	cache, err := embed.OpenCache("", &hashEmbedder{name: "hash"}) // "" keeps it in memory
	if err != nil {
		panic(err)
	}
	defer cache.Close()
	embeddings, err := cache.Embed(context.Background(), texts("one", "two", "one"))
	if err != nil {
		panic(err)
	}
	fmt.Println(len(embeddings), slices.Equal(embeddings[0], embeddings[2]))
	// Output: 3 true
}
