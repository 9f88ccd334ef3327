package llm_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rcvae/llm"
	"rcvae/rcvaetest"
)

func newSampler(t *testing.T, u *llm.Upstream, change func(*llm.Settings)) *llm.Sampler {
	t.Helper()
	settings := llm.DefaultSettings("m")
	if change != nil {
		change(&settings)
	}
	s, err := llm.NewSampler(u, settings)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func unsent(s *llm.Sampler) []string {
	p, _ := s.Profile()
	return p.Refused
}

func TestSamplerKeepsTheLaws(t *testing.T) {
	for _, name := range rcvaetest.Servers() {
		for _, isChat := range []bool{true, false} {
			_, u := start(t, rcvaetest.Script{Server: name}, nil)
			rcvaetest.TestSampler(t, newSampler(t, u, func(s *llm.Settings) { s.Chat = isChat }), question)
		}
	}
}

func TestCandidatesSayHowTheyWereMade(t *testing.T) {
	_, u := start(t, rcvaetest.Script{}, nil)
	candidates, err := newSampler(t, u, nil).Sample(t.Context(), question, 3)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range candidates {
		if c.Model != "m" || c.Sampler != "top_p" || c.Finish != "stop" || c.Tokens != rcvaetest.TokenCount(c.Text) || c.LogProb == nil {
			t.Errorf("candidate %d is %+v", i, c)
		}
	}
	short, err := newSampler(t, u, func(s *llm.Settings) { s.MaxTokens = 4 }).Sample(t.Context(), question, 1)
	if err != nil || short[0].Finish != "length" || short[0].Tokens != 4 {
		t.Errorf("with 4 tokens: %+v, %v", short, err)
	}
}

// TestEverySamplingFieldIsSent checks that neutral values are written out: servers
// have other ideas of what an absent field means.
func TestEverySamplingFieldIsSent(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*llm.Settings)
		want   map[string]string
	}{
		"defaults": {nil, map[string]string{"temperature": "0.7", "top_p": "0.9", "top_k": "-1", "min_p": "0", "max_tokens": "1024",
			"seed": "1", "logprobs": "true", "messages": `[{"role":"user","content":"` + question + `"}]`}},
		"greedy": {func(s *llm.Settings) { *s = s.Greedy() }, map[string]string{"temperature": "0", "top_p": "1", "top_k": "-1", "min_p": "0"}},
		"all set": {func(s *llm.Settings) {
			s.System, s.Template = "Think.", "Q: {question}\nA:"
			s.Temperature, s.TopP, s.TopK, s.MinP, s.MaxTokens, s.Seed, s.Stop, s.LogProbs = 1, 0.5, 20, 0.1, 7, 9, []string{"Q:"}, false
		}, map[string]string{"temperature": "1", "top_p": "0.5", "top_k": "20", "min_p": "0.1", "max_tokens": "7", "seed": "9", "stop": `["Q:"]`, "logprobs": "",
			"messages": `[{"role":"system","content":"Think."},{"role":"user","content":"Q: ` + question + `\nA:"}]`}},
		"raw": {func(s *llm.Settings) { s.Chat, s.Template = false, "Q: {question}\nA: <b>" },
			map[string]string{"prompt": `"Q: ` + question + `\nA: <b>"`, "messages": "", "logprobs": "1", "top_k": "-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			server, u := start(t, rcvaetest.Script{}, nil)
			if _, err := newSampler(t, u, tt.change).Sample(t.Context(), question, 1); err != nil {
				t.Fatal(err)
			}
			got := server.Calls()[0].Body
			for field, want := range tt.want {
				if value, _ := got.Get(field); string(value) != want {
					t.Errorf("%s: %s, want %s", field, value, want)
				}
			}
		})
	}
}

func TestNeutralFieldsAreDroppedWhereRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		script rcvaetest.Script
		unsent []string
		want   map[string]string // of the calls that succeed
	}{
		"openai":              {rcvaetest.Script{Server: rcvaetest.Hosted}, []string{"min_p", "top_k"}, map[string]string{"top_p": "0.9"}},
		"llama-cpp-python":    {rcvaetest.Script{Server: rcvaetest.LlamaCppPython}, nil, map[string]string{"top_k": "0", "min_p": "0"}},
		"sglang":              {rcvaetest.Script{Server: rcvaetest.SGLang}, nil, map[string]string{"top_k": "-1"}},
		"no log-probs":        {rcvaetest.Script{Reject: []string{"logprobs"}}, []string{"logprobs"}, map[string]string{"top_k": "-1"}},
		"another token limit": {rcvaetest.Script{Fault: wantsCompletionTokens}, nil, map[string]string{"max_completion_tokens": "1024", "max_tokens": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			server, u := start(t, tt.script, nil)
			s := newSampler(t, u, nil)
			for range 3 {
				if c, err := s.Sample(t.Context(), question, 4); err != nil || len(c) != 4 {
					t.Fatalf("%d candidates, %v", len(c), err)
				}
			}
			if got := unsent(s); !slices.Equal(got, tt.unsent) {
				t.Errorf("Unsent() = %v, want %v", got, tt.unsent)
			}
			calls := server.CallsOf(question)
			last := calls[len(calls)-1].Body
			for field, want := range tt.want {
				if value, _ := last.Get(field); string(value) != want {
					t.Errorf("%s: %s, want %s", field, value, want)
				}
			}
			for _, field := range tt.unsent {
				if last.Has(field) {
					t.Errorf("%s is still sent", field)
				}
			}
		})
	}
}

