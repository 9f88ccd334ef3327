package dataset_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"rcvae"
	"rcvae/dataset"
)

// A pool is the same in Parquet and in JSON Lines, with its unknown fields.
func TestParquetPoolRoundTrip(t *testing.T) {
	items, err := readPool(poolLine + "\n" + `{"id":"y","question":"p","candidates":[{"text":"7"},{"text":"","answer":null,"correct":false}]}` + "\n" + `{"question":"r","candidates":[],"extra_json2":{"a":[]}}`)
	if err != nil {
		t.Fatal(err)
	}
	compactExtra(t, items)
	path := filepath.Join(t.TempDir(), "pool.parquet")
	if err := dataset.SavePool(path, items); err != nil {
		t.Fatal(err)
	}
	got, err := dataset.LoadPool(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := write(t, items); write(t, got) != want {
		t.Errorf("Parquet gives\n%s\nwant\n%s", write(t, got), want)
	}
}

// A Parquet pool of another writer: lists of structs, "problem" for "question", NaN for
// an unknown number, null for what is not there.
func TestParquetPoolOfOthers(t *testing.T) {
	type candidate struct {
		Text    string   `parquet:"text"`
		Correct *bool    `parquet:"correct,optional"`
		Sum     *float64 `parquet:"sum_logprob,optional"`
	}
	type row struct {
		Problem    string      `parquet:"problem"`
		Answer     float64     `parquet:"answer"`
		Candidates []candidate `parquet:"candidates,list"`
		Image      []byte      `parquet:"image,optional"`
	}
	nan := 0.0
	nan /= nan
	got, err := dataset.LoadPool(writeParquet(t, []row{{"q", 2, []candidate{{"a", new(true), nil}, {"b", nil, &nan}}, []byte{0xff, 0xd8}}}))
	if err != nil {
		t.Fatal(err)
	}
	want := []rcvae.Candidate{{Text: "a", Verdict: rcvae.Correct}, {Text: "b"}}
	if len(got) != 1 || got[0].Question != "q" || got[0].Answer != "2" || !reflect.DeepEqual(got[0].Candidates, want) || got[0].Extra != nil {
		t.Errorf("pool = %+v", got)
	}
}

func TestParquetTextMustBeUTF8(t *testing.T) {
	path := writeParquet(t, []gsm8kRow{{"q", new("#### 1")}, {"caf\xe9", new("#### 2")}})
	_, err := dataset.LoadProblems(path)
	var line *dataset.LineError
	if !errors.As(err, &line) || line.Line != 2 || !strings.Contains(err.Error(), `column "question"`) || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("error = %v, want one that names row 2 and the column", err)
	}
}

// Whatever byte of a page is flipped, dictionary pages included, is noticed.
func TestParquetPagesAreChecked(t *testing.T) {
	var rows []gsm8kRow
	for i := range 40 {
		rows = append(rows, gsm8kRow{fmt.Sprint("question ", i%5), new(fmt.Sprint("#### ", i%3))})
	}
	path := writeParquet(t, rows)
	if found, err := dataset.CheckFile(path); err != nil || found.Pages < 3 || found.Checksum {
		t.Errorf("CheckFile() = %+v, %v, want some pages and no checksum beside the file", found, err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range pageBodies(t, whole) {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 1 << (i % 8)
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := dataset.LoadProblems(path); err == nil || !strings.Contains(err.Error(), "checksum") {
			t.Errorf("byte %d flipped: error = %v, want one about a checksum", i, err)
		}
	}
}

// pageBodies returns the positions of the bytes that the checksums of pages cover.
func pageBodies(t *testing.T, file []byte) (bodies []int) {
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Metadata().RowGroups[0].Columns {
		at := int(c.MetaData.DataPageOffset)
		if dictionary := int(c.MetaData.DictionaryPageOffset); dictionary > 0 {
			at = min(at, dictionary)
		}
		for left := bytes.NewReader(file[at : at+int(c.MetaData.TotalCompressedSize)]); left.Len() > 0; {
			var header format.PageHeader
			if err := thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(left)).Decode(&header); err != nil {
				t.Fatal(err)
			}
			begin := at + int(left.Size()) - left.Len()
			for i := range int(header.CompressedPageSize) {
				bodies = append(bodies, begin+i)
			}
			_, _ = left.Seek(int64(header.CompressedPageSize), io.SeekCurrent)
		}
	}
	return bodies
}

// A footer of 4 GB that a file claims to have is not reserved.
func TestParquetFooterIsBounded(t *testing.T) {
	path := writeParquet(t, []gsm8kRow{{"q", new("#### 1")}})
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(whole[len(whole)-8:], "\xf0\xff\xff\xff")
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = dataset.LoadProblems(path)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; err == nil || !strings.Contains(err.Error(), "footer") || used > 16<<20 {
		t.Errorf("error = %v after reserving %d bytes, want one about the footer and little memory", err, used)
	}
}

// The checksum beside a pool is that of its bytes, and tells every change.
func TestCheckFile(t *testing.T) {
	items, err := readPool(poolLine)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"p.jsonl", "p.jsonl.gz", "p.jsonl.zst", "p.parquet"} {
		path := filepath.Join(t.TempDir(), name)
		for range 2 { // the second writes over the first
			if err := dataset.SavePool(path, items); err != nil {
				t.Fatal(err)
			}
		}
		if found, err := dataset.CheckFile(path); err != nil || !found.Checksum {
			t.Errorf("%s: CheckFile() = %+v, %v, want a checksum that matches", name, found, err)
		}
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		whole[len(whole)/2] ^= 4
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := dataset.CheckFile(path); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s, one bit flipped: CheckFile() = %v, want an error", name, err)
		}
		if err := os.WriteFile(path+".sha256", []byte("nothing\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := dataset.CheckFile(path); err == nil || !strings.Contains(err.Error(), ".sha256") {
			t.Errorf("%s, no SHA-256 in its file: CheckFile() = %v, want an error", name, err)
		}
	}
}
