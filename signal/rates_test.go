package signal_test

import (
	"encoding/json"
	"slices"
	"testing"

	"rcvae"
	"rcvae/signal"
)

// rates are shares of the candidates of a pool in percent.
type rates struct {
	correct, incorrect             int
	readCorrect, readIncorrect     int // with an equation
	alarmsCorrect, alarmsIncorrect int // with a wrong one
}

func percent(a, b int) float64 { return 100 * float64(a) / float64(max(1, b)) }

// isCorrect prefers the verdict of Math-Verify where a pool has it.
func isCorrect(s rcvae.Candidate) bool {
	if raw, ok := s.Extra["correct_mv"]; ok {
		var v bool
		if json.Unmarshal(raw, &v) == nil {
			return v
		}
	}
	return s.Verdict == rcvae.Correct
}

func measure(items []rcvae.Question, alarm func(rcvae.Candidate, signal.Equation)) rates {
	var r rates
	for _, it := range items {
		for _, s := range it.Candidates {
			equations := signal.Equations(s.Text)
			wrong := 0
			for _, e := range equations {
				if !e.Holds {
					wrong++
					if alarm != nil {
						alarm(s, e)
					}
				}
			}
			if isCorrect(s) {
				r.correct++
				r.readCorrect += min(1, len(equations))
				r.alarmsCorrect += min(1, wrong)
			} else {
				r.incorrect++
				r.readIncorrect += min(1, len(equations))
				r.alarmsIncorrect += min(1, wrong)
			}
		}
	}
	return r
}

// TestRates prints how often a wrong equation is seen in correct and in incorrect
// solutions, and holds the limits. Small models reach correct answers past wrong
// equations; docs/signals.md tells how many alarms were errors of the reader.
func TestRates(t *testing.T) {
	for _, c := range []struct {
		name          string
		most, atLeast float64 // alarms on correct ones, on incorrect ones, in percent
	}{
		{"train-pools/gsm8k-train-qwen2.5-coder-0.5b", 1.5, 24},
		{"train-pools/gsm8k-train-qwen2.5-coder-1.5b", 0.3, 12},
		{"train-pools/math-train-qwen2.5-coder-0.5b", 4, 18},
		{"demo/pool-train-qwen2.5-coder-0.5b", 2.2, 26},
		{"demo/pool-test-qwen2.5-coder-1.5b", 0.3, 11},
		{"pools/gsm8k-test-qwen2.5-coder-0.5b", 2, 24},
		{"pools/gsm8k-test300-llama3.1-8b-sft", 0.4, 13},
		{"pools/gsm8k-test300-llama-prompted", 0.8, 10},
		{"pools/gsm8k-test-gpt3-6b-175b", 0.8, 4},
		{"pools/gsm8k-test-faithfulcot-cot-ltm", 1.3, 39},
		{"pools/gsm8k-test-rho-1", 0.3, 9},
		{"pools/gsm8k-test-re2-gpt", 0.3, 4},
		{"pools/gsm8k-test-zeroeval-greedy", 0.2, 8},
		{"pools/math-math500-qwen2.5-coder-0.5b", 4.9, 19},
		{"pools/math-math500-rho-1", 0.5, 8},
		{"pools/math-test100-qwen2.5-math", 2, 20},
		{"pools/math-test-l5-zeroeval-greedy", 1.1, 6.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := measure(pool(t, c.name), nil)
			onCorrect, onIncorrect := percent(r.alarmsCorrect, r.correct), percent(r.alarmsIncorrect, r.incorrect)
			t.Logf("correct: n %d, read %.1f %%, alarm %.2f %%; incorrect: n %d, read %.1f %%, alarm %.2f %%",
				r.correct, percent(r.readCorrect, r.correct), onCorrect, r.incorrect, percent(r.readIncorrect, r.incorrect), onIncorrect)
			if onCorrect > c.most {
				t.Errorf("alarms on correct solutions = %.2f %%, want at most %.2f %%", onCorrect, c.most)
			}
			if onIncorrect < c.atLeast {
				t.Errorf("alarms on incorrect solutions = %.2f %%, want at least %.2f %%", onIncorrect, c.atLeast)
			}
		})
	}
}

// TestRatesOfAuthors: the authors of the training questions hardly ever calculate
// wrongly, so that nearly every alarm on their solutions is an error of the reader.
func TestRatesOfAuthors(t *testing.T) {
	for name, most := range map[string]float64{"gsm8k/train": 0.45, "math/train": 0.12} {
		alarms, all := 0, problems(t, name)
		for _, p := range all {
			if slices.ContainsFunc(signal.Equations(p.Solution), func(e signal.Equation) bool { return !e.Holds }) {
				alarms++
			}
		}
		if got := percent(alarms, len(all)); got > most {
			t.Errorf("%s: alarms on %.2f %% of the solutions, want at most %.2f %%", name, got, most)
		}
	}
}
