package report_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"rcvae/eval"
	"rcvae/report"
)

// The size that the page is made for: GSM8K's test questions, 16 candidates of about 300
// tokens each.
const (
	fullQuestions, fullK, fullWords = 1319, 16, 120
	maxPage                         = 6 << 20
)

// fullFile returns the result and the bytes of its details.
func fullFile(t testing.TB) (*eval.Result, []byte) {
	m := makePool("full", fullQuestions, fullK, fullWords, 1.5, 1)
	var b bytes.Buffer
	for _, d := range m.details {
		line, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	return m.result, b.Bytes()
}

func TestSizeOfAFullPage(t *testing.T) {
	if testing.Short() {
		t.Skip("a full page takes seconds")
	}
	result, file := fullFile(t)
	page := write(t, report.Options{}, report.Source{Name: "full.json", Result: result, Details: eval.ReadDetails(bytes.NewReader(file), "full")})
	if len(page) > maxPage || len(page) < maxPage/4 {
		t.Errorf("the page has %d bytes, want at most %d, and texts on it", len(page), maxPage)
	}
	t.Logf("%d bytes of details make a page of %d", len(file), len(page))
}

// BenchmarkWrite makes the page of 1,319 × 16 candidates from the bytes of their details.
func BenchmarkWrite(b *testing.B) {
	result, file := fullFile(b)
	for b.Loop() {
		if err := report.Write(io.Discard, []report.Source{{Name: "full.json", Result: result, Details: eval.ReadDetails(bytes.NewReader(file), "full")}}, report.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(fullQuestions*fullK)*float64(b.N)/b.Elapsed().Seconds(), "candidates/s")
}
