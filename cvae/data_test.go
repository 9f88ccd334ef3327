package cvae

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"rcvae"
)

func TestTrainReportsBadData(t *testing.T) {
	for name, c := range map[string]struct {
		change func([]rcvae.Encoded) []rcvae.Encoded
		want   string
	}{
		"empty":    {func([]rcvae.Encoded) []rcvae.Encoded { return nil }, "no graded candidates"},
		"ungraded": {func(e []rcvae.Encoded) []rcvae.Encoded { return withVerdict(e, rcvae.Ungraded) }, "grade the pool"},
		"lengths":  {func(e []rcvae.Encoded) []rcvae.Encoded { e[3].Solutions = e[3].Solutions[1:]; return e }, "question 3 (q3): 4 candidates but 3 encoded solutions"},
		"dimension": {func(e []rcvae.Encoded) []rcvae.Encoded {
			e[9].Solutions[3].Embedding = make(rcvae.Embedding, 9)
			return e
		}, "question 9 (q9): solution 3: embedding has 9 dimensions, the model 8"},
		"NaN":       {func(e []rcvae.Encoded) []rcvae.Encoded { e[3].Embedding[2] = float32(math.NaN()); return e }, "question 3 (q3): embedding is NaN at dimension 2"},
		"signals":   {func(e []rcvae.Encoded) []rcvae.Encoded { e[2].Solutions[1].Signals = []float64{1}; return e }, "question 2 (q2): solution 1: 1 signals, the model has 0"},
		"no id":     {func(e []rcvae.Encoded) []rcvae.Encoded { e[1].ID = ""; return e }, "question 1 (): it has no id"},
		"all right": {func(e []rcvae.Encoded) []rcvae.Encoded { return withVerdict(e, rcvae.Correct) }, "draw more candidates"},
		"held out":  {func(e []rcvae.Encoded) []rcvae.Encoded { return sameID(e, heldOutID(1.0/8)) }, "all 10 questions are held out"},
	} {
		_, err := Train(t.Context(), small(Contrastive, 8), c.change(synthetic(10, 4, 8, 1)), Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Train() = %v, want %q", name, err, c.want)
		}
	}
	if _, err := Train(t.Context(), small(Paper, 8), withVerdict(synthetic(10, 4, 8, 1), rcvae.Incorrect), Options{}); err == nil || !strings.Contains(err.Error(), "correct candidates") {
		t.Errorf("paper without correct candidates: Train() = %v", err)
	}
	infinite := withSignals(synthetic(10, 4, 8, 1), 1)
	infinite[4].Solutions[2].Signals[1] = math.Inf(-1)
	if _, err := Train(t.Context(), small(Contrastive, 8, signalNames...), infinite, Options{}); err == nil || !strings.Contains(err.Error(), "question 4 (q4): solution 2: signal tokens is -Inf") {
		t.Errorf("infinite signal: Train() = %v", err)
	}
}

func withVerdict(questions []rcvae.Encoded, v rcvae.Verdict) []rcvae.Encoded {
	for _, e := range questions {
		for i := range e.Candidates {
			e.Candidates[i].Verdict = v
		}
	}
	return questions
}

func sameID(questions []rcvae.Encoded, id string) []rcvae.Encoded {
	for i := range questions {
		questions[i].ID = id
	}
	return questions
}

func heldOutID(share float64) string {
	for i := 0; ; i++ {
		if id := fmt.Sprint("held", i); rcvae.HeldOut(id, share) {
			return id
		}
	}
}

func TestDivergenceIsAnError(t *testing.T) {
	c := small(Paper, 8)
	c.LearningRate, c.Epochs, c.Cosine = 1e30, 20, false
	if _, err := Train(t.Context(), c, synthetic(10, 4, 8, 1), Options{}); err == nil || !strings.Contains(err.Error(), "epoch") {
		t.Errorf("Train() = %v, want an error that names the epoch", err)
	}
}