func wantsCompletionTokens(c rcvaetest.Call) *rcvaetest.Fault {
	if !c.Body.Has("max_tokens") || c.Question != question {
		return nil
	}
	return &rcvaetest.Fault{Status: 400, Message: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."}
}

// TestSettingsThatMatterAreNeverDropped checks that a refused top_k of 20 is an error
// and not a pool of another distribution.
func TestSettingsThatMatterAreNeverDropped(t *testing.T) {
	for field, change := range map[string]func(*llm.Settings){
		"top_k": func(s *llm.Settings) { s.TopK = 20 },
		"min_p": func(s *llm.Settings) { s.MinP = 0.2 },
	} {
		_, u := start(t, rcvaetest.Script{Reject: []string{field}}, nil)
		_, err := newSampler(t, u, change).Sample(t.Context(), question, 2)
		if err == nil || !strings.Contains(err.Error(), "does not take "+field) || !strings.Contains(err.Error(), u.URL()) {
			t.Errorf("%s: %v, want an error that names field and server", field, err)
		}
	}
}

func TestWithSharesWhatWasLearned(t *testing.T) {
	_, u := start(t, rcvaetest.Script{Server: rcvaetest.Hosted}, nil)
	s := newSampler(t, u, nil)
	if _, err := s.Sample(t.Context(), question, 2); err != nil {
		t.Fatal(err)
	}
	greedy, err := s.With(s.Settings().Greedy())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := unsent(greedy), []string{"min_p", "top_k"}; !slices.Equal(got, want) {
		t.Errorf("Unsent() = %v, want %v", got, want)
	}
	if c, err := greedy.Sample(t.Context(), question, 1); err != nil || c[0].Sampler != "greedy" {
		t.Errorf("greedy: %+v, %v", c, err)
	}
	if _, known := greedy.Profile(); !known {
		t.Error("the server's behaviour is not known after a draw")
	}
}

func TestSamplerNames(t *testing.T) {
	for want, change := range map[string]func(*llm.Settings){
		"top_p":       func(*llm.Settings) {},
		"greedy":      func(s *llm.Settings) { s.Temperature = 0 },
		"top_k":       func(s *llm.Settings) { s.TopK = 40 },
		"min_p":       func(s *llm.Settings) { s.TopP, s.MinP = 1, 0.1 },
		"temperature": func(s *llm.Settings) { s.TopP = 1 },
	} {
		s := llm.DefaultSettings("m")
		change(&s)
		if got := s.Sampler(); got != want {
			t.Errorf("Sampler() = %q, want %q", got, want)
		}
	}
}

func TestSettingsReportEveryBadField(t *testing.T) {
	bad := llm.Settings{System: "x", Template: "no mark", Temperature: -1, TopP: 2, MinP: -1, TopK: -1, Seed: -1}
	err := bad.Validate()
	for _, part := range []string{"name", "{question}", "system", "temperature", "top_p", "min_p", "top_k", "max_tokens", "seed"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("Validate() = %v, want %q in it", err, part)
		}
	}
	good := llm.DefaultSettings("m")
	if err := good.Validate(); err != nil {
		t.Errorf("the defaults are not valid: %v", err)
	}
	data, err := json.Marshal(good)
	var back llm.Settings
	if err != nil || json.Unmarshal(data, &back) != nil {
		t.Fatalf("settings do not survive JSON: %v", err)
	}
	if again, _ := json.Marshal(back); string(again) != string(data) {
		t.Errorf("settings %s came back as %s", data, again)
	}
}

// TestSamplingGoesOn: two draws of three are one draw of six, whatever the server does
// with n, and what is missing has its cause.
func TestSamplingGoesOn(t *testing.T) {
	for _, name := range rcvaetest.Servers() {
		_, u := start(t, rcvaetest.Script{Server: name, Reply: func(p rcvaetest.Prompt) rcvaetest.Reply {
			return rcvaetest.Reply{Text: fmt.Sprint("draw ", *p.Seed+int64(p.Choice))}
		}}, nil)
		s, texts := newSampler(t, u, nil), map[string]bool{}
		for _, first := range []int{0, 3} {
			candidates, err := s.SampleFrom(t.Context(), question, first, 3)
			if err != nil || len(candidates) != 3 {
				t.Fatalf("%s: %d candidates, %v", name, len(candidates), err)
			}
			for _, c := range candidates {
				texts[c.Text] = true
			}
		}
		if len(texts) != 6 || !texts["draw 1"] || !texts["draw 6"] {
			t.Errorf("%s: drew %v, want 1 to 6", name, texts)
		}
	}
	_, u := start(t, rcvaetest.Script{Server: rcvaetest.Ollama, Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		if c.Number == 2 {
			return &rcvaetest.Fault{Status: 400, Message: "no"}
		}
		return nil
	}}, nil)
	candidates, err := newSampler(t, u, nil).SampleFrom(t.Context(), question, 0, 3)
	if len(candidates) != 2 || err == nil || !strings.Contains(err.Error(), "no") {
		t.Errorf("%d candidates, %v, want two and why the third is missing", len(candidates), err)
	}
}

// TestThinkingIsKept beside the text, where the server keeps it apart.
func TestThinkingIsKept(t *testing.T) {
	_, u := start(t, rcvaetest.Script{Reply: func(rcvaetest.Prompt) rcvaetest.Reply {
		return rcvaetest.Reply{Text: "So 7.", Reasoning: "3 + 4, hm"}
	}}, nil)
	candidates, err := newSampler(t, u, nil).Sample(t.Context(), question, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range candidates {
		if c.Text != "So 7." || string(c.Extra["reasoning_content"]) != `"3 + 4, hm"` {
			t.Errorf("candidate %+v, want its thinking apart", c)
		}
	}
}
