package llm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"rcvae/internal/openaiapi"
)

// TestLogProbsAgainstTheDefinition compares the running sums with plain loops.
func TestLogProbsAgainstTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	mean := func(values []float64) (m float64) {
		for _, v := range values {
			m += v
		}
		return m / float64(len(values))
	}
	for _, n := range []int{1, 2, 63, 64, 65, 100, 500} {
		values := make([]float64, n)
		for i := range values {
			values[i] = -rng.ExpFloat64()
		}
		lowest := math.Inf(1)
		for from := 0; from == 0 || from+window <= n; from++ {
			lowest = min(lowest, mean(values[from:min(from+window, n)]))
		}
		got := sumLogProbs(values)
		for name, pair := range map[string][2]float64{
			"Sum": {got.Sum, mean(values) * float64(n)}, "Tail": {got.Tail, mean(values[max(0, n-window):])}, "MinWindow": {got.MinWindow, lowest},
		} {
			if math.Abs(pair[0]-pair[1]) > 1e-9*float64(n) {
				t.Errorf("%d tokens: %s = %v, want %v", n, name, pair[0], pair[1])
			}
		}
	}
	if sumLogProbs(nil) != nil {
		t.Error("no tokens have log-probabilities")
	}
}

func TestParseCompletionForms(t *testing.T) {
	for _, tt := range []struct {
		name, choice string
		want         Choice
		sum          float64 // of the log-probabilities; 0: none
	}{
		{"chat", `{"message":{"content":"hi"},"finish_reason":"stop","logprobs":{"content":[{"token":"h","logprob":-0.5},{"token":"i","logprob":-0.25}]}}`, Choice{Text: "hi", Finish: "stop"}, -0.75},
		{"raw", `{"text":"hi","finish_reason":"length","logprobs":{"tokens":["h","i"],"token_logprobs":[null,-0.25]}}`, Choice{Text: "hi", Finish: "length"}, -0.25},
		{"raw of llama.cpp", `{"text":"hi","logprobs":{"content":[{"id":1,"token":"hi","logprob":-1.5,"top_logprobs":[]}]}}`, Choice{Text: "hi"}, -1.5},
		{"content in parts", `{"message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}`, Choice{Text: "ab"}, 0},
		{"nulls", `{"message":{"content":null,"tool_calls":null},"finish_reason":null,"logprobs":null}`, Choice{}, 0},
		{"nothing", `{}`, Choice{}, 0},
		{"a legacy call", `{"message":{"content":null,"function_call":{"name":"f","arguments":"{}"}},"finish_reason":"function_call"}`, Choice{Finish: "function_call"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := parseCompletion([]byte(`{"id":"1","choices":[` + tt.choice + `],"usage":null,"x":[1]}`))
			if err != nil {
				t.Fatal(err)
			}
			got := c.choices[0]
			if got.Text != tt.want.Text || got.Finish != tt.want.Finish || string(got.Raw) != tt.choice {
				t.Errorf("choice %+v, want %+v", got, tt.want)
			}
			if (got.LogProb != nil) != (tt.sum != 0) || got.LogProb != nil && got.LogProb.Sum != tt.sum {
				t.Errorf("log-probabilities %+v, want the sum %v", got.LogProb, tt.sum)
			}
			if want := `{"id":"1","x":[1]}`; string(c.envelope.Bytes()) != want {
				t.Errorf("envelope %s, want %s", c.envelope.Bytes(), want)
			}
		})
	}
	tool, err := parseCompletion([]byte(`{"choices":[{"message":{"content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"add","arguments":"{\"a\": 1}"}}]}}]}`))
	if err != nil || len(tool.choices[0].ToolCalls) != 1 || tool.choices[0].ToolCalls[0].Function.Name != "add" {
		t.Errorf("tool calls: %+v, %v", tool.choices, err)
	}
	for name, bad := range map[string]string{
		"no JSON": "<html>", "events": "data: {\"choices\":[{\"text\":\"a\"}]}\n\n", "cut off": `{"choices":[`, "no choices": `{"id":"1"}`, "empty": `{"choices":[]}`, "a list": `[]`,
		"error with status 200": `{"error":{"message":"overloaded"}}`, "a number for a text": `{"choices":[{"text":5}]}`, "choices of another type": `{"choices":{"a":1}}`,
	} {
		if _, err := parseCompletion([]byte(bad)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestTokenCounts has one case a rule of countTokens.
func TestTokenCounts(t *testing.T) {
	text := func(n int, measured int) string {
		logProbs := strings.TrimSuffix(strings.Repeat(`{"logprob":-1},`, measured), ",")
		return fmt.Sprintf(`{"message":{"content":%q},"logprobs":{"content":[%s]}}`, strings.Repeat("x", n), logProbs)
	}
	for _, tt := range []struct {
		name    string
		choices []string
		usage   int
		ofOne   bool
		want    []int
		total   int
	}{
		{"one choice", []string{text(40, 0)}, 10, false, []int{10}, 10},
		{"one choice, hidden reasoning", []string{text(40, 9)}, 30, false, []int{30}, 30},
		{"a sum is divided by bytes", []string{text(30, 0), text(10, 0), text(0, 0)}, 8, false, []int{6, 2, 0}, 8},
		{"parts add up", []string{text(10, 0), text(10, 0), text(10, 0)}, 10, false, []int{3, 4, 3}, 10},
		{"another answer showed the usage of one", []string{text(40, 0), text(20, 0), text(80, 0)}, 10, true, []int{10, 5, 20}, 35},
		{"less than the choices", []string{text(4, 0), text(4, 0), text(4, 0)}, 1, false, []int{1, 1, 1}, 3},
		{"log-probabilities beat the usage of one", []string{text(40, 9), text(20, 4)}, 9, true, []int{9, 4}, 13},
		{"no usage, log-probabilities", []string{text(40, 9), text(20, 4)}, 0, false, []int{9, 4}, 13},
		{"nothing known", []string{text(40, 0), text(20, 0)}, 0, false, []int{0, 0}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := parseCompletion(fmt.Appendf(nil, `{"choices":[%s],"usage":{"prompt_tokens":5,"completion_tokens":%d}}`, strings.Join(tt.choices, ","), tt.usage))
			if err != nil {
				t.Fatal(err)
			}
			c.countTokens(scopeOf(tt.ofOne), 0)
			for i, want := range tt.want {
				if got := c.choices[i].Tokens; got != want {
					t.Errorf("choice %d has %d tokens, want %d", i, got, want)
				}
			}
			if c.usage.CompletionTokens != tt.total || c.usage.TotalTokens != 5+tt.total {
				t.Errorf("usage %+v, want %d completion tokens", c.usage, tt.total)
			}
		})
	}
}

func TestComplaintsAboutN(t *testing.T) {
	param := "n"
	for _, tt := range []struct {
		status  int
		message string
		param   *string
		want    bool
	}{
		{400, "n_cmpl cannot be greater than the number of slots, please increase -np", nil, true},
		{400, "Field 'n': Value must be between 1 <= value <= 4, but got 8", nil, true},
		{500, "Only one completion choice is allowed", nil, true},
		{400, "n must be 1 when using greedy sampling, got 8.", nil, true},
		{400, "Unsupported parameter: 'n' is not supported with this model.", nil, true},
		{422, "n > 1 is not supported", nil, true},
		{400, "Invalid value", &param, true},
		{501, "multiple choices are not implemented", nil, true},
		{400, "max_tokens must be at least 1", nil, false},
		{400, "the context has n_ctx = 2048 tokens", nil, false},
		{500, "CUDA out of memory", nil, false},
		{400, "This model's maximum context length is 4096 tokens", nil, false},
		{400, "Invalid parameter: messages", nil, false},
		{400, "Unrecognized request argument supplied: top_k", nil, false},
		{429, "n must be smaller", nil, false},
	} {
		e := &StatusError{Status: tt.status, Detail: openaiapi.Error{Message: tt.message, Param: tt.param}}
		if got := e.aboutN(); got != tt.want {
			t.Errorf("aboutN(%d %q) = %v, want %v", tt.status, tt.message, got, tt.want)
		}
	}
	for message, want := range map[string]int{
		"n_cmpl cannot be greater than the number of slots (4)":             4,
		"n_cmpl (8) cannot be greater than the number of slots, which is 2": 2,
		"n_cmpl cannot be greater than the number of slots":                 1,
		"Field 'n': Value must be between 1 <= value <= 4, but got 8":       4,
		"only 4 slots are there":                                            4,
		"the number of slots is 64":                                         1, // not below what was asked: no help
	} {
		if got := (&StatusError{Detail: openaiapi.Error{Message: message}}).choicesAllowed(8); got != want {
			t.Errorf("choicesAllowed(%q) = %d, want %d", message, got, want)
		}
	}
}

func TestProfilesAreBounded(t *testing.T) {
	var m profiles
	for i := range 5 * maxRemembered {
		m.of(ChatPath, fmt.Sprint(i))
	}
	if n := len(m.entries); n > maxRemembered {
		t.Errorf("%d models remembered, want at most %d", n, maxRemembered)
	}
}

// FuzzCompletion checks that whatever a server answers, the choices' tokens add up to
// no more than the usage and the bytes of a choice are those of the answer.
func FuzzCompletion(f *testing.F) {
	f.Add([]byte(`{"choices":[{"message":{"content":"a"},"logprobs":{"content":[{"logprob":-1}]}},{"text":"b"}],"usage":{"completion_tokens":7}}`), true)
	f.Add([]byte(`{"choices":[{"text":"a"},{"text":"bb"}],"usage":{"completion_tokens":1e99}}`), false)
	f.Fuzz(func(t *testing.T, data []byte, ofOne bool) {
		c, err := parseCompletion(data)
		if err != nil {
			return
		}
		c.countTokens(scopeOf(ofOne), 0)
		sum := 0
		for i, choice := range c.choices {
			if choice.Tokens < 0 {
				t.Errorf("choice %d has %d tokens", i, choice.Tokens)
			}
			if !strings.Contains(string(data), string(choice.Raw)) {
				t.Errorf("choice %d is %s, which is not in the answer", i, choice.Raw)
			}
			sum += choice.Tokens
		}
		if sum > c.usage.CompletionTokens || c.envelope.Has("choices") {
			t.Errorf("%d tokens in the choices, usage %+v", sum, c.usage)
		}
	})
}

func scopeOf(ofOne bool) usageScope {
	if ofOne {
		return scopeOne
	}
	return scopeUnknown
}