// TestHoldoutIsByID: no id is on both sides, an id of two pools counts once, and what
// is held out depends neither on the order of the questions nor on the seed.
func TestHoldoutIsByID(t *testing.T) {
	pools := append(synthetic(300, 4, 8, 1), synthetic(200, 4, 8, 2)...) // q0 to q199 are in both
	c := small(Contrastive, 8)
	sides := func(c Config, questions []rcvae.Encoded) (train, held []string) {
		d, _ := newTestData(t, c, questions)
		a, b, err := d.split(c.Holdout)
		if err != nil {
			t.Fatal(err)
		}
		return idsOf(a), idsOf(b)
	}
	train, held := sides(c, pools)
	for _, id := range held {
		if slices.Contains(train, id) {
			t.Errorf("question %s is trained on and held out", id)
		}
	}
	slices.Reverse(pools)
	c.Seed = 5
	if again, other := sides(c, pools); !slices.Equal(again, train) || !slices.Equal(other, held) {
		t.Error("the hold-out depends on the order of the questions or on the seed")
	}
	c.Epochs = 1
	if s := run(t, c, pools, Options{}).Summary(); s.Questions != len(train) || s.HeldOut != len(held) || len(train)+len(held) != 300 {
		t.Errorf("%d questions and %d held out, want %d and %d of 300", s.Questions, s.HeldOut, len(train), len(held))
	}
}

func idsOf(questions []question) (ids []string) {
	for _, q := range questions {
		ids = append(ids, q.id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// TestPaperTrainsOnCorrectSolutions: neither incorrect nor ungraded candidates change a
// model of the objectives without verdicts, and the summary counts the ungraded.
func TestPaperTrainsOnCorrectSolutions(t *testing.T) {
	for _, objective := range []string{Paper, Authors} {
		c := small(objective, 12)
		c.Epochs, c.Standardize = 1, true
		pool := synthetic(40, 6, 12, 1)
		pool[7].Candidates[2].Verdict, pool[8].Candidates[0].Verdict = rcvae.Ungraded, rcvae.Ungraded
		var alone []rcvae.Encoded
		for _, e := range pool {
			only := rcvae.Encoded{Question: rcvae.Question{Problem: e.Problem}, Embedding: e.Embedding}
			for i, x := range e.Candidates {
				if x.Verdict == rcvae.Correct {
					add(&only, e.Solutions[i].Embedding, true, true)
				}
			}
			alone = append(alone, only)
		}
		got, want := run(t, c, pool, Options{}), run(t, c, alone, Options{})
		if !slices.Equal(got.params, want.params) || !slices.Equal(got.r.mean, want.r.mean) {
			t.Errorf("%s: incorrect candidates change the model", objective)
		}
		if s := got.Summary(); s.Ungraded != 2 || s.Candidates != want.Summary().Candidates {
			t.Errorf("%s: trained on %d candidates with %d ungraded, want %d and 2", objective, s.Candidates, s.Ungraded, want.Summary().Candidates)
		}
	}
}

// TestUngradedCandidatesAreLeftOut: a pool with ungraded candidates trains the model
// that the pool without them trains.
func TestUngradedCandidatesAreLeftOut(t *testing.T) {
	for _, objective := range []string{Contrastive, Ratio} {
		pool, without := synthetic(40, 6, 12, 1), synthetic(40, 6, 12, 1)
		for g := range pool {
			pool[g].Candidates[0].Verdict = rcvae.Ungraded
			without[g].Candidates, without[g].Solutions = without[g].Candidates[1:], without[g].Solutions[1:]
		}
		c := small(objective, 12)
		c.Epochs = 1
		got, want := run(t, c, pool, Options{}), run(t, c, without, Options{})
		if !slices.Equal(got.params, want.params) {
			t.Errorf("%s: ungraded candidates change the weights", objective)
		}
		if s := got.Summary(); s.Ungraded != 40 || !strings.Contains(strings.Join(s.Warnings, "\n"), "40 candidates could not be graded") {
			t.Errorf("%s: %d ungraded, warnings %q, want 40 counted and told", objective, s.Ungraded, s.Warnings)
		}
	}
}

func TestValidateReportsEveryField(t *testing.T) {
	err := Config{Objective: "best", Signals: []string{"a", "a"}, SignalGroups: []string{"g"}, SignalDropout: 2, Hidden: []int{0}, Beta: -1}.Validate()
	for _, want := range []string{`"best"`, "name twice", "signal_groups", "signal_copies", "signal_dropout", "latent", "hidden[0]", "beta", "elbo_weight", "epochs", "batch", "iwae_samples 0"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate() = %v, want it to name %s", err, want)
		}
	}
	for _, objective := range Objectives() {
		for _, D := range []int{1, 384, 1024} {
			if err := DefaultConfig(objective, D).Validate(); err != nil {
				t.Errorf("DefaultConfig(%s, %d): %v", objective, D, err)
			}
		}
		if err := DefaultConfig(objective, 0, "a", "b").Validate(); err != nil {
			t.Errorf("DefaultConfig(%s) of signals alone: %v", objective, err)
		}
		if err := DefaultConfig(objective, 0).Validate(); err == nil {
			t.Errorf("DefaultConfig(%s) of nothing is valid", objective)
		}
	}
}
