package selector_test

import (
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/selector"
)

func TestParseKnowsEveryRule(t *testing.T) {
	names := strings.Fields(`entropy norm kl elbo recon iwae ratio consensus majority vote:entropy vote:consensus tiebreak:entropy
		logprob tail-logprob longest shortest first random entropy+logprob vote:entropy+logprob oracle`)
	for _, name := range append(names, selector.Table()...) {
		if r, err := selector.Parse(name); err != nil || r.Name() != name {
			t.Errorf("Parse(%q) = %q, %v", name, r.Name(), err)
		}
	}
	seen := map[string]bool{}
	for _, r := range selector.Rules() {
		if seen[r.Name()] || r.About() == "" || r.Ranks() && r.Score.Best == "" {
			t.Errorf("rule %q is listed twice or lacks a description", r.Name())
		}
		seen[r.Name()] = true
	}
}

func TestParseNamesNeighbours(t *testing.T) {
	_, err := selector.Parse("vote:entrpy")
	if err == nil || !strings.Contains(err.Error(), "did you mean vote:entropy") {
		t.Errorf("Parse() = %v, want vote:entropy suggested", err)
	}
}

func TestNeeds(t *testing.T) {
	for name, want := range map[string]string{
		"entropy": "model", "vote:entropy": "model, answers", "ratio": "model, likelihoods, classes",
		"consensus": "embeddings", "logprob": "log-probabilities", "longest": "nothing", "majority": "answers", "oracle": "verdicts",
		"vote:arithmetic": "signals, answers", "tiebreak:entropy+logprob": "model, log-probabilities, answers",
	} {
		if got := mustParse(t, name).Needs().String(); got != want {
			t.Errorf("%s needs %s, want %s", name, got, want)
		}
	}
}

// What a server asks a rule, so that it need not look at names.
func TestRuleAnswers(t *testing.T) {
	for name, want := range map[string][4]bool{ // votes, weighted, ranks, evaluation only
		"entropy": {false, false, true, false}, "vote:entropy": {true, true, true, false}, "tiebreak:entropy": {true, false, true, false},
		"majority": {true, false, false, false}, "random": {false, false, false, false}, "first": {false, false, false, false},
		"oracle": {false, false, false, true},
	} {
		r := mustParse(t, name)
		if got := [4]bool{r.Votes(), r.Weighted(), r.Ranks(), r.EvaluationOnly()}; got != want {
			t.Errorf("%s: votes, weighted, ranks, evaluation only = %v, want %v", name, got, want)
		}
	}
}

func TestHaveAndGiven(t *testing.T) {
	src := sourcesOf(newLinear(1, false))
	if !src.Have().Has(selector.NeedClasses) {
		t.Error("a model with classes does not serve the rule ratio")
	}
	src.Models = append(src.Models, columnModel{})
	if src.Have().Has(selector.NeedClasses) {
		t.Error("a model without classes serves the rule ratio")
	}
	if got := selector.Given(answers("a", "")); got != selector.NeedAnswers {
		t.Errorf("Given() = %v, want answers", got)
	}
}

type otherEmbedder struct{ hashEmbedder }

func (*otherEmbedder) Fingerprint() rcvae.Fingerprint {
	return rcvae.Fingerprint{Name: "one", Dimension: dimension}
}

// renamedEmbedder computes what hashEmbedder does.
type renamedEmbedder struct{ hashEmbedder }

func (*renamedEmbedder) Fingerprint() rcvae.Fingerprint {
	f := hashFingerprint
	f.Name = "copy"
	return f
}

func TestModelOfAnotherEmbedder(t *testing.T) {
	src := selector.Sources{Embedder: &otherEmbedder{}, Models: []rcvae.Model{newLinear(1, false)}}
	_, err := selector.New(mustParse(t, "entropy"), src, selector.Options{})
	if err == nil || !strings.Contains(err.Error(), "model 1 was trained on embeddings of hash") {
		t.Errorf("New() = %v, want an error about the embedder", err)
	}
	if _, err := selector.New(mustParse(t, "consensus"), src, selector.Options{}); err != nil {
		t.Errorf("New(consensus) = %v; it uses no model", err)
	}
	src.Embedder = &renamedEmbedder{}
	if _, err := selector.New(mustParse(t, "entropy"), src, selector.Options{}); err != nil {
		t.Errorf("New() = %v, want no error for the same function under another name", err)
	}
}

func TestDefaults(t *testing.T) {
	for _, name := range []string{selector.Default, selector.DefaultWithoutModel} {
		if !slices.Contains(selector.Table(), name) {
			t.Errorf("the table lacks the default rule %s", name)
		}
	}
	if need := mustParse(t, selector.DefaultWithoutModel).Needs(); need.Has(selector.NeedModel) || need.Has(selector.NeedEmbeddings) {
		t.Errorf("%s needs %v", selector.DefaultWithoutModel, need)
	}
}
