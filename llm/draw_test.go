package llm_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rcvae/internal/openaiapi"
	"rcvae/llm"
	"rcvae/rcvaetest"
)

const question = "What is 2 + 3?"

// start returns a scripted server on the loopback and an upstream that speaks to it.
func start(t *testing.T, script rcvaetest.Script, change func(*llm.Options)) (*rcvaetest.OpenAI, *llm.Upstream) {
	t.Helper()
	server, url := rcvaetest.StartOpenAI(t, script)
	options := llm.DefaultOptions(url)
	if change != nil {
		change(&options)
	}
	u, err := llm.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return server, u
}

func chat(t *testing.T, question, more string) llm.Request {
	t.Helper()
	body, err := openaiapi.ParseBody(fmt.Appendf(nil, `{"model":"m","messages":[{"role":"user","content":%q}]%s}`, question, more))
	if err != nil {
		t.Fatal(err)
	}
	return llm.Request{Path: llm.ChatPath, Body: body, K: 8}
}

// seeded returns a copy of the body with a seed.
func seeded(body openaiapi.Body, seed int) openaiapi.Body {
	body = body.Clone()
	body.SetRaw("seed", fmt.Append(nil, seed))
	return body
}

func raw(t *testing.T, question, more string) llm.Request {
	t.Helper()
	body, err := openaiapi.ParseBody(fmt.Appendf(nil, `{"model":"m","prompt":%q%s}`, question, more))
	if err != nil {
		t.Fatal(err)
	}
	return llm.Request{Path: llm.CompletionPath, Body: body, K: 8}
}

// TestDrawFromEveryServer checks the promise of Draw with each server's habits: k
// different choices of this question in order, whatever the server does with n, and a
// usage that counts the tokens of all.
func TestDrawFromEveryServer(t *testing.T) {
	calls := map[rcvaetest.Server]int{ // that draw 8 choices
		rcvaetest.VLLM: 1, rcvaetest.SGLang: 1, rcvaetest.Hosted: 1,
		rcvaetest.LlamaCpp:    1 + 8, // refuses 8 without a number
		rcvaetest.LlamaCppOld: 1 + 8, rcvaetest.Ollama: 8, rcvaetest.LlamaCppPython: 8, rcvaetest.TGI: 8,
	}
	for _, name := range rcvaetest.Servers() {
		for path, request := range map[string]llm.Request{"chat": chat(t, question, ""), "raw": raw(t, question, "")} {
			for _, logProbs := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/logprobs=%v", name, path, logProbs), func(t *testing.T) {
					server, u := start(t, rcvaetest.Script{Server: name}, nil)
					r := request
					r.Body = seeded(r.Body, 40)
					if logProbs {
						r.Body.SetRaw("logprobs", []byte("true"))
					}
					draw, err := u.Draw(t.Context(), r)
					if err != nil {
						t.Fatal(err)
					}
					checkChoices(t, draw, 8, 40)
					if got := len(server.CallsOf(question)); got != calls[name] {
						t.Errorf("%d calls, want %d", got, calls[name])
					}
					wantMode := map[bool]string{true: llm.ModeN, false: llm.ModeFanOut}[calls[name] == 1]
					if draw.Mode != wantMode {
						t.Errorf("Mode = %q, want %q", draw.Mode, wantMode)
					}
					if hasLogProbs := draw.Choices[3].LogProb != nil; hasLogProbs != logProbs {
						t.Errorf("log-probabilities given: %v, want %v", hasLogProbs, logProbs)
					}
				})
			}
		}
	}
}

// checkChoices checks that a draw holds k choices of the question, made with seeds
// from first on, and that its tokens add up.
func checkChoices(t *testing.T, draw llm.Draw, k, first int) {
	t.Helper()
	if len(draw.Choices) != k || draw.Err != nil {
		t.Fatalf("%d of %d choices, %v", len(draw.Choices), k, draw.Err)
	}
	tokens := 0
	for i, c := range draw.Choices {
		if want := fmt.Sprintf("%s, draw %d.", rcvaetest.Marker(question), first+i); c.Index != i || !strings.Contains(c.Text, want) {
			t.Errorf("choice %d has index %d and the text %q, want %q in it", i, c.Index, c.Text, want)
		}
		if got, want := c.Tokens, rcvaetest.TokenCount(c.Text); got != want {
			t.Errorf("choice %d has %d tokens, want %d", i, got, want)
		}
		tokens += c.Tokens
	}
	if draw.Usage.CompletionTokens != tokens || draw.Usage.TotalTokens != tokens+draw.Usage.PromptTokens {
		t.Errorf("usage %+v, want %d completion tokens and a total that fits", draw.Usage, tokens)
	}
	if draw.Envelope.Text("model") != "m" || draw.Envelope.Has("choices") || draw.Envelope.Has("usage") {
		t.Errorf("envelope %s, want the response without choices and usage", draw.Envelope.Bytes())
	}
}

