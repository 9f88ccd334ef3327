package llm

import (
	"context"
	"encoding/json"
	"net/http"

	"rcvae"
	"rcvae/internal/openaiapi"
)

// Paths of the two kinds of requests.
const (
	ChatPath       = "/chat/completions"
	CompletionPath = "/completions"
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
	Seed     *int64         // of the first choice; nil: the body's own, if it has one
	Header   http.Header    // more header fields; an Authorization here replaces the upstream's key
	OnChoice func(Choice)   // called with each choice as it arrives, by one goroutine at a time; may be nil
}

// Draw is what came back for a [Request].
type Draw struct {
	Choices   []Choice        // the survivors, in the order of their Index
	Usage     openaiapi.Usage // sum over all calls, with the tokens of all choices
	Requested int             // the request's K
	Mode      string          // [ModeN] or [ModeFanOut]
	Envelope  openaiapi.Body  // the first response without choices and usage: id, object, created, model, …
	Err       error           // first cause when some of the choices failed, else nil
}

// Choice is one completion.
type Choice struct {
	Index     int                  // place in the draw, 0 … K-1
	Raw       json.RawMessage      // the choice as the server wrote it, with an index of the server's
	Text      string               // message content, or text of a raw completion
	ToolCalls []openaiapi.ToolCall // nil when there are none
	Finish    string               // "stop", "length", "tool_calls", …
	Tokens    int                  // generated tokens; 0 when unknown
	LogProb   *rcvae.LogProb       // nil when the server gave no log-probabilities
}

// Draw draws r.K choices. When some of the calls fail it returns the others and the
// first cause in [Draw.Err]; when all fail the error names the server and that cause.
// When ctx is cancelled the calls under way are cancelled and the error is the
// context's; a deadline of ctx is like any other cause of failure.
func (u *Upstream) Draw(ctx context.Context, r Request) (Draw, error) {
	panic("not built yet")
}

// Forward makes one call as it is, without retries, limits or a timeout, and returns
// the response, whatever its status. The path is relative to the base URL. The caller
// closes the response's body. The header is not changed; the upstream's key is added
// unless it has an Authorization.
func (u *Upstream) Forward(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error) {
	panic("not built yet")
}

// Models returns the names of the server's models.
func (u *Upstream) Models(ctx context.Context) ([]string, error) {
	panic("not built yet")
}

// Ready returns nil when the server answers and takes the upstream's key.
func (u *Upstream) Ready(ctx context.Context) error {
	panic("not built yet")
}
