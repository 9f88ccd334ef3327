package dataset_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"rcvae"
	"rcvae/dataset"
)

type gsm8kRow struct {
	Question string  `parquet:"question,dict"`
	Answer   *string `parquet:"answer,optional,snappy"`
}

type mathRow struct {
	Problem  string   `parquet:"problem"`
	Level    string   `parquet:"level"`
	Type     string   `parquet:"type"`
	Solution string   `parquet:"solution,zstd"`
	Other    []string `parquet:"other,list"`
}

func writeParquet[T any](t *testing.T, rows []T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "train-00000-of-00001.parquet")
	if err := parquet.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParquet(t *testing.T) {
	var rows []gsm8kRow
	for i := range 2000 {
		rows = append(rows, gsm8kRow{fmt.Sprint("q", i), new(fmt.Sprintf("easy\n#### %d", i))})
	}
	got, err := dataset.LoadProblems(writeParquet(t, rows))
	if err != nil {
		t.Fatal(err)
	}
	want := rcvae.Problem{ID: "train-00000-of-00001.parquet:line-1235", Question: "q1234", Solution: "easy\n#### 1234", Answer: "1234"}
	if len(got) != 2000 || !reflect.DeepEqual(got[1234], want) {
		t.Errorf("GSM8K: %d problems with %+v, want 2000 with %+v", len(got), got[1234], want)
	}
	math, err := dataset.LoadProblems(writeParquet(t, []mathRow{
		{"p", "Level 4", "Algebra", `so \boxed{\frac12}`, []string{"a", "b"}},
		{"r", "Level ?", "Geometry", `so \boxed{2}`, nil},
	}))
	want = rcvae.Problem{ID: "train-00000-of-00001.parquet:line-1", Question: "p", Solution: `so \boxed{\frac12}`, Answer: `\frac12`, Subject: "Algebra", Level: 4}
	if err != nil || len(math) != 2 || !reflect.DeepEqual(math[0], want) {
		t.Errorf("MATH: %+v, %v, want first %+v", math, err, want)
	}
}

func TestParquetErrors(t *testing.T) {
	_, err := dataset.LoadProblems(writeParquet(t, []gsm8kRow{{"q", new("#### 1")}, {"q", nil}}))
	var line *dataset.LineError
	if !errors.As(err, &line) || line.Line != 2 || !strings.Contains(err.Error(), `"answer" is missing`) {
		t.Errorf("error = %v, want a LineError of row 2", err)
	}
	_, err = dataset.LoadProblems(writeParquet(t, []struct{ X int }{{1}}))
	if err == nil || !strings.Contains(err.Error(), `.parquet:1: field "question"`) || !strings.Contains(err.Error(), "the fields are X") {
		t.Errorf("error = %v, want one about columns", err)
	}
}

// A damaged file is an error or, where the damage is in unused bytes, reads as
// before; it never crashes the program.
func TestParquetDamaged(t *testing.T) {
	path := writeParquet(t, []gsm8kRow{{"q", new("#### 1")}, {"r", new("#### 2")}})
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "damaged.parquet")
	failed := 0
	for i := range whole {
		b := append([]byte(nil), whole...)
		b[i] ^= 0x55
		if i%3 == 0 {
			b = whole[:i]
		}
		if err := os.WriteFile(damaged, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := dataset.LoadProblems(damaged); err != nil {
			failed++
			if !strings.Contains(err.Error(), "damaged.parquet") {
				t.Errorf("error = %v does not name the file", err)
			}
		}
	}
	if failed < len(whole)/3 {
		t.Errorf("%d of %d damaged files fail, want more", failed, len(whole))
	}
}

// A few bytes that claim two thousand million columns, or a text of that length, are an
// error that reserves no memory for them.
func TestParquetClaims(t *testing.T) {
	const much = "\xff\xff\xff\xff\x07"
	for name, footer := range map[string]string{"columns": "\x15\x02\x19\xfc" + much, "text": "\x15\x02\x68" + much} {
		path := filepath.Join(t.TempDir(), "p.parquet")
		file := "PAR1" + footer + string([]byte{byte(len(footer)), 0, 0, 0}) + "PAR1"
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := dataset.LoadPool(path)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "not a readable Parquet file") {
			t.Errorf("%s: %v, want an error that names the file unreadable", name, err)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 16<<20 {
			t.Errorf("%s: %d bytes are allocated for a file of %d", name, got, len(file))
		}
	}
}
