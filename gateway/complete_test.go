package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/gateway"
	"rcvae/rcvaetest"
	"rcvae/signal"
)

func TestEveryServerGivesTheBestOfK(t *testing.T) {
	for _, server := range rcvaetest.Servers() {
		t.Run(string(server), func(t *testing.T) {
			s := start(t, func(s *setup) { s.script.Server = server })
			question := "How many apples does " + string(server) + " have?"
			got := s.post(chat, ask(question, `"seed":7`))
			c := got.completion(t)
			if c.Object != "chat.completion" || c.ID == "" || c.Model != "scripted" || c.Created == 0 || c.Fingerprint == "" {
				t.Errorf("the envelope is not complete: %s", got.body)
			}
			if len(c.Choices) != 1 || c.Choices[0].Index != 0 || c.Choices[0].Finish != "stop" || c.Choices[0].Message.Role != "assistant" {
				t.Errorf("choices %+v, want one of the assistant that stopped", c.Choices)
			}
			if !strings.Contains(c.Choices[0].Message.Content, rcvaetest.Marker(question)) {
				t.Errorf("the answer %q is to another question", c.Choices[0].Message.Content)
			}
			if b := c.Block; b.K != 4 || b.Drawn != 4 || b.Returned != 4 || b.Selector != "majority" || len(b.Scores) != 4 || b.Reason == "" || b.Fallback != "" {
				t.Errorf("rcvae block %+v, want 4 candidates chosen from by majority", b)
			}
			if h := got.header.Get("X-RCVAE-Chosen"); h != fmt.Sprint(c.Block.Chosen) {
				t.Errorf("X-RCVAE-Chosen is %q, want %d", h, c.Block.Chosen)
			}
		})
	}
}

func TestUsageIsTheSumOverAllCandidates(t *testing.T) {
	list := []string{"a a a so 1", "b so 2", "c c so 1", "so 1"}
	want := 0
	for _, text := range list {
		want += rcvaetest.TokenCount(text)
	}
	for _, server := range []rcvaetest.Server{rcvaetest.VLLM, rcvaetest.LlamaCpp} {
		s := start(t, func(s *setup) { s.script.Server, s.script.Reply = server, texts(list...) })
		c := s.post(chat, ask("q", `"logprobs":true`)).completion(t)
		if c.Usage.CompletionTokens != want || c.Usage.TotalTokens != c.Usage.PromptTokens+want {
			t.Errorf("%s: usage %+v, want %d completion tokens", server, c.Usage, want)
		}
	}
}

func TestUnknownFieldsSurviveBothWays(t *testing.T) {
	s := start(t, func(*setup) {})
	odd := `"x_custom":{"b":1.50,"a":[null]},"response_format":{"type":"json_object"},"top_k":20`
	c := s.post(chat, ask("q", odd, `"rcvae":{"k":3}`, `"n":1`)).completion(t)
	if c.Fingerprint == "" {
		t.Errorf("the upstream's system_fingerprint was dropped")
	}
	calls := s.upstream.CallsOf("q")
	last := calls[len(calls)-1]
	if !strings.Contains(string(last.Raw), odd) {
		t.Errorf("the upstream got %s, want %s in it, byte for byte", last.Raw, odd)
	}
	if last.Body.Has("rcvae") || last.N != 3 {
		t.Errorf("the upstream got %s, want n = 3 and no field rcvae", last.Raw)
	}
}

