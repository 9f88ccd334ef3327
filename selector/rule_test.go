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
		if r, err := selector.Parse(name); err != nil || r.Name != name {
			t.Errorf("Parse(%q) = %q, %v", name, r.Name, err)
		}
	}
	seen := map[string]bool{}
	for _, r := range selector.Rules() {
		if seen[r.Name] || r.Description == "" {
			t.Errorf("rule %q is listed twice or has no description", r.Name)
		}
		seen[r.Name] = true
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
		"entropy": "embeddings, model", "vote:entropy": "embeddings, model, answers", "ratio": "embeddings, model, likelihoods, classes",
		"consensus": "embeddings", "logprob": "log-probabilities", "longest": "nothing", "majority": "answers", "oracle": "verdicts",
	} {
		if got := mustParse(t, name).Needs.String(); got != want {
			t.Errorf("%s needs %s, want %s", name, got, want)
		}
	}
}

func TestHaveAndGiven(t *testing.T) {
	ratio := linearModel{calibration: rcvae.Calibration{Objective: "ratio"}}
	src := selector.Sources{Embedder: &hashEmbedder{}, Models: []rcvae.Model{ratio}}
	if !src.Have().Has(selector.NeedRatio) {
		t.Error("a model of objective ratio does not serve the rule ratio")
	}
	src.Models = append(src.Models, columnModel{})
	if src.Have().Has(selector.NeedLikelihoods) {
		t.Error("a model without a decoder gives likelihoods")
	}
	c := answers("a", "")
	if got := selector.Given(c); got != selector.NeedAnswers {
		t.Errorf("Given() = %v, want answers", got)
	}
	for i := range c {
		c[i].LogProb, c[i].Tokens = &rcvae.LogProb{}, 1
	}
	if got := selector.Given(c); !got.Has(selector.NeedLogProbs) {
		t.Errorf("Given() = %v, want log-probabilities in it", got)
	}
}

type boundModel struct {
	columnModel
	fingerprint rcvae.Fingerprint
}

func (m boundModel) Fingerprint() rcvae.Fingerprint { return m.fingerprint }

type boundEmbedder struct {
	hashEmbedder
	fingerprint rcvae.Fingerprint
}

func (m *boundEmbedder) Fingerprint() rcvae.Fingerprint { return m.fingerprint }

func TestModelOfAnotherEmbedder(t *testing.T) {
	src := selector.Sources{
		Embedder: &boundEmbedder{fingerprint: rcvae.Fingerprint{Name: "one"}},
		Models:   []rcvae.Model{boundModel{fingerprint: rcvae.Fingerprint{Name: "other"}}},
	}
	_, err := selector.New("entropy", src, selector.Options{})
	if err == nil || !strings.Contains(err.Error(), "model 1 was trained on embeddings of other") {
		t.Errorf("New() = %v, want an error about the embedder", err)
	}
	if _, err := selector.New("consensus", src, selector.Options{}); err != nil {
		t.Errorf("New(consensus) = %v; it uses no model", err)
	}
}

func TestTableIsInRules(t *testing.T) {
	if !slices.Contains(selector.Table(), selector.Default) {
		t.Errorf("the table lacks the default rule %s", selector.Default)
	}
}
