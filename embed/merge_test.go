package embed_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// TestMergedCachesAreThatOfOneProcess: parts that overlap, by two embedders, one part
// damaged where the other is not.
func TestMergedCachesAreThatOfOneProcess(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	one, other := &hashEmbedder{name: "a", weights: "a"}, &hashEmbedder{name: "b", weights: "b"}
	texts := numbered(50)
	for _, part := range []struct {
		name     string
		from, to int
	}{{"whole", 0, 50}, {"left", 0, 30}, {"right", 20, 50}} {
		c := open(t, path(part.name), one)
		mustEmbed(t, c, texts[part.from:part.to])
		if part.name != "left" {
			mustEmbed(t, open(t, path(part.name), other), texts[:5])
		}
	}
	damage(t, path("right"), 10) // texts 20 to 29 of the first embedder or fewer, which left has
	for range 2 {                // the second changes nothing
		merged, err := embed.MergeCaches(t.Context(), path("merged"), path("left"), path("right"))
		if err != nil || merged.Differing != 0 || merged.Damaged != 10 {
			t.Fatalf("%+v, %v, want 10 damaged rows", merged, err)
		}
	}
	left, want := rowsIn(t, path("merged")), rowsIn(t, path("whole"))
	if len(want) != 55 {
		t.Fatalf("%d rows in the cache of one process", len(want))
	}
	missing := 0
	have := map[string]bool{}
	for _, row := range left {
		have[row] = true
	}
	for _, row := range want {
		if !have[row] {
			missing++
		}
	}
	info, err := embed.ReadCacheInfo(t.Context(), path("right"))
	if err != nil || len(info.Embedders) != 2 || info.Embedders[0].Damaged != 10 || info.Embedders[0].Texts != 20 || info.Embedders[1].Texts != 5 || info.Embedders[0].Dimension != hashDimension {
		t.Errorf("info %+v, %v", info, err)
	}
	// What both files lack whole is embedded again, and then nothing is missing.
	if len(left)+missing != len(want) {
		t.Errorf("%d rows merged and %d missing of %d", len(left), missing, len(want))
	}
	mustEmbed(t, open(t, path("merged"), one), texts)
	if got := rowsIn(t, path("merged")); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Error("the merged cache differs from that of one process")
	}
}

func TestADamagedRowIsReplaced(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, path := range []string{a, b} {
		mustEmbed(t, open(t, path, &hashEmbedder{name: "hash"}), numbered(10))
	}
	want := fmt.Sprint(rowsIn(t, b))
	damage(t, a, 4)
	merged, err := embed.MergeCaches(t.Context(), a, b)
	if err != nil || merged != (embed.Merged{Added: 4, Known: 6}) {
		t.Errorf("%+v, %v, want 4 added, 6 known", merged, err)
	}
	if got := fmt.Sprint(rowsIn(t, a)); got != want {
		t.Error("a damaged row stays")
	}
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
