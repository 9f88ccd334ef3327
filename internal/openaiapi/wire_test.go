package openaiapi_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"rcvae/internal/openaiapi"
)

func TestParseUsageIsLenient(t *testing.T) {
	for text, want := range map[string]openaiapi.Usage{
		`{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}`: {PromptTokens: 3, CompletionTokens: 4, TotalTokens: 7},
		`{"prompt_tokens":3,"completion_tokens":4}`:                  {PromptTokens: 3, CompletionTokens: 4, TotalTokens: 7},
		`{"prompt_tokens":-3,"completion_tokens":"4"}`:               {},
		`{"prompt_tokens":1e300}`:                                    {},
		`null`:                                                       {},
		``:                                                           {},
		`[]`:                                                         {},
		`{"prompt_tokens":3,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":2,"audio_tokens":null,"x":"y","z":0.5}}`: {PromptTokens: 3, TotalTokens: 3, Other: openaiapi.Amounts{"prompt_tokens_details": openaiapi.Amounts{"cached_tokens": 2.0, "z": 0.5}}},
		`{"completion_tokens":3,"completion_tokens_details":[]}`:                                                               {CompletionTokens: 3, TotalTokens: 3},
	} {
		if got := openaiapi.ParseUsage(json.RawMessage(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("ParseUsage(%s) = %+v, want %+v", text, got, want)
		}
	}
}

func usage(text string) openaiapi.Usage { return openaiapi.ParseUsage(json.RawMessage(text)) }

// TestUsageAddsUp: two calls cost the sum of both, and choices of one prompt that came
// by two calls count their prompt once.
func TestUsageAddsUp(t *testing.T) {
	a := usage(`{"prompt_tokens":10,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1},"prompt_cache_hit_tokens":4,"cost":0.5,"cost_details":{"upstream":0.25}}`)
	b := usage(`{"prompt_tokens":10,"completion_tokens":20,"completion_tokens_details":{"reasoning_tokens":5},"prompt_cache_hit_tokens":6,"cost":0.25,"cost_details":{"upstream":0.5,"tax":1}}`)
	before, _ := json.Marshal(a)
	for name, tt := range map[string]struct {
		got  openaiapi.Usage
		want string
	}{
		"billed":  {a.Add(b), `{"prompt_tokens":20,"completion_tokens":22,"total_tokens":42,"completion_tokens_details":{"reasoning_tokens":5},"cost":0.75,"cost_details":{"tax":1,"upstream":0.75},"prompt_cache_hit_tokens":10,"prompt_tokens_details":{"cached_tokens":1}}`},
		"choices": {a.AddChoices(b), `{"prompt_tokens":10,"completion_tokens":22,"total_tokens":32,"completion_tokens_details":{"reasoning_tokens":5},"cost":0.75,"cost_details":{"tax":1,"upstream":0.75},"prompt_cache_hit_tokens":4,"prompt_tokens_details":{"cached_tokens":1}}`},
		"bare":    {openaiapi.Usage{PromptTokens: 1, TotalTokens: 1}, `{"prompt_tokens":1,"completion_tokens":0,"total_tokens":1}`},
	} {
		if raw, err := json.Marshal(tt.got); err != nil || string(raw) != tt.want {
			t.Errorf("%s: %s, %v, want %s", name, raw, err, tt.want)
		}
	}
	if after, _ := json.Marshal(a); string(after) != string(before) {
		t.Errorf("adding changed its receiver to %s", after)
	}
}

// TestToolCallsAreWhatTheyDo: ids and the order of keys do not matter, everything else does.
func TestToolCallsAreWhatTheyDo(t *testing.T) {
	does := func(text string) string {
		var c openaiapi.ToolCall
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(c); err != nil || string(again) != text {
			t.Errorf("%s is written as %s, %v", text, again, err)
		}
		return c.Does()
	}
	for _, same := range [][2]string{
		{`{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1,\"y\":2}"}}`, `{"id":"b","type":"function","function":{"name":"f","arguments":"{\"y\":2, \"x\":1}"}}`},
		{`{"id":"a","type":"custom","custom":{"name":"code","input":"print(1)"}}`, `{"id":"b","type":"custom","custom":{"name":"code","input":"print(1)"}}`},
		{`{"id":"a","type":"mcp","mcp":{"server":"s","tool":"t"}}`, `{"index":1,"type":"mcp","mcp":{"tool":"t","server":"s"}}`},
	} {
		if a, b := does(same[0]), does(same[1]); a != b {
			t.Errorf("%s and %s do %s and %s, want the same", same[0], same[1], a, b)
		}
	}
	seen := map[string]string{}
	for _, text := range []string{
		`{"type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}`, `{"type":"function","function":{"name":"f","arguments":"{\"x\":2}"}}`,
		`{"type":"function","function":{"name":"g","arguments":"{\"x\":1}"}}`, `{"type":"custom","custom":{"name":"f","input":"{\"x\":1}"}}`,
		`{"type":"custom","custom":{"name":"code","input":"rm -rf build"}}`, `{"type":"custom","custom":{"name":"code","input":"print(1)"}}`,
		`{"type":"mcp","mcp":{"tool":"t"}}`, `{"type":"mcp","mcp":{"tool":"u"}}`,
	} {
		key := does(text)
		if other, ok := seen[key]; ok {
			t.Errorf("%s and %s do the same, %s", text, other, key)
		}
		seen[key] = text
	}
}

func TestArguments(t *testing.T) {
	for text, want := range map[string]openaiapi.Arguments{
		`"{\"a\": 1}"`: `{"a": 1}`,
		`{"a": 1}`:     `{"a": 1}`,
		`null`:         ``,
		`"not json"`:   `not json`,
	} {
		var got openaiapi.Arguments
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s is read as %q, %v, want %q", text, got, err, want)
		}
	}
	same := []openaiapi.Arguments{`{"b": [1, 2], "a": {"y":1,"x":2}}`, `{"a":{"x":2,"y":1},"b":[1,2]}`}
	if a, b := same[0].Canonical(), same[1].Canonical(); a != b {
		t.Errorf("equal arguments have the forms %s and %s", a, b)
	}
	for _, different := range [][2]openaiapi.Arguments{
		{`{"a":9007199254740993}`, `{"a":9007199254740992}`}, {`{"a":[1,2]}`, `{"a":[2,1]}`}, {`{"a":"1"}`, `{"a":1}`}, {`{"a":1} x`, `{"a":1}`}, {`oops`, `oops `},
	} {
		if a, b := different[0].Canonical(), different[1].Canonical(); a == b {
			t.Errorf("%s and %s have one form, %s", different[0], different[1], a)
		}
	}
}

