package builtin_test

import (
	"compress/gzip"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"

	"rcvae"
	"rcvae/cvae"
	"rcvae/dataset"
	"rcvae/embed/minilm"
	"rcvae/grade"
	"rcvae/internal/builtin"
	"rcvae/selector"
)

// All 500 take a minute or two: go test ./internal/builtin -reference 500
var referenceQuestions = flag.Int("reference", 6, "held-out questions to compare with the recipe's scores, at most 500")

// reference is what tools/adapt/reference.py makes of a question's candidates with
// the product's weights, in PyTorch and float64.
type reference struct {
	ID        string    `json:"id"`
	Scores    []float64 `json:"scores"`
	Distances []float64 `json:"distances"`
}

func readReferences(t *testing.T, limit int) []reference {
	t.Helper()
	file, err := os.Open("testdata/reference.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []reference
	for lines := json.NewDecoder(unpacked); lines.More() && len(all) < limit; {
		var r reference
		if err := lines.Decode(&r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// pool returns the questions that the references are of, by id.
func pool(t *testing.T) map[string]dataset.Item {
	t.Helper()
	root := os.Getenv("RCVAE_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	path := filepath.Join(root, "data", "train-pools", "gsm8k-train-qwen2.5-coder-0.5b.jsonl.gz")
	if _, err := os.Stat(path); err != nil {
		t.Skip("the shared data folder is absent; set RCVAE_SHARED to it")
	}
	items, err := dataset.LoadPool(path)
	if err != nil {
		t.Fatal(err)
	}
	byID := make(map[string]dataset.Item, len(items))
	for _, item := range items {
		byID[item.ID] = item
	}
	return byID
}

// recited is a model that says what a reference holds.
type recited struct {
	reference
	calibration rcvae.Calibration
}

func (m recited) Calibration() rcvae.Calibration { return m.calibration }

func (m recited) Posteriors(_ rcvae.Embedding, solutions []rcvae.Embedding) ([]rcvae.Posterior, error) {
	out := make([]rcvae.Posterior, len(solutions))
	for i := range out {
		out[i] = rcvae.Posterior{Mu: []float32{0}, LogVar: []float32{float32(-2 * m.Scores[i] / m.calibration.Scale)}}
	}
	return out, nil
}

func (m recited) Familiarity(rcvae.Embedding, []rcvae.Embedding) ([]float64, error) {
	out := make([]float64, len(m.Distances))
	for i, d := range m.Distances {
		near, far := math.Log(m.calibration.Near), math.Log(m.calibration.Far)
		out[i] = min(max((far-math.Log(d))/(far-near), 0), 1)
	}
	return out, nil
}

// Scores and distances are the recipe's within 1e-3. At most one choice in a hundred may
// differ, where two answers weigh the same within rounding; of the 500 none does.
func TestAgreesWithTheRecipe(t *testing.T) {
	references, items := readReferences(t, *referenceQuestions), pool(t)
	data, err := builtin.Model(builtin.Math)
	if err != nil {
		t.Fatal(err)
	}
	model, err := cvae.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	embedder, err := minilm.NewMath(minilm.DefaultMathOptions())
	if err != nil {
		t.Fatal(err)
	}
	grader, err := grade.New("math")
	if err != nil {
		t.Fatal(err)
	}
	rule, err := selector.Parse(selector.Default)
	if err != nil {
		t.Fatal(err)
	}
	worstScore, worstDistance, differ := 0.0, 0.0, 0
	for _, want := range references {
		item, ok := items[want.ID]
		if !ok {
			t.Fatalf("question %s is not in the pool", want.ID)
		}
		candidates := item.Candidates()
		texts := []string{item.Question}
		for _, c := range candidates {
			texts = append(texts, c.Text)
		}
		embeddings, err := embedder.Embed(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		question, solutions := embeddings[0], embeddings[1:]
		posteriors, err := model.Posteriors(question, solutions)
		if err != nil {
			t.Fatal(err)
		}
		distances, err := model.Distances(question, solutions)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range posteriors {
			score := -model.Calibration().Scale * p.HalfLogVar()
			worstScore = max(worstScore, math.Abs(score-want.Scores[i]))
			worstDistance = max(worstDistance, math.Abs(distances[i]/want.Distances[i]-1))
		}
		got := choose(t, rule, model, grader, embeddings, candidates)
		expected := choose(t, rule, recited{want, model.Calibration()}, grader, embeddings, candidates)
		if got.Best != expected.Best {
			differ++
			t.Logf("question %s: candidate %d, the recipe has %d", want.ID, got.Best+1, expected.Best+1)
		}
	}
	t.Logf("%d questions: scores differ by at most %.2g, distances by %.2g of their value, %d choices differ", len(references), worstScore, worstDistance, differ)
	if worstScore > 1e-3 || worstDistance > 1e-3 || differ > len(references)/100 {
		t.Error("that is more than rounding explains")
	}
}

func choose(t *testing.T, rule selector.Rule, model rcvae.Model, grader rcvae.Grader, embeddings []rcvae.Embedding, candidates []rcvae.Candidate) selector.Choice {
	t.Helper()
	e, err := selector.Sources{Models: []rcvae.Model{model}, Grader: grader}.Weigh(embeddings[0], embeddings[1:], candidates, rule.Needs)
	if err != nil {
		t.Fatal(err)
	}
	return rule.Choose(e, nil)
}
