package cvae

import (
	"strings"
	"testing"
)

// A quarter of GSM8K's 3,000 mixed questions makes a good model, 6 % of them do not.
func TestJudgeMixedAgreesWithMeasurements(t *testing.T) {
	for n, want := range map[int]bool{0: false, 180: false, 750: true, 3000: true} {
		if verdict, enough := JudgeMixed(n); enough != want || verdict == "" {
			t.Errorf("JudgeMixed(%d) = %q, %t, want %t", n, verdict, enough, want)
		}
	}
}

// The warning of a trained model and the verdict before a training never disagree.
func TestSummaryWarnsAsJudgeMixedJudges(t *testing.T) {
	config := DefaultConfig(Contrastive, 8)
	healthy := Diagnostics{ActiveUnits: config.Latent, Latent: config.Latent}
	for n := range 1200 {
		verdict, enough := JudgeMixed(n)
		warnings := strings.Join(Summary{MixedQuestions: n, Diagnostics: healthy}.warnings(config), "\n")
		if strings.Contains(warnings, verdict) == enough || enough && warnings != "" {
			t.Errorf("%d mixed questions: enough %t, warnings %q", n, enough, warnings)
		}
	}
	literal := config
	literal.ListwiseWeight = 0
	if w := (Summary{MixedQuestions: 1, Diagnostics: healthy}).warnings(literal); len(w) != 0 {
		t.Errorf("without the listwise term: warnings %q, want none about mixed questions", w)
	}
}