func TestParseErrorOfEveryServer(t *testing.T) {
	param := "n"
	for _, tt := range []struct {
		name, body string
		want       openaiapi.Error
	}{
		{"openai", `{"error":{"message":"bad n","type":"invalid_request_error","param":"n","code":"bad"}}`, openaiapi.Error{Message: "bad n", Type: "invalid_request_error", Param: &param, Code: "bad"}},
		{"llama.cpp", `{"error":{"code":400,"message":"too long","type":"exceed_context_size_error"}}`, openaiapi.Error{Message: "too long", Type: "exceed_context_size_error", Code: 400.0}},
		{"text in error", `{"error":"model not found","error_type":"x"}`, openaiapi.Error{Message: "model not found", Type: "invalid_request_error", More: body(`{"error_type":"x"}`)}},
		{"old vllm", `{"object":"error","message":"bad","code":400}`, openaiapi.Error{Message: "bad", Type: "invalid_request_error", Code: 400.0, More: body(`{"object":"error"}`)}},
		{"azure", `{"error":{"message":"m","innererror":{"code":"ResponsibleAIPolicyViolation"},"status":400}}`, openaiapi.Error{Message: "m", Type: "invalid_request_error", More: body(`{"innererror":{"code":"ResponsibleAIPolicyViolation"},"status":400}`)}},
		{"google", `[{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}]`, openaiapi.Error{Message: "m", Type: "invalid_request_error", Code: 400.0, More: body(`{"status":"INVALID_ARGUMENT"}`)}},
		{"fastapi", `{"detail":"Not allowed"}`, openaiapi.Error{Message: "Not allowed", Type: "invalid_request_error", More: body(`{"detail":"Not allowed"}`)}},
		{"fastapi, list", `{"detail":[{"loc":["body","n"]}]}`, openaiapi.Error{Message: `[{"loc":["body","n"]}]`, Type: "invalid_request_error", More: body(`{"detail":[{"loc":["body","n"]}]}`)}},
		{"plain", "no such host\n", openaiapi.Error{Message: "no such host", Type: "invalid_request_error"}},
		{"nothing", "", openaiapi.Error{Message: "Bad Request", Type: "invalid_request_error"}},
		{"empty object", "{}", openaiapi.Error{Message: "Bad Request", Type: "invalid_request_error"}},
	} {
		got := openaiapi.ParseError(400, []byte(tt.body))
		if more, want := string(got.More.Bytes()), string(tt.want.More.Bytes()); more != want {
			t.Errorf("%s: other fields %s, want %s", tt.name, more, want)
		}
		if got.More = tt.want.More; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	if got := openaiapi.ParseError(500, []byte(strings.Repeat("é", 100_000))); len(got.Message) > 3000 || got.Type != "server_error" {
		t.Errorf("a long message keeps %d bytes, type %q", len(got.Message), got.Type)
	}
}

func body(text string) openaiapi.Body {
	b, err := openaiapi.ParseBody([]byte(text))
	if err != nil {
		panic(err)
	}
	return b
}

func TestEnvelopeRoundTrip(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 429, 500, 503} {
		e := openaiapi.NewError(status, "said <%d>", status)
		if got := openaiapi.ParseError(status, e.Envelope()); !reflect.DeepEqual(got, e) {
			t.Errorf("%d: %+v came back as %+v", status, e, got)
		}
		for _, field := range []string{`"message":"said <`, `"type":"`, `"param":null`, `"code":`} {
			if !strings.Contains(string(e.Envelope()), field) {
				t.Errorf("%d: envelope %s, want %s in it", status, e.Envelope(), field)
			}
		}
	}
}

// FuzzParseError checks that every answer gives a message and an envelope that says
// the same.
func FuzzParseError(f *testing.F) {
	f.Add(400, []byte(`{"error":{"message":"bad","param":5,"code":{"a":1}}}`))
	f.Add(503, []byte("\xff\x00"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := openaiapi.ParseError(status, body)
		if strings.TrimSpace(e.Message) == "" {
			t.Errorf("no message in %+v", e)
		}
		if again := openaiapi.ParseError(status, e.Envelope()); again.Message != e.Message || again.Type != e.Type {
			t.Errorf("%+v came back as %+v", e, again)
		}
	})
}
