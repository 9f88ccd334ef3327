package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"rcvae/rcvaetest"
)

// TestListsOfPrompts: choices for each prompt, as the server itself gives them.
func TestListsOfPrompts(t *testing.T) {
	s := start(t, func(s *setup) {
		s.script.Reply = func(p rcvaetest.Prompt) rcvaetest.Reply {
			return rcvaetest.Reply{Text: p.Question + []string{" so 5", " so 7", " so 7", " so 9"}[p.Choice%4]}
		}
	})
	const body = `{"model":"m","prompt":["a","b","c"]%s}`
	type answer struct {
		completion
		Block struct {
			K       int
			Prompts []struct{ Chosen, Returned int }
		} `json:"rcvae"`
	}
	got := s.post("/v1/completions", fmt.Sprintf(body, ""))
	var c answer
	if err := json.Unmarshal(got.body, &c); err != nil || got.status != http.StatusOK || len(c.Choices) != 3 {
		t.Fatalf("%d %s, %v, want three choices", got.status, got.body, err)
	}
	for i, name := range []string{"a", "b", "c"} {
		if c.Choices[i].Index != i || c.Choices[i].Text != name+" so 7" || c.Block.Prompts[i].Chosen != 1 || c.Block.Prompts[i].Returned != 4 {
			t.Errorf("choice %d: %+v, block %+v, want the majority for %s", i, c.Choices[i], c.Block.Prompts[i], name)
		}
	}
	one := s.post("/v1/completions", `{"model":"m","prompt":"a"}`).completion(t)
	if c.Usage.PromptTokens != 3*one.Usage.PromptTokens || c.Usage.CompletionTokens != 3*one.Usage.CompletionTokens {
		t.Errorf("usage %+v, want three times %+v", c.Usage, one.Usage)
	}
	two := s.post("/v1/completions", fmt.Sprintf(body, `,"n":2`)).completion(t)
	for i, choice := range two.Choices {
		if choice.Index != i || !strings.HasPrefix(choice.Text, []string{"a", "b", "c"}[i/2]) {
			t.Errorf("choice %d of n = 2: %+v", i, choice)
		}
	}
	texts := map[int]string{}
	for _, chunk := range chunks(t, s.post("/v1/completions", fmt.Sprintf(body, `,"stream":true`))) {
		texts[chunk.Choices[0].Index] += chunk.Choices[0].Text
	}
	if len(texts) != 3 || texts[2] != "c so 7" {
		t.Errorf("streamed %v, want three texts", texts)
	}
	t.Run("token ids", func(t *testing.T) {
		if c := s.post("/v1/completions", `{"model":"m","prompt":[1,2,3]}`).completion(t); len(c.Choices) != 1 {
			t.Errorf("%d choices for one list of ids, want 1", len(c.Choices))
		}
		if c := s.post("/v1/completions", `{"model":"m","prompt":[[1,2],[3]]}`).completion(t); len(c.Choices) != 2 {
			t.Errorf("%d choices for two lists of ids, want 2", len(c.Choices))
		}
		calls := s.upstream.Calls()
		if prompt, _ := calls[len(calls)-1].Body.Get("prompt"); string(prompt) != "[1,2]" && string(prompt) != "[3]" {
			t.Errorf("the upstream got the prompt %s", prompt)
		}
	})
	for _, bad := range []string{`5`, `[]`, `[true]`, `{"a":1}`, `null`, `["a",[1],{}]`} {
		s.post("/v1/completions", `{"model":"m","prompt":`+bad+`}`).wantError(t, 400)
	}
	s.post("/v1/completions", fmt.Sprintf(body, `,"stream":true,"rcvae":{"events":true}`)).wantError(t, 400)
}

