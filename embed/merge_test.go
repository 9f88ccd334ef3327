package embed_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/embed"
)

// rowsIn returns what a cache file holds, row by row, in the order of the keys.
func rowsIn(t *testing.T, path string) (rows []string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	found, err := db.Query("SELECT hex(embedder), hex(text), hex(value) FROM vector ORDER BY embedder, text")
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		var embedder, text, value string
		if err := found.Scan(&embedder, &text, &value); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, embedder+text+value)
	}
	return rows
}

// damage changes a byte of the values of the first n rows.
func damage(t *testing.T, path string, n int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE vector SET value = CAST(x'ff' || substr(value, 2) AS BLOB) WHERE id <= ?", n); err != nil {
		t.Fatal(err)
	}
}

// TestMergedCachesAreThatOfOneProcess: parts that overlap, by two embedders.
func TestMergedCachesAreThatOfOneProcess(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	one, other := &hashEmbedder{name: "a", weights: "a"}, &hashEmbedder{name: "b", weights: "b"}
	texts := numbered(5000)
	for _, part := range []struct {
		name     string
		from, to int
	}{{"whole", 0, 5000}, {"left", 0, 3000}, {"right", 2000, 5000}} {
		mustEmbed(t, open(t, path(part.name), one), texts[part.from:part.to])
		if part.name != "left" {
			mustEmbed(t, open(t, path(part.name), other), texts[:5])
		}
	}
	for _, want := range []embed.Merged{{Added: 5005, Known: 1000}, {Known: 6005}} { // the second changes nothing
		if got, err := embed.MergeCaches(t.Context(), path("merged"), path("left"), path("right")); err != nil || got != want {
			t.Fatalf("%+v, %v, want %+v", got, err, want)
		}
	}
	if got, want := rowsIn(t, path("merged")), rowsIn(t, path("whole")); len(want) != 5005 || !slices.Equal(got, want) {
		t.Errorf("the merged cache of %d rows differs from that of one process of %d", len(got), len(want))
	}
	info, err := embed.ReadCacheInfo(t.Context(), path("merged"))
	if err != nil || len(info.Embedders) != 2 || info.Embedders[0].Texts != 5000 || info.Embedders[1].Texts != 5 || info.Embedders[0].Dimension != hashDimension {
		t.Errorf("info %+v, %v", info, err)
	}
}

// TestDamagedRows are not copied, and replaced by whole ones; other values are neither.
func TestDamagedRows(t *testing.T) {
	dir := t.TempDir()
	damaged, whole, out := filepath.Join(dir, "damaged"), filepath.Join(dir, "whole"), filepath.Join(dir, "out")
	for _, path := range []string{damaged, whole} {
		mustEmbed(t, open(t, path, &hashEmbedder{name: "hash"}), numbered(10))
	}
	want := rowsIn(t, whole)
	damage(t, damaged, 4)
	if info, err := embed.ReadCacheInfo(t.Context(), damaged); err != nil || info.Embedders[0].Damaged != 4 || info.Embedders[0].Texts != 6 {
		t.Errorf("info %+v, %v, want 4 damaged", info, err)
	}
	for _, tt := range []struct {
		out, from string
		want      embed.Merged
	}{
		{out, damaged, embed.Merged{Added: 6, Damaged: 4}},
		{damaged, whole, embed.Merged{Added: 4, Known: 6}},
		{out, damaged, embed.Merged{Added: 4, Known: 6}},
	} {
		if got, err := embed.MergeCaches(t.Context(), tt.out, tt.from); err != nil || got != tt.want {
			t.Errorf("%+v, %v, want %+v", got, err, tt.want)
		}
	}
	for _, path := range []string{damaged, out} {
		if !slices.Equal(rowsIn(t, path), want) {
			t.Errorf("%s has other rows than the whole cache", path)
		}
	}
}

// TestTheFirstOfDifferingValuesStays: another processor computes other last digits.
func TestTheFirstOfDifferingValuesStays(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	mustEmbed(t, open(t, first, &hashEmbedder{name: "hash"}), numbered(3))
	if _, err := open(t, second, negated{&hashEmbedder{name: "hash"}}).Embed(t.Context(), numbered(3)); err != nil {
		t.Fatal(err)
	}
	want := rowsIn(t, first)
	got, err := embed.MergeCaches(t.Context(), first, second)
	if err != nil || got != (embed.Merged{Differing: 3}) || !slices.Equal(rowsIn(t, first), want) {
		t.Errorf("%+v, %v, want 3 that differ and are left", got, err)
	}
}

// negated computes other vectors under the same fingerprint.
type negated struct{ rcvae.Embedder }

func (n negated) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	out, err := n.Embedder.Embed(ctx, texts)
	for _, e := range out {
		for j := range e {
			e[j] = -e[j]
		}
	}
	return out, err
}

func TestMergeRefusesWhatIsNoCache(t *testing.T) {
	dir := t.TempDir()
	cache, text := filepath.Join(dir, "cache"), filepath.Join(dir, "text")
	mustEmbed(t, open(t, cache, &hashEmbedder{name: "hash"}), numbered(2))
	if err := os.WriteFile(text, []byte(strings.Repeat("no cache ", 50)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ out, from, want string }{
		"absent":       {filepath.Join(dir, "out"), filepath.Join(dir, "absent"), "absent"},
		"text":         {filepath.Join(dir, "out"), text, "not an embedding cache"},
		"into a text":  {text, cache, "not an embedding cache"},
		"into itself":  {cache, cache, "is the file to write"},
		"another name": {cache, dir + "/./cache", "is the file to write"},
	} {
		if _, err := embed.MergeCaches(t.Context(), tt.out, tt.from); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	if data, err := os.ReadFile(text); err != nil || !strings.HasPrefix(string(data), "no cache") {
		t.Error("the text has changed")
	}
}
