package selector_test

import (
	"testing"

	"rcvae"
	"rcvae/selector"
)

func TestTauOfVotes(t *testing.T) {
	sources := selector.Sources{
		Embedder: &hashEmbedder{},
		Models:   []rcvae.Model{linearModel{calibration: rcvae.Calibration{Tau: 0.2}}, linearModel{calibration: rcvae.Calibration{Tau: 0.4}}},
	}
	for name, test := range map[string]struct {
		rule    string
		options selector.Options
		want    float64
	}{
		"mean of the models":     {"vote:entropy", selector.Options{}, 0.3},
		"an option beats models": {"vote:entropy", selector.Options{Tau: 2}, 2},
		"a plain vote":           {"majority", selector.Options{}, 0},
		"a plain score":          {"entropy", selector.Options{Tau: 2}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := selector.New(test.rule, sources, test.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Tau(); got < test.want-1e-12 || got > test.want+1e-12 {
				t.Errorf("Tau() = %v, want %v", got, test.want)
			}
		})
	}
}
