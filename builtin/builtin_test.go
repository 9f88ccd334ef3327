package builtin_test

import (
	"strings"
	"testing"

	"rcvae"
	"rcvae/builtin"
	"rcvae/dataset"
	"rcvae/embed/minilm"
	"rcvae/eval"
	"rcvae/grade"
	"rcvae/internal/demo"
	"rcvae/selector"
	"rcvae/signal"
)

// TestMathHelpsOnTheDemo measures the built-in model on bundled samples of questions
// that it was not trained on: with and without its signals, it is better than majority
// and its lowest entropy better than a random candidate.
func TestMathHelpsOnTheDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("embedding the bundled samples takes some seconds")
	}
	model, err := builtin.Open(builtin.Math)
	if err != nil {
		t.Fatal(err)
	}
	embedder, err := minilm.NewMath(minilm.DefaultMathOptions())
	if err != nil {
		t.Fatal(err)
	}
	info := model.Info()
	if !info.Fingerprint.Same(embedder.Fingerprint()) || info.SignalVersion != signal.Version || len(info.Signals) != len(signal.Columns()) {
		t.Fatalf("the model was trained on %v and %d signals of version %d", info.Fingerprint, len(info.Signals), info.SignalVersion)
	}
	grader, err := grade.New("gsm8k")
	if err != nil {
		t.Fatal(err)
	}
	questions, err := demo.Questions(dataset.Pool(demo.Test(), "bundled test pool"))
	if err != nil {
		t.Fatal(err)
	}
	config := eval.DefaultConfig()
	config.K, config.Selectors = nil, []string{selector.Default, "entropy"}
	result, err := eval.Run(t.Context(), config, questions[:60], selector.Sources{Embedder: embedder, Models: []rcvae.Model{model}, Grader: grader})
	if err != nil {
		t.Fatal(err)
	}
	vote, pick := result.Pools[0].Selectors[0], result.Pools[0].Selectors[1]
	t.Logf("vote %+.1f points over majority, lowest entropy %+.1f over a random candidate", 100*vote.VsMajority.Diff, 100*pick.VsMean.Diff)
	if vote.VsMajority.Diff <= 0 || pick.VsMean.CI95[0] <= 0 {
		t.Errorf("vote %v over majority, lowest entropy %v over a random candidate: want both to help", vote.VsMajority, pick.VsMean)
	}
	if command := string(model.Provenance()); !strings.Contains(command, "rcvae train") {
		t.Errorf("provenance %s, want the command that made the model", command)
	}
}

func TestOpenKnowsItsNames(t *testing.T) {
	if _, err := builtin.Open("builtin:physics"); err == nil || !strings.Contains(err.Error(), builtin.Math) {
		t.Errorf("Open(builtin:physics) = %v, want an error that names what there is", err)
	}
}
