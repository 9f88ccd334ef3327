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
		`{"prompt_tokens":3,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":2,"audio_tokens":null,"x":"y","z":0.5}}`: {PromptTokens: 3, TotalTokens: 3, PromptDetails: openaiapi.Details{"cached_tokens": 2}},
		`{"completion_tokens":3,"completion_tokens_details":[]}`:                                                               {CompletionTokens: 3, TotalTokens: 3},
	} {
		if got := openaiapi.ParseUsage(json.RawMessage(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("ParseUsage(%s) = %+v, want %+v", text, got, want)
		}
	}
}

func TestUsageAddsUp(t *testing.T) {
	a := openaiapi.Usage{PromptTokens: 1, CompletionTokens: 2, TotalTokens: 3, PromptDetails: openaiapi.Details{"cached_tokens": 1}}
	b := openaiapi.Usage{PromptTokens: 10, CompletionTokens: 20, TotalTokens: 30, PromptDetails: openaiapi.Details{"cached_tokens": 4}, OutputDetails: openaiapi.Details{"reasoning_tokens": 5}}
	want := openaiapi.Usage{PromptTokens: 11, CompletionTokens: 22, TotalTokens: 33, PromptDetails: openaiapi.Details{"cached_tokens": 5}, OutputDetails: openaiapi.Details{"reasoning_tokens": 5}}
	if got := a.Add(b); !reflect.DeepEqual(got, want) {
		t.Errorf("Add = %+v, want %+v", got, want)
	}
	if a.PromptDetails["cached_tokens"] != 1 {
		t.Error("Add changed its receiver")
	}
	raw, err := json.Marshal(openaiapi.Usage{PromptTokens: 1, TotalTokens: 1})
	if want := `{"prompt_tokens":1,"completion_tokens":0,"total_tokens":1}`; err != nil || string(raw) != want {
		t.Errorf("usage without details is %s, %v, want %s", raw, err, want)
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
		{"text in error", `{"error":"model not found","error_type":"x"}`, openaiapi.Error{Message: "model not found", Type: "invalid_request_error"}},
		{"old vllm", `{"object":"error","message":"bad","code":400}`, openaiapi.Error{Message: "bad", Type: "invalid_request_error"}},
		{"fastapi", `{"detail":"Not allowed"}`, openaiapi.Error{Message: "Not allowed", Type: "invalid_request_error"}},
		{"fastapi, list", `{"detail":[{"loc":["body","n"]}]}`, openaiapi.Error{Message: `[{"loc":["body","n"]}]`, Type: "invalid_request_error"}},
		{"plain", "no such host\n", openaiapi.Error{Message: "no such host", Type: "invalid_request_error"}},
		{"nothing", "", openaiapi.Error{Message: "Bad Request", Type: "invalid_request_error"}},
		{"empty object", "{}", openaiapi.Error{Message: "Bad Request", Type: "invalid_request_error"}},
	} {
		if got := openaiapi.ParseError(400, []byte(tt.body)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	if got := openaiapi.ParseError(500, []byte(strings.Repeat("é", 100_000))); len(got.Message) > 3000 || got.Type != "server_error" {
		t.Errorf("a long message keeps %d bytes, type %q", len(got.Message), got.Type)
	}
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
