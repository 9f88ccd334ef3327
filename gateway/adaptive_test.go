package gateway_test

import (
	"context"
	"math"
	"testing"

	"rcvae"
	"rcvae/gateway"
	"rcvae/rcvaetest"
)

// inTurn answers the draws of a question with the texts in turn, over all rounds: the
// requests have the seed 0, and the seeds of the rounds are apart by what was drawn.
func inTurn(list ...string) func(rcvaetest.Prompt) rcvaetest.Reply {
	return func(p rcvaetest.Prompt) rcvaetest.Reply {
		place := p.Choice
		if p.Seed != nil {
			place += int(*p.Seed)
		}
		return rcvaetest.Reply{Text: list[place%len(list)]}
	}
}

func TestAdaptiveK(t *testing.T) {
	for name, test := range map[string]struct {
		rule     string
		replies  []string
		min, max int
		drawn    int
		stopped  string
	}{
		"out of reach":              {"majority", []string{"so 1", "so 1", "so 1", "so 2"}, 4, 5, 4, "decided"},
		"a tie is within reach":     {"majority", []string{"so 1", "so 1", "so 1", "so 2", "so 2", "so 2"}, 4, 6, 6, ""},
		"all agree":                 {"majority", []string{"so 1"}, 2, 16, 2, "margin"},
		"they never agree":          {"majority", []string{"so 1", "so 2", "so 3", "so 4"}, 2, 8, 8, ""},
		"nobody votes":              {"majority", []string{"I do not know"}, 2, 6, 6, ""},
		"weights have only a share": {"vote:longest", []string{"so 1", "so 1", "so 1", "so 2"}, 4, 5, 5, ""},
		"weights that agree":        {"vote:longest", []string{"so 1"}, 4, 16, 4, "margin"},
		"the last round is shorter": {"majority", []string{"so 1", "so 2", "so 3"}, 4, 6, 6, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(s *setup) {
				s.config.KMin, s.config.KMax, s.config.Selector = test.min, test.max, test.rule
				s.script.Reply = inTurn(test.replies...)
			})
			b := s.post(chat, ask("q", `"seed":0`)).completion(t).Block
			if b.Drawn != test.drawn || b.Stopped != test.stopped || b.K != test.max || b.Returned != test.drawn {
				t.Errorf("drawn %d of %d, returned %d, stopped %q, want %d and %q", b.Drawn, b.K, b.Returned, b.Stopped, test.drawn, test.stopped)
			}
		})
	}
}

func TestAdaptiveKByRequest(t *testing.T) {
	s := start(t, func(s *setup) { s.script.Reply = inTurn("so 1") })
	if b := s.post(chat, ask("q", `"rcvae":{"k_min":3,"k_max":9}`)).completion(t).Block; b.Drawn != 3 || b.K != 9 {
		t.Errorf("drawn %d of %d, want 3 of 9", b.Drawn, b.K)
	}
	if b := s.post(chat, ask("q", `"rcvae":{"k":9}`)).completion(t).Block; b.Drawn != 9 {
		t.Errorf("a fixed k drew %d, want 9", b.Drawn)
	}
}

// A leader who is decided stays the leader whatever comes: all continuations of the
// votes are tried.
func TestDecidedMeansDecided(t *testing.T) {
	answers := []string{"so 1", "so 2", "so 3"}
	const total = 5
	decided := 0
	for prefix := range int(math.Pow(3, total)) {
		list := make([]string, total)
		for i, rest := 0, prefix; i < total; i, rest = i+1, rest/3 {
			list[i] = answers[rest%3]
		}
		early, stopped := gateway.DecideForTest(t.Context(), list, 2, total)
		full, _ := gateway.DecideForTest(t.Context(), list, total, total)
		if stopped == "decided" {
			decided++
			if list[early] != list[full] {
				t.Errorf("%v: adaptive drawing chose %q, all draws %q", list, list[early], list[full])
			}
		}
	}
	if decided == 0 {
		t.Error("no list was decided early: nothing was tested")
	}
}

func TestAdaptiveKSurvivesATroubledRule(t *testing.T) {
	calls := 0
	s := start(t, func(s *setup) {
		s.config.KMin, s.config.KMax, s.config.Selector = 2, 6, "scripted"
		s.parts.Rules["scripted"] = gateway.Rule{Selector: selectorFunc(func(context.Context, string, []rcvae.Candidate) (rcvae.Selection, error) {
			calls++
			return rcvae.Selection{}, context.DeadlineExceeded
		})}
		s.script.Reply = inTurn("so 1")
	})
	if b := s.post(chat, ask("q")).completion(t).Block; b.Drawn != 6 || b.Fallback == "" || calls == 0 {
		t.Errorf("block %+v, want all drawn and a fallback", b)
	}
}
