package rcvaetest

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
	"unicode/utf8"

	"rcvae/internal/openaiapi"
)

// Marker returns a short text that belongs to the question. [DefaultReply] writes it
// into every answer, so that an answer to another question is seen.
func Marker(question string) string {
	h := fnv.New64a()
	h.Write([]byte(question)) // never fails
	return fmt.Sprintf("marker-%016x", h.Sum64())
}

// DefaultReply answers with the question's marker and a number that depends on the
// question, the seed and the choice.
func DefaultReply(p Prompt) Reply {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s/%d", p.Question, p.draw())
	return Reply{Text: fmt.Sprintf("Step by step for %s, draw %d. The answer is %d.", Marker(p.Question), p.draw(), h.Sum32()%5)}
}

// draw numbers the choices of a question: the seed counts on over calls, the choice
// inside a call.
func (p Prompt) draw() int64 {
	n := int64(p.Choice)
	if p.Seed != nil {
		n += *p.Seed
	}
	return n
}

// tokensOf cuts a text into the tokens of this server: words with the space before
// them.
func tokensOf(text string) []string {
	var tokens []string
	for len(text) > 0 {
		end := strings.IndexByte(text[1:], ' ') + 1
		if end == 0 {
			end = len(text)
		}
		tokens = append(tokens, text[:end])
		text = text[end:]
	}
	return tokens
}

// TokenCount returns the number of tokens that the scripted servers count for a text.
func TokenCount(text string) int { return len(tokensOf(text)) }

// ScriptedLogProb returns the log-probability (nats) that the scripted servers give a
// token: it depends on the token alone.
func ScriptedLogProb(token string) float64 {
	h := fnv.New32a()
	h.Write([]byte(token)) // never fails
	return -float64(1+h.Sum32()%40) / 16
}

// answer is one choice, cut to the token limit.
type answer struct {
	Reply
	tokens []string
}

// answerOf lets the script reply and cuts the text to the call's token limit.
func (o *OpenAI) answerOf(call Call, choice int) answer {
	p := Prompt{Question: call.Question, Choice: choice, Path: call.Path, Body: call.Body}
	var seed int64
	if ok, err := call.Body.Decode("seed", &seed); ok && err == nil {
		p.Seed = &seed
	}
	a := answer{Reply: o.script.Reply(p)}
	a.tokens = tokensOf(a.Text)
	limit := 0
	for _, field := range []string{"max_tokens", "max_completion_tokens"} {
		_, _ = call.Body.Decode(field, &limit) // another type is not scripted
	}
	if a.Finish == "" {
		a.Finish = "stop"
		if len(a.ToolCalls) > 0 {
			a.Finish = "tool_calls"
		}
	}
	if limit > 0 && len(a.tokens) > limit {
		a.tokens, a.Finish = a.tokens[:limit], "length"
		a.Text = strings.Join(a.tokens, "")
	}
	return a
}

// complete answers a request for completions.
func (o *OpenAI) complete(w http.ResponseWriter, r *http.Request, call Call) {
	if status, e := o.refusal(call); status != 0 {
		writeEnvelope(w, status, e)
		return
	}
	answers := make([]answer, o.choices(call))
	for i := range answers {
		answers[i] = o.answerOf(call, i)
	}
	var stream bool
	if _, _ = call.Body.Decode("stream", &stream); stream { // another type is not scripted
		o.stream(w, r, call, answers)
		return
	}
	choices := make([]map[string]any, len(answers))
	for i, a := range answers {
		choices[i] = o.choice(call, i, a)
	}
	response := o.envelope(call, "chat.completion", "text_completion")
	response["choices"] = choices
	response["usage"] = o.usage(call, answers)
	writeJSON(w, response)
}

// envelope returns the fields that every response has.
func (o *OpenAI) envelope(call Call, chat, raw string) map[string]any {
	object := raw
	if call.Path == "/chat/completions" {
		object = chat
	}
	return map[string]any{
		"id": fmt.Sprintf("cmpl-%d", call.Number), "object": object, "created": 1700000000,
		"model": call.Body.Text("model"), "system_fingerprint": "fp_" + string(o.script.Server),
	}
}

func (o *OpenAI) choice(call Call, i int, a answer) map[string]any {
	choice := map[string]any{"index": i, "finish_reason": a.Finish, "logprobs": o.logProbs(call, a)}
	if call.Path == "/completions" {
		choice["text"] = a.Text
		return choice
	}
	message := map[string]any{"role": "assistant", "content": a.Text}
	if a.Reasoning != "" {
		message["reasoning_content"] = a.Reasoning
	}
	if len(a.ToolCalls) > 0 {
		message["tool_calls"] = a.ToolCalls
		if a.Text == "" {
			message["content"] = nil
		}
	}
	choice["message"] = message
	return choice
}

// logProbs returns the log-probabilities in the form of the path, if they are asked for.
func (o *OpenAI) logProbs(call Call, a answer) any {
	value, asked := call.Body.Get("logprobs")
	if text := string(value); !asked || text == "false" || text == "null" || len(a.tokens) == 0 {
		return nil
	}
	if call.Path == "/completions" && o.script.Server != LlamaCpp {
		values := make([]float64, len(a.tokens))
		for i, token := range a.tokens {
			values[i] = ScriptedLogProb(token)
		}
		return map[string]any{"tokens": a.tokens, "token_logprobs": values, "top_logprobs": nil}
	}
	content := make([]map[string]any, len(a.tokens))
	for i, token := range a.tokens {
		content[i] = map[string]any{"token": token, "logprob": ScriptedLogProb(token), "bytes": nil, "top_logprobs": []any{}}
	}
	return map[string]any{"content": content}
}

// usage counts the tokens of all choices; llama.cpp counts the first alone.
func (o *OpenAI) usage(call Call, answers []answer) openaiapi.Usage {
	u := openaiapi.Usage{PromptTokens: 1 + utf8.RuneCountInString(call.Question)/4}
	for i, a := range answers {
		if i > 0 && o.script.Server == LlamaCpp {
			break
		}
		u.CompletionTokens += max(len(a.tokens), len(a.ToolCalls))
	}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	return u
}
