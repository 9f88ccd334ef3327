package cvae

import (
	"strings"
	"testing"

	"rcvae"
)

// A quarter of GSM8K's 3,000 mixed questions makes a good model, 6 % of them do not.
func TestEnoughMixedAgreesWithMeasurements(t *testing.T) {
	for n, want := range map[int]bool{0: false, 180: false, 750: true, 3000: true} {
		if verdict, enough := EnoughMixed(n); enough != want || verdict == "" {
			t.Errorf("EnoughMixed(%d) = %q, %t, want %t", n, verdict, enough, want)
		}
	}
}

// The warning of a trained model and the verdict before a training never disagree.
func TestSummaryWarnsAsEnoughMixedSays(t *testing.T) {
	healthy := rcvae.Diagnostics{ActiveUnits: 32, Latent: 32}
	for n := range 1200 {
		verdict, enough := EnoughMixed(n)
		warnings := strings.Join(Summary{MixedQuestions: n, Diagnostics: healthy}.warnings(contrastiveObjective(), true), "\n")
		if strings.Contains(warnings, verdict) == enough || enough && warnings != "" {
			t.Errorf("%d mixed questions: enough %t, warnings %q", n, enough, warnings)
		}
	}
	if w := (Summary{MixedQuestions: 1, Diagnostics: healthy}).warnings(contrastiveObjective(), false); len(w) != 0 {
		t.Errorf("without the listwise term: warnings %q, want none about mixed questions", w)
	}
}