func TestHistoriesAndImagesAreKept(t *testing.T) {
	var seen string
	s := start(t, func(s *setup) {
		s.config.Selector = "scripted"
		s.parts.Rules["scripted"] = gateway.Rule{Selector: selectorFunc(func(_ context.Context, question string, c []rcvae.Candidate) (rcvae.Selection, error) {
			seen = question
			return rcvae.Selection{Scores: make([]float64, len(c)), Reason: "the first"}, nil
		})}
	})
	messages := `[{"role":"system","content":"Be short."},{"role":"user","content":"Old?"},{"role":"assistant","content":"Yes."},` +
		`{"role":"user","content":[{"type":"text","text":"What is"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"text","text":"this?"}]}]`
	s.post(chat, `{"model":"m","messages":`+messages+`}`).completion(t)
	if want := "What is\nthis?"; seen != want {
		t.Errorf("the selector's question is %q, want %q", seen, want)
	}
	for _, call := range s.upstream.CallsOf("What isthis?") {
		if got, _ := call.Body.Get("messages"); string(got) != messages {
			t.Errorf("the upstream got %s, want the messages unchanged", got)
		}
	}
}

func TestRawCompletions(t *testing.T) {
	s := start(t, func(*setup) {})
	got := s.post("/v1/completions", `{"model":"m","prompt":"Count."}`).completion(t)
	if got.Object != "text_completion" || !strings.Contains(got.Choices[0].Text, rcvaetest.Marker("Count.")) || got.Block.Returned != 4 {
		t.Errorf("answer %+v, want a text completion of 4 candidates", got)
	}
}

func TestMajorityIsServed(t *testing.T) {
	s := start(t, func(s *setup) { s.script.Reply = texts("so 5", "so 7", "so 7", "so 9") })
	c := s.post(chat, ask("q", `"rcvae":{"return_candidates":true}`)).completion(t)
	if c.Choices[0].Message.Content != "so 7" || c.Block.Chosen != 1 {
		t.Errorf("chosen %d, %q, want candidate 1, so 7", c.Block.Chosen, c.Choices[0].Message.Content)
	}
	var answers []string
	for i, candidate := range c.Block.Candidates {
		answers = append(answers, candidate.Answer)
		if candidate.Index != i {
			t.Errorf("candidate %d has index %d", i, candidate.Index)
		}
	}
	if want := []string{"5", "7", "7", "9"}; !slices.Equal(answers, want) {
		t.Errorf("answers of the candidates %v, want %v", answers, want)
	}
}

func TestACallersNReturnsTheBestInOrder(t *testing.T) {
	s := start(t, func(s *setup) {
		s.config.Selector = "longest"
		s.script.Reply = texts("three 33", "one 1", "longest of all 4444", "middle 22")
	})
	c := s.post(chat, ask("q", `"n":3`)).completion(t)
	if want := []int{2, 3, 0}; !slices.Equal(c.Block.Order, want) {
		t.Errorf("order %v, want %v", c.Block.Order, want)
	}
	for place, want := range []string{"longest of all 4444", "middle 22", "three 33"} {
		if got := c.Choices[place]; got.Message.Content != want || got.Index != place {
			t.Errorf("choice %d is %q with index %d, want %q", place, got.Message.Content, got.Index, want)
		}
	}
	t.Run("n above k draws n", func(t *testing.T) {
		if c := s.post(chat, ask("q", `"n":6`)).completion(t); len(c.Choices) != 6 || c.Block.K != 6 {
			t.Errorf("%d choices of %d, want 6 of 6", len(c.Choices), c.Block.K)
		}
	})
}

func TestWhoDecidesK(t *testing.T) {
	s := start(t, func(s *setup) { s.config.MaxK = 16 })
	for name, test := range map[string]struct {
		body, header string
		want         int
	}{
		"the server":           {ask("q"), "", 4},
		"the header":           {ask("q"), "5", 5},
		"the body beats it":    {ask("q", `"rcvae":{"k":3}`), "5", 3},
		"null blocks say none": {ask("q", `"rcvae":null`, `"n":null`), "", 4},
	} {
		t.Run(name, func(t *testing.T) {
			if c := s.post(chat, test.body, "X-RCVAE-K", test.header).completion(t); c.Block.K != test.want {
				t.Errorf("k = %d, want %d", c.Block.K, test.want)
			}
		})
	}
}

