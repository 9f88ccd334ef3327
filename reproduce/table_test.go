package reproduce_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"testing"

	"rcvae"
	"rcvae/reproduce"
)

// hashed embeds a text as a unit vector that depends on the text alone.
type hashed struct{}

func (hashed) Fingerprint() rcvae.Fingerprint {
	return rcvae.Fingerprint{Name: "hashed", Dimension: 8}
}

func (hashed) Embed(_ context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	out := make([]rcvae.Embedding, len(texts))
	for i, text := range texts {
		v, square := make(rcvae.Embedding, 8), 0.0
		for j := range v {
			h := fnv.New32a()
			fmt.Fprint(h, text, j) // never fails
			x := float64(h.Sum32())/math.MaxUint32 - 0.5
			v[j], square = float32(x), square+x*x
		}
		for j := range v {
			v[j] /= float32(math.Sqrt(square))
		}
		out[i] = v
	}
	return out, nil
}

// sampledSuite returns questions of which a share is right in every arm: greedy 1 of 4, top-k
// half of the samples, top-p three of four samples.
func sampledSuite(suite string) reproduce.Sampled {
	s := reproduce.Sampled{Suite: suite, Arms: map[string][]rcvae.Question{}}
	for i, p := range problems(8) {
		add := func(arm string, right ...bool) {
			q := rcvae.Question{Problem: p}
			for j, r := range right {
				answer := p.Answer
				if !r {
					answer = fmt.Sprint(1000 + j)
				}
				q.Candidates = append(q.Candidates, rcvae.Candidate{Text: fmt.Sprintf("Way %d of %s.\n#### %s", j, p.ID, answer), Sampler: arm})
			}
			s.Arms[arm] = append(s.Arms[arm], q)
		}
		add(reproduce.Greedy, i%4 == 0)
		add(reproduce.TopK, true, false)
		add(reproduce.TopP, true, true, false, true)
	}
	return s
}

func TestTableHasTheSharesOfTheSamples(t *testing.T) {
	training := reproduce.Training{Seeds: []uint64{1, 2}, Epochs: 1, Embedder: hashed{}, Folder: t.TempDir()}
	for i := range 16 {
		training.Gold = append(training.Gold, rcvae.Reference(rcvae.Problem{ID: fmt.Sprint(i), Question: fmt.Sprint("q", i), Solution: fmt.Sprint("s", i)}))
	}
	groups, warnings, err := training.Groups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(groups) != 2 || len(groups[0].Models) != 2 || len(warnings) != 1 || !strings.Contains(warnings[0], "built-in model") {
		t.Fatalf("%d groups, warnings %v, want the two published ones and that the built-in model reads other embeddings", len(groups), warnings)
	}
	result, err := reproduce.Measure(t.Context(), reproduce.Config{Resamples: 200, Embedder: hashed{}}, []reproduce.Sampled{sampledSuite(reproduce.GSM8K)}, groups)
	if err != nil {
		t.Fatal(err)
	}
	table := reproduce.NewTable(reproduce.Setting{LLM: "tiny", Embedder: "hashed", Suites: []string{reproduce.GSM8K}, Chat: true, Gold: 16}, result, warnings)
	want := map[string]float64{
		"greedy, T = 0": 0.25, "top-k 32, one sample": 0.5, "top-k 32, majority": 0.5,
		"top-p 0.9, one sample": 0.75, "top-p 0.9, majority": 1, "oracle (pass@k)": 1,
	}
	for _, row := range table.Rows {
		for _, match := range reproduce.Matches() {
			cell := row.Cells[reproduce.GSM8K][match]
			if share, ok := want[row.Name]; ok && math.Abs(cell.Accuracy-share) > 1e-12 {
				t.Errorf("%s, %s: %v, want %v", row.Name, match, cell.Accuracy, share)
			}
			if cell.N != 8 || cell.CI95 == nil || cell.Accuracy < cell.CI95[0]-1e-12 || cell.Accuracy > cell.CI95[1]+1e-12 {
				t.Errorf("%s, %s: %+v, want the accuracy inside its interval, on 8 questions", row.Name, match, cell)
			}
			if strings.HasPrefix(row.Name, "R-CVAE") != (len(cell.Seeds) == 2) {
				t.Errorf("%s has seeds %v", row.Name, cell.Seeds)
			}
		}
		delete(want, row.Name)
	}
	if len(want) > 0 {
		t.Errorf("the table lacks %v", want)
	}
	checkMarkdown(t, table)
}

// checkMarkdown checks that every table of the text has rows of one width.
func checkMarkdown(t *testing.T, table reproduce.Table) {
	t.Helper()
	var b strings.Builder
	if err := table.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	width := 0
	for line := range strings.Lines(b.String()) {
		switch n := strings.Count(line, "|"); {
		case n == 0:
			width = 0
		case width == 0:
			width = n
		case n != width:
			t.Errorf("line %q has %d columns, the table %d", line, n-1, width-1)
		}
	}
	for _, part := range []string{"| the paper: SmolLM2-1.7B, GSM8K | 23.4 | 37.2 | 40.7 | 43.2 |", "25.0 [", "16 reference solutions"} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("the text lacks %q", part)
		}
	}
	if strings.Contains(b.String(), "MATH, honest") {
		t.Error("the text has a suite that was not run")
	}
}

// TestModelsAreTrainedOnce: a second run reads them, another seed or other data trains.
func TestModelsAreTrainedOnce(t *testing.T) {
	var trained []string
	training := reproduce.Training{Seeds: []uint64{1}, Epochs: 1, Embedder: hashed{}, Folder: t.TempDir(), OnModel: func(name string) { trained = append(trained, name) }}
	for i := range 16 {
		training.Gold = append(training.Gold, rcvae.Reference(rcvae.Problem{ID: fmt.Sprint(i), Question: fmt.Sprint("q", i), Solution: fmt.Sprint("s", i)}))
	}
	run := func() int {
		t.Helper()
		trained = nil
		if _, _, err := training.Groups(t.Context()); err != nil {
			t.Fatal(err)
		}
		return len(trained)
	}
	if got := run(); got != 2 {
		t.Errorf("the first run trained %v, want both objectives", trained)
	}
	if got := run(); got != 0 {
		t.Errorf("the second run trained %v again", trained)
	}
	training.Seeds = []uint64{1, 2}
	if got := run(); got != 2 {
		t.Errorf("with another seed the run trained %v, want that seed", trained)
	}
	training.Gold[0].Candidates[0].Text = "another solution"
	if got := run(); got != 4 {
		t.Errorf("with other data the run trained %v, want all", trained)
	}
}
