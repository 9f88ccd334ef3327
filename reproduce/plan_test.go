package reproduce_test

import (
	"strings"
	"testing"
	"time"

	"rcvae/llm"
	"rcvae/reproduce"
)

func tinyPlan() reproduce.Plan {
	return reproduce.Plan{
		LLM: "tiny", Embedder: "minilm-math", Arms: reproduce.Arms(llm.DefaultSettings("tiny"), 4), Gold: 7, Seeds: []uint64{1, 2},
		Suites: []reproduce.SuitePlan{{Name: reproduce.GSM8K, Questions: 3, Of: 10}, {Name: reproduce.MATH, Questions: 2, Of: 2}},
	}
}

func TestPlanText(t *testing.T) {
	var b strings.Builder
	if err := tinyPlan().Write(&b); err != nil {
		t.Fatal(err)
	}
	want := `plan: Table 1 for tiny, embedder minilm-math
  GSM8K  3 of 10 questions
  MATH   2 of 2 questions
  greedy           1 per question, temperature 0, top-p 1, top-k 0
  authors-greedy   1 per question, temperature 1, top-p 1, top-k 0
  top_k            4 per question, temperature 0.7, top-p 1, top-k 32
  top_p            4 per question, temperature 0.7, top-p 0.9, top-k 0
  published rules: 7 reference solutions, seeds [1 2]
  our rule: the built-in model
  50 solutions to draw, at most 39 texts to embed
`
	if got := b.String(); got != want {
		t.Errorf("the plan reads\n%s\nwant\n%s", got, want)
	}
}

func TestEstimate(t *testing.T) {
	plan := tinyPlan()
	if got := plan.Solutions(); got != 5*(1+1+4+4) {
		t.Errorf("Solutions() = %d, want 50", got)
	}
	e := plan.Estimate(2*time.Second, 5)
	if e.Slowest != 100*time.Second || e.Fastest != 20*time.Second {
		t.Errorf("Estimate = %+v, want 20 s to 100 s", e)
	}
	plan.Drawn = true
	if e := plan.Estimate(2*time.Second, 5); e.Slowest != 0 || strings.Contains(e.String(), "sampling") || e.Embedding == 0 {
		t.Errorf("with the samples there the estimate is %q, want embedding alone", e)
	}
}