func TestLogProbsAreThoseOfTheChosen(t *testing.T) {
	s := start(t, func(s *setup) { s.config.Selector = "longest" })
	t.Run("asked for", func(t *testing.T) {
		c := s.post(chat, ask("q", `"logprobs":true`)).completion(t)
		var probs struct{ Content []struct{ Token string } }
		if err := json.Unmarshal(c.Choices[0].LogProbs, &probs); err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, token := range probs.Content {
			text += token.Token
		}
		if text != c.Choices[0].Message.Content {
			t.Errorf("log-probabilities of %q, want those of the answer %q", text, c.Choices[0].Message.Content)
		}
	})
	t.Run("asked for by the rule only", func(t *testing.T) {
		c := s.post(chat, ask("q2", `"rcvae":{"selector":"logprob"}`)).completion(t)
		if c.Block.Fallback != "" || string(c.Choices[0].LogProbs) != "null" {
			t.Errorf("fallback %q, log-probabilities %s, want a selection and null", c.Block.Fallback, c.Choices[0].LogProbs)
		}
		calls := s.upstream.CallsOf("q2")
		if value, _ := calls[len(calls)-1].Body.Get("logprobs"); string(value) != "true" {
			t.Errorf("logprobs sent to the upstream: %s, want true", value)
		}
	})
}

func TestAnUpstreamWithoutLogProbsStillAnswers(t *testing.T) {
	s := start(t, func(s *setup) { s.script.Reject, s.config.Selector = []string{"logprobs"}, "logprob" })
	if c := s.post(chat, ask("q")).completion(t); c.Block.Fallback == "" {
		t.Errorf("block %+v, want a fallback that says why", c.Block)
	}
}

func TestSurvivorsOfAPartialFailureAnswer(t *testing.T) {
	s := start(t, func(s *setup) {
		s.script.Server = rcvaetest.Ollama
		s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault {
			if c.Question == "q" && string(seed(c)) == "2" {
				return &rcvaetest.Fault{Status: http.StatusInternalServerError}
			}
			return nil
		}
	})
	c := s.post(chat, ask("q", `"seed":0`)).completion(t)
	if c.Block.Returned != 3 || len(c.Block.Scores) != 3 {
		t.Errorf("block %+v, want 3 of 4", c.Block)
	}
}

func seed(c rcvaetest.Call) []byte {
	value, _ := c.Body.Get("seed")
	return value
}

// TestExplain: each candidate comes with its equations, in bytes of its text, and its signals.
func TestExplain(t *testing.T) {
	s := start(t, func(s *setup) { s.script.Reply = texts("Ü 2 + 3 = 5", "Ü 2 + 3 = 6") })
	type explained struct {
		Block struct {
			Candidates []struct {
				Text      string
				Equations []signal.Equation
				Signals   map[string]float64
			}
		} `json:"rcvae"`
	}
	var got explained
	if err := json.Unmarshal(s.post(chat, ask("What is 2 + 3?", `"rcvae":{"k":2,"explain":true}`)).body, &got); err != nil || len(got.Block.Candidates) != 2 {
		t.Fatalf("%+v, %v, want two candidates", got, err)
	}
	for i, c := range got.Block.Candidates {
		if len(c.Equations) != 1 || c.Equations[0].Holds != (i == 0) || c.Text[c.Equations[0].Start:c.Equations[0].End] != c.Equations[0].Text || c.Signals["wrong_any"] != float64(i) {
			t.Errorf("candidate %d: %+v", i, c)
		}
	}
	if _, ok := got.Block.Candidates[0].Signals["logprob_mean"]; ok {
		t.Error("a signal that does not apply has a value")
	}
	for _, fields := range []string{`"n":1`, `"rcvae":{"return_candidates":true}`, `"rcvae":{"selector":"scripted","explain":true}`} {
		if body := string(s.post(chat, ask("q", fields)).body); strings.Contains(body, `"equations"`) {
			t.Errorf("%s: %s, want no equations", fields, body)
		}
	}
}