func TestLlamaCppWithinItsSlotsCountsAllTokens(t *testing.T) {
	server, u := start(t, rcvaetest.Script{Server: rcvaetest.LlamaCpp, Slots: 8}, nil)
	r := chat(t, question, `,"seed":3`)
	draw, err := u.Draw(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	// The texts have nearly one length and one number of tokens, so the estimate is exact.
	checkChoices(t, draw, 8, 3)
	if calls := len(server.CallsOf(question)); calls != 1 || draw.Mode != llm.ModeN {
		t.Errorf("%d calls in mode %s, want one in mode n", calls, draw.Mode)
	}
	if p, known := u.Profile(llm.ChatPath, "m"); !known || p.UsageOfOne {
		t.Errorf("Profile = %+v, %v; want an answer and, from texts alone, nothing certain", p, known)
	}
	if _, err := u.Draw(t.Context(), chat(t, question, `,"logprobs":true`)); err != nil {
		t.Fatal(err)
	}
	if p, _ := u.Profile(llm.ChatPath, "m"); !p.UsageOfOne {
		t.Errorf("Profile = %+v; want the usage of one choice, as the log-probabilities show", p)
	}
}

func TestSlotsInTheMessageGiveBatches(t *testing.T) {
	script := rcvaetest.Script{Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		if c.N > 3 {
			return &rcvaetest.Fault{Status: 400, Message: "n_cmpl cannot be greater than the number of slots (3)"}
		}
		return nil
	}}
	server, u := start(t, script, nil)
	for range 2 {
		r := chat(t, question, "")
		r.Body = seeded(r.Body, 0)
		draw, err := u.Draw(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		checkChoices(t, draw, 8, 0)
	}
	var sizes []int
	for _, c := range server.CallsOf(question)[1:] {
		sizes = append(sizes, c.N)
	}
	slices.Sort(sizes)
	if want := []int{2, 2, 3, 3, 3, 3}; !slices.Equal(sizes, want) {
		t.Errorf("calls after the first ask for %v choices, want %v: batches of 3, remembered", sizes, want)
	}
}

// TestBodyPassesUntouched checks that the server gets the client's bytes but for what
// Draw sets, and no seed that nobody gave.
func TestBodyPassesUntouched(t *testing.T) {
	server, u := start(t, rcvaetest.Script{Server: rcvaetest.Ollama}, nil)
	const more = `,"x_unknown": {"b":1.0,"a":[1e3, "\u00e9"]},"temperature":0.70,"tools":[]`
	r := chat(t, question, more+`,"stream":true,"stream_options":{"include_usage":true},"n":5,"best_of":9`)
	before := string(r.Body.Bytes())
	if _, err := u.Draw(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if string(r.Body.Bytes()) != before {
		t.Errorf("the request's body was changed to %s", r.Body.Bytes())
	}
	want := strings.ReplaceAll(string(chat(t, question, more).Body.Bytes()), "\n", "")
	for _, c := range server.CallsOf(question) {
		got, err := openaiapi.ParseBody(c.Raw)
		if err != nil {
			t.Fatal(err)
		}
		got.Delete("n")
		wantBody, _ := openaiapi.ParseBody([]byte(want))
		if got.Len() != wantBody.Len() {
			t.Fatalf("the server got %s, want the fields of %s", c.Raw, want)
		}
		for key, value := range wantBody.All() {
			if v, _ := got.Get(key); string(v) != string(value) {
				t.Errorf("the server got %q: %s, want %s", key, v, value)
			}
		}
	}
}

// TestBodiesOfFewFields are JSON, whatever of them the calls share.
func TestBodiesOfFewFields(t *testing.T) {
	for _, text := range []string{`{}`, `{"seed":1}`, `{"n":3}`, `{"a":1}`, `{"a":1,"seed":1,"stream":true}`} {
		for _, k := range []int{1, 3} {
			server, u := start(t, rcvaetest.Script{}, nil)
			r := chat(t, question, "")
			parsed, err := openaiapi.ParseBody([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			r.Body, r.K = parsed, k
			if _, err := u.Draw(t.Context(), r); err != nil {
				t.Errorf("%s, k = %d: %v", text, k, err)
			}
			for _, c := range server.Calls() {
				if !json.Valid(c.Raw) || c.N != k || c.Body.Has("seed") != strings.Contains(text, "seed") {
					t.Errorf("%s, k = %d: the server got %s", text, k, c.Raw)
				}
			}
		}
	}
}

func TestDrawRefusesNonsense(t *testing.T) {
	_, u := start(t, rcvaetest.Script{}, nil)
	for name, change := range map[string]func(*llm.Request){
		"no choices":   func(r *llm.Request) { r.K = 0 },
		"another path": func(r *llm.Request) { r.Path = "/embeddings" },
	} {
		r := chat(t, question, "")
		change(&r)
		if _, err := u.Draw(t.Context(), r); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