func TestAPanicForOnePromptCostsOneRequest(t *testing.T) {
	s := start(t, func(s *setup) {
		s.parts.Extract = func(text string) (string, string) {
			if strings.Contains(text, rcvaetest.Marker("b")) {
				panic("bug")
			}
			return "1", "number"
		}
	})
	s.post("/v1/completions", `{"model":"m","prompt":["a","b","c"]}`).wantError(t, 500)
	s.post("/v1/completions", `{"model":"m","prompt":["a","c"]}`).completion(t)
}

// TestUsageDoesNotDependOnHowItWasDrawn: an agent that compacts its history by the
// prompt's tokens sees its context once, on any upstream.
func TestUsageDoesNotDependOnHowItWasDrawn(t *testing.T) {
	var seen []string
	for _, server := range []rcvaetest.Server{rcvaetest.VLLM, rcvaetest.Ollama} {
		for _, fields := range []string{best, `"rcvae":{"k_min":2,"k_max":4}`} {
			s := start(t, func(s *setup) {
				s.script.Server, s.config.Margin = server, 1
				s.script.Reply = func(p rcvaetest.Prompt) rcvaetest.Reply {
					return rcvaetest.Reply{Text: fmt.Sprintf("the answer is %d", *p.Seed+int64(p.Choice))}
				}
			})
			got := s.post(chat, ask("a long question", `"seed":0`, fields))
			c := got.completion(t)
			var block struct {
				Block struct {
					Usage struct {
						Prompt int `json:"prompt_tokens"`
					} `json:"upstream_usage"`
				} `json:"rcvae"`
			}
			if err := json.Unmarshal(got.body, &block); err != nil || block.Block.Usage.Prompt%c.Usage.PromptTokens != 0 || block.Block.Usage.Prompt == 0 {
				t.Errorf("upstream_usage %+v, %v, of usage %+v", block, err, c.Usage)
			}
			seen = append(seen, fmt.Sprintf("%d+%d=%d", c.Usage.PromptTokens, c.Usage.CompletionTokens, c.Usage.TotalTokens))
		}
	}
	for _, s := range seen[1:] {
		if s != seen[0] {
			t.Errorf("usages %v, want all the same", seen)
			break
		}
	}
}

// TestMoneyIsKept sums what an upstream counts besides tokens.
func TestMoneyIsKept(t *testing.T) {
	s := before(t, says(200, `{"choices":[{"index":0,"message":{"content":"so 1"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"cost":0.25,"cost_details":{"upstream":0.5}}}`), nil)
	got := string(s.post(chat, ask("q", best)).body)
	for _, want := range []string{`"usage":{"prompt_tokens":10,"completion_tokens":8,"total_tokens":18,"cost":1,"cost_details":{"upstream":2}}`, `"upstream_usage":{"prompt_tokens":40,`} {
		if !strings.Contains(got, want) {
			t.Errorf("the answer is %s, want %s in it", got, want)
		}
	}
	none := before(t, says(200, `{"choices":[{"index":0,"message":{"content":"so 1"},"finish_reason":"stop"}]}`), nil)
	if got := string(none.post(chat, ask("q", best)).body); strings.Contains(got, "usage") {
		t.Errorf("the answer is %s, want no usage where the upstream counts none", got)
	}
}

// TestEqualCandidatesAreDrawnOnce, and the client is told.
func TestEqualCandidatesAreDrawnOnce(t *testing.T) {
	s := start(t, func(*setup) {})
	for fields, want := range map[string]int{`"temperature":0`: 1, `"temperature":0.0`: 1, `"top_k":1`: 1, `"temperature":0.1`: 4, `"temperature":0,"n":2`: 2} {
		question := "q " + fields
		got := s.post(chat, ask(question, fields))
		c := got.completion(t)
		if c.Block.Drawn != want || (c.Block.Stopped == "greedy") != (want != 4) || strings.Contains(string(got.body), "warnings") != (want != 4) {
			t.Errorf("%s: block %+v, want %d drawn and a word", fields, c.Block, want)
		}
		total := 0
		for _, call := range s.upstream.CallsOf(question) {
			total += call.N
		}
		if total != want {
			t.Errorf("%s: the upstream was asked for %d choices, want %d", fields, total, want)
		}
	}
}

