package embed_test

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rcvae"
	"rcvae/embed"
)

// asBefore writes a cache file whose rows have float32 numbers, as files of version 2 do:
// the numbers, then the CRC-32 of embedder, text and numbers.
func asBefore(t *testing.T, path string, inner rcvae.Embedder, list []rcvae.Text) {
	t.Helper()
	mustEmbed(t, open(t, path, inner), list)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range list {
		key := embed.KeyOf(text, false)
		var embedder []byte
		if err := db.QueryRow("SELECT embedder FROM vector WHERE text = ?", key[:]).Scan(&embedder); err != nil {
			t.Fatal(err)
		}
		var value []byte
		for _, v := range vectorOf(text.Text) {
			value = binary.LittleEndian.AppendUint32(value, math.Float32bits(v))
		}
		sum := crc32.Checksum(slices.Concat(embedder, key[:], value), crc32.MakeTable(crc32.Castagnoli))
		value = binary.LittleEndian.AppendUint32(value, sum)
		if _, err := db.Exec("UPDATE vector SET value = ? WHERE text = ?", value, key[:]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec("PRAGMA user_version=2"); err != nil {
		t.Fatal(err)
	}
}

// TestSecondRunIsTheFirst: what comes from memory, from a file, from a row of before and
// from elsewhere has the bits of what was just computed, and is the same direction.
func TestSecondRunIsTheFirst(t *testing.T) {
	path, before, list := filepath.Join(t.TempDir(), "c.sqlite"), filepath.Join(t.TempDir(), "b.sqlite"), numbered(20)
	asBefore(t, before, &hashEmbedder{name: "hash"}, list)
	none := &hashEmbedder{name: "hash"}
	runs := map[string][]rcvae.Embedding{
		"the file":     mustEmbed(t, open(t, path, &hashEmbedder{name: "hash"}), list),
		"it again":     mustEmbed(t, open(t, path, none), list),
		"rows before":  mustEmbed(t, open(t, before, none), list),
		"from workers": mustEmbed(t, open(t, "", &spreader{hashEmbedder: &hashEmbedder{name: "hash"}}), list),
	}
	if n := none.texts.Load(); n != 0 {
		t.Errorf("%d texts were embedded again", n)
	}
	first := mustEmbed(t, open(t, "", &hashEmbedder{name: "hash"}), list)
	for name, got := range runs {
		for i, want := range first {
			if !slices.Equal(got[i], want) {
				t.Errorf("%s: text %d is %v, want %v", name, i, got[i], want)
			}
		}
	}
	for i, e := range first {
		if c := cosine(e, vectorOf(list[i].Text)); c < 0.9999999 {
			t.Errorf("text %d: cosine %v with what the embedder returned", i, c)
		}
	}
}

func cosine(a, b rcvae.Embedding) float64 {
	var dot, aa, bb float64
	for i := range a {
		dot, aa, bb = dot+float64(a[i])*float64(b[i]), aa+float64(a[i])*float64(a[i]), bb+float64(b[i])*float64(b[i])
	}
	return dot / math.Sqrt(aa*bb)
}

// TestRowsOfBeforeAreMerged: the copies are those of a cache of today, and the same vector
// in another form is known.
func TestRowsOfBeforeAreMerged(t *testing.T) {
	dir, list := t.TempDir(), numbered(10)
	before, today, out := filepath.Join(dir, "before"), filepath.Join(dir, "today"), filepath.Join(dir, "out")
	asBefore(t, before, &hashEmbedder{name: "hash"}, list)
	mustEmbed(t, open(t, today, &hashEmbedder{name: "hash"}), list)
	want := rowsIn(t, today)
	for _, tt := range []struct {
		out, from string
		want      embed.Merged
	}{
		{today, before, embed.Merged{Known: 10}},
		{before, today, embed.Merged{Known: 10}},
		{out, before, embed.Merged{Added: 10}},
	} {
		if got, err := embed.MergeCaches(t.Context(), tt.out, tt.from); err != nil || got != tt.want {
			t.Errorf("%s into %s: %+v, %v, want %+v", filepath.Base(tt.from), filepath.Base(tt.out), got, err, tt.want)
		}
	}
	if !slices.Equal(rowsIn(t, out), want) {
		t.Error("the copies are not the rows of a cache of today")
	}
	for path, bytes := range map[string]int64{before: 10 * (4*hashDimension + 4), out: 10 * (1 + 2*hashDimension + 4)} {
		info, err := embed.ReadCacheInfo(t.Context(), path)
		if err != nil || len(info.Embedders) != 1 || info.Embedders[0].Bytes != bytes || info.Embedders[0].Texts != 10 || info.Embedders[0].Dimension != hashDimension {
			t.Errorf("info of %s is %+v, %v, want %d bytes of 10 texts", filepath.Base(path), info, err, bytes)
		}
	}
}

// TestRowsTakeTheirPayload: two bytes a number, and of the file at most a fifth more and
// the keys.
func TestRowsTakeTheirPayload(t *testing.T) {
	for _, dimension := range []int{384, 768, 896, 1024} {
		t.Run(fmt.Sprint(dimension), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "c.sqlite")
			c := open(t, path, &flat{dimension: dimension})
			const rows, keys = 4000, 2 * 64         // in the row and in the index
			for from := 0; from < rows; from += 8 { // as a gateway does
				if _, err := c.Embed(t.Context(), numbered(rows)[from:from+8]); err != nil {
					t.Fatal(err)
				}
			}
			c.Close()
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if per, most := float64(info.Size())/rows, 1.2*float64(2*dimension+keys); per > most {
				t.Errorf("%.0f bytes a row, want at most %.0f", per, most)
			} else {
				t.Logf("%.0f bytes per row of %d values", per, dimension)
			}
		})
	}
}
