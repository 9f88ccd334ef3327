package cvae

import (
	"math"
	"slices"
	"strings"
	"testing"

	"rcvae"
)

func TestTrainReportsBadData(t *testing.T) {
	good := synthetic(10, 4, 8, 1)
	for name, c := range map[string]struct {
		change func(*Data)
		want   string
	}{
		"empty":       {func(d *Data) { *d = Data{} }, "no training samples"},
		"no verdicts": {func(d *Data) { d.Correct = nil }, "needs graded samples"},
		"lengths":     {func(d *Data) { d.Group = d.Group[1:] }, "40 solutions but 39 group entries"},
		"unsorted":    {func(d *Data) { d.Group = append([]int{9}, d.Group[1:]...) }, "sort the solutions by question"},
		"dimension":   {func(d *Data) { d.Solutions = append(d.Solutions[:39:39], make(rcvae.Embedding, 9)) }, "solution 39: embedding has 9 dimensions, the model 8"},
		"NaN": {func(d *Data) {
			bad := slices.Clone(d.Questions[3])
			bad[2] = float32(math.NaN())
			d.Questions = slices.Clone(d.Questions)
			d.Questions[3] = bad
		}, "question 3: embedding is NaN at dimension 2"},
		"all right": {func(d *Data) { d.Correct = slices.Repeat([]bool{true}, 40) }, "draw more samples"},
	} {
		data := good
		c.change(&data)
		_, err := Train(t.Context(), small(Contrastive, 8), data, Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Train() = %v, want %q", name, err, c.want)
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

func TestHoldout(t *testing.T) {
	c := DefaultConfig(Contrastive, 8)
	for n, want := range map[int]int{0: 0, 1: 0, 3: 0, 8: 1, 1000: 125} {
		held := 0
		for _, h := range Holdout(c, n) {
			if h {
				held++
			}
		}
		if held != want {
			t.Errorf("Holdout of %d holds %d out, want %d", n, held, want)
		}
	}
	c.Seed = 5
	if !slices.Equal(Holdout(c, 100), Holdout(DefaultConfig(Contrastive, 8), 100)) {
		t.Error("Holdout depends on the seed")
	}
}

func TestValidateReportsEveryField(t *testing.T) {
	err := Config{Objective: "best", Hidden: []int{0}, Beta: -1}.Validate()
	for _, want := range []string{`"best"`, "dimension", "latent", "hidden[0]", "beta", "elbo_weight", "epochs", "batch", "iwae_samples"} {
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
	}
}
