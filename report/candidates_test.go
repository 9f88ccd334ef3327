package report_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"rcvae/report"
)

// Whatever stands in a file is text on the page.
func TestForeignTextStaysText(t *testing.T) {
	const hostile = `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'` + "`${alert(3)}" + "\u2028\xff"
	m := makePool("pool", 20, 4, 5, 1, 1)
	plain := parse(t, write(t, report.Options{}, m.source("r.json")))
	for i := range m.details {
		d := &m.details[i]
		d.ID, d.Question, d.Gold, d.Pool = hostile+d.ID, hostile, hostile, hostile
		for j := range d.Candidates {
			d.Candidates[j].Answer, d.Candidates[j].Text = hostile, hostile
		}
	}
	m.result.Pools[0].Pool, m.result.Run.Command, m.result.Pools[0].Warnings = hostile, hostile, []string{hostile}
	root := parse(t, write(t, report.Options{}, m.source(hostile)))
	for _, tag := range []string{"script", "img", "tr"} {
		if got, want := len(elements(root, tag, "")), len(elements(plain, tag, "")); got != want {
			t.Errorf("%d elements %s, want %d", got, tag, want)
		}
	}
	if got := strings.Count(text(root), "</script><script>alert(1)"); got < 60 {
		t.Errorf("the text stands on the page %d times, want at least three per question", got)
	}
	if o := opened(t, attr(elements(root, "tr", "data-c")[0], "data-c")); !strings.HasPrefix(o.C[0].A, "</script>") || !strings.HasPrefix(o.C[0].T[0], "</script>") {
		t.Errorf("the candidates are %+v", o)
	}
}

// question is what opens below a row.
type question struct {
	C []struct {
		A, V string
		T    []string
		H    float64
		C    int
	}
}

func opened(t *testing.T, payload string) (q question) {
	t.Helper()
	zipped, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(flate.NewReader(bytes.NewReader(zipped))).Decode(&q); err != nil {
		t.Fatal(err)
	}
	return q
}

// The candidates of a row are those of the details; wrong equations stand apart, and long
// texts keep both ends.
func TestCandidatesOfARow(t *testing.T) {
	m := makePool("pool", 12, 4, 5, 1, 1)
	long := strings.Repeat("a", 3000) + " so 12 * 3 = 35. " + strings.Repeat("é", 3000) + " The answer is 7."
	m.details[0].Candidates[0].Text = long
	root := parse(t, write(t, report.Options{}, m.source("r.json")))
	rows := elements(root, "tr", "data-c")
	if len(rows) != len(m.details) {
		t.Fatalf("%d rows, want %d", len(rows), len(m.details))
	}
	marked := 0
	for i, d := range m.details {
		q := opened(t, attr(rows[i], "data-c"))
		for j, c := range d.Candidates {
			got := q.C[j]
			if got.A != c.Answer || got.V != c.Verdict || got.H-*c.Entropy > 1e-3**c.Entropy && *c.Entropy > 0 {
				t.Errorf("question %d, candidate %d: %+v, want %+v", i, j, got, c)
			}
			whole := got.T[0]
			for s := 1; s < len(got.T); s += 3 {
				marked++
				if got.T[s] != "12 * 3 = 35" || got.T[s+1] != "36" {
					t.Errorf("marked %q, which should be %q", got.T[s], got.T[s+1])
				}
				whole += got.T[s] + got.T[s+2]
			}
			if c.Text != long && whole != c.Text {
				t.Errorf("the text reads %q, want %q", whole, c.Text)
			}
			if c.Text == long && (len([]rune(whole)) > 1600 || !strings.HasPrefix(whole, "aaa") || !strings.HasSuffix(whole, "The answer is 7.") || !strings.Contains(whole, "[…]") || len(got.T) != 4) {
				t.Errorf("the long text reads %q", whole)
			}
		}
		if chosen := d.Chosen[2].Best; q.C[chosen].C&1 == 0 {
			t.Errorf("question %d: candidate %d is not shown as that of majority", i, chosen)
		}
	}
	if marked == 0 {
		t.Error("no wrong equation is marked")
	}
}