// toolMessages answers n choices with the messages in turn.
func toolMessages(messages ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body struct{ N int }
		_ = json.NewDecoder(r.Body).Decode(&body) // a GET has none
		var choices []string
		for i := range max(body.N, 1) {
			choices = append(choices, fmt.Sprintf(`{"index":%d,"message":%s,"finish_reason":"tool_calls"}`, i, messages[i%len(messages)]))
		}
		_, _ = io.WriteString(w, `{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[`+strings.Join(choices, ",")+`]}`)
	}
}

// TestToolsVoteByWhatTheyDo: functions, custom tools, and the calls of old clients.
func TestToolsVoteByWhatTheyDo(t *testing.T) {
	custom := func(input string) string {
		return `{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"custom","custom":{"name":"code","input":"` + input + `"}}]}`
	}
	legacy := func(city string) string {
		return `{"role":"assistant","content":null,"function_call":{"name":"get","arguments":"{\"city\":\"` + city + `\"}"}}`
	}
	for name, list := range map[string][]string{
		"custom": {custom("rm -rf build"), custom("print(1)"), custom("print(1)"), custom("print(1)")},
		"legacy": {legacy("Rome"), legacy("Paris"), legacy("Paris"), legacy("Paris")},
	} {
		s := before(t, toolMessages(list...), nil)
		got := s.post(chat, ask("q", `"rcvae":{"k":4,"return_candidates":true}`))
		c := got.completion(t)
		if c.Block.Chosen != 1 || !strings.HasPrefix(c.Block.Reason, "3 of 4") {
			t.Errorf("%s: chosen %d, %q, want the majority", name, c.Block.Chosen, c.Block.Reason)
		}
		if strings.Contains(string(got.body), "rm -rf") != (name == "custom") || !strings.Contains(string(got.body), list[1]) {
			t.Errorf("%s: the answer %s, want the chosen message as it was, and the inputs among the candidates", name, got.body)
		}
	}
	empty := before(t, toolMessages(`{"role":"assistant","content":"so 7","tool_calls":[]}`), nil)
	if stream := string(empty.post(chat, ask("q", `"stream":true`)).body); strings.Contains(stream, "tool_calls\":[]") || !strings.Contains(stream, "so 7") {
		t.Errorf("streamed %s, want no list without calls", stream)
	}
}

// TestThinkingIsKeptAndNotRead: neither field nor tag of a model's thinking is its answer.
func TestThinkingIsKeptAndNotRead(t *testing.T) {
	tagged := func(thought, answer string) string {
		return fmt.Sprintf(`{"role":"assistant","content":"<think>The answer is %s.</think>%s"}`, thought, answer)
	}
	s := before(t, toolMessages(tagged("9", "The answer is 5."), tagged("9", "The answer is 7."), tagged("8", "The answer is 7."), `{"role":"assistant","content":"<think>The answer is 9."}`), nil)
	got := s.post(chat, ask("q", `"rcvae":{"k":4,"return_candidates":true}`))
	c := got.completion(t)
	var answers []string
	for _, candidate := range c.Block.Candidates {
		answers = append(answers, candidate.Answer)
	}
	if fmt.Sprint(answers) != "[5 7 7 ]" || !strings.Contains(c.Choices[0].Message.Content, "<think>") {
		t.Errorf("answers %v, chosen %q, want those behind the thinking, and the thinking kept", answers, c.Choices[0].Message.Content)
	}
	field := before(t, toolMessages(`{"role":"assistant","content":"The answer is 7.","reasoning_content":"The answer is 9."}`), nil)
	got = field.post(chat, ask("q", best))
	if c := got.completion(t); c.Choices[0].Message.Content != "The answer is 7." || !strings.Contains(string(got.body), `"reasoning_content":"The answer is 9."`) {
		t.Errorf("the answer is %s, want the reasoning kept beside it", got.body)
	}
}
