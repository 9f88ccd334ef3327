package llm

import (
	"encoding/json"
	"net/http"

	"rcvae"
	"rcvae/internal/openaiapi"
)

// The ways in which a server is asked for several choices.
const (
	ModeN      = "n"       // one call
	ModeFanOut = "fan-out" // several calls
)

// Request asks for several choices of one completion.
type Request struct {
	Path     string         // [ChatPath] or [CompletionPath]
	Body     openaiapi.Body // of the request; not changed. All fields but n, seed, stream, stream_options and best_of go to the server as they are
	K        int            // choices to draw, at least 1
	First    int            // choices of the same body that were drawn before: seeds count on from there
	Optional []string       // fields that need not be as they are: what the server refuses is left out or written otherwise
	Query    string         // of the calls' URLs; may be empty
	Header   http.Header    // more header fields; an Authorization here replaces the upstream's key
	OnChoice func(Choice)   // called with each choice as it arrives, by the goroutine that called Draw; may be nil
}

// Draw is what came back for a [Request].
type Draw struct {
	Choices  []Choice        // the survivors, in the order of their Index
	Usage    openaiapi.Usage // the prompt once, the tokens of all choices
	Billed   openaiapi.Usage // sum over all calls
	Mode     string          // [ModeN] or [ModeFanOut]
	Envelope openaiapi.Body  // the first response without choices and usage: id, object, created, model, …
	Err      error           // first cause when some of the choices failed, else nil
	Failed   map[Cause]int   // failed calls by cause; nil when none failed
}

// Choice is one completion.
type Choice struct {
	Index     int                  // place in the draw, 0 … K-1
	Raw       json.RawMessage      // the choice as the server wrote it, with an index of the server's
	Text      string               // message content, or text of a raw completion
	Reasoning string               // what the model thought, where the server keeps it apart from the text
	ToolCalls []openaiapi.ToolCall // a legacy function_call too; nil when there are none
	Finish    string               // "stop", "length", "tool_calls", …
	Tokens    int                  // generated tokens; 0 when unknown
	LogProb   *rcvae.LogProb       // nil when the server gave no log-probabilities
}
