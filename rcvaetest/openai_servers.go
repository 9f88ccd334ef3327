package rcvaetest

import (
	"net/http"
	"slices"

	"rcvae/internal/openaiapi"
)

// Server names the program whose habits a scripted server has.
type Server string

// The servers that can be played.
const (
	VLLM           Server = "vllm"             // honours n
	SGLang         Server = "sglang"           // honours n, refuses top_k 0
	Hosted         Server = "openai"           // honours n, refuses fields that it does not know
	LlamaCpp       Server = "llama.cpp"        // honours n up to its slots, with the usage of one choice
	LlamaCppOld    Server = "llama.cpp-old"    // answers n > 1 with status 500
	Ollama         Server = "ollama"           // returns one choice
	LlamaCppPython Server = "llama-cpp-python" // returns one choice, refuses a negative top_k
	TGI            Server = "tgi"              // ignores n
)

// Servers returns all of them.
func Servers() []Server {
	return []Server{VLLM, SGLang, Hosted, LlamaCpp, LlamaCppOld, Ollama, LlamaCppPython, TGI}
}

// HonoursN reports whether the server can return several choices of one call.
func (s Server) HonoursN() bool {
	return s == "" || s == VLLM || s == SGLang || s == Hosted || s == LlamaCpp
}

// refusal returns the error that the server answers the call with, and status 0 when
// it takes it.
func (o *OpenAI) refusal(call Call) (int, openaiapi.Error) {
	bad := func(status int, field, message string) (int, openaiapi.Error) {
		e := openaiapi.NewError(status, "%s", message)
		if field != "" {
			e.Param = &field
		}
		return status, e
	}
	for _, field := range o.script.Reject {
		if call.Body.Has(field) {
			return bad(http.StatusBadRequest, "", "Unrecognized request argument supplied: "+field)
		}
	}
	if len(o.script.Models) > 0 && !slices.Contains(o.script.Models, call.Body.Text("model")) {
		return bad(http.StatusNotFound, "model", "The model does not exist.")
	}
	var topK int
	hasTopK, _ := call.Body.Decode("top_k", &topK) // another type is not scripted
	switch s := o.script.Server; {
	case s == LlamaCpp && call.N > o.script.Slots:
		return bad(http.StatusBadRequest, "", "n_cmpl cannot be greater than the number of slots, please increase -np")
	case s == LlamaCppOld && call.N > 1:
		return bad(http.StatusInternalServerError, "", "Only one completion choice is allowed")
	case s == SGLang && hasTopK && topK == 0:
		return bad(http.StatusBadRequest, "", "top_k must be -1 (disable) or at least 1, got 0.")
	case s == LlamaCppPython && hasTopK && topK < 0:
		return bad(http.StatusUnprocessableEntity, "", `[{"type": "greater_than_equal", "loc": ["body", "top_k"], "msg": "Input should be greater than or equal to 0"}]`)
	case s == Hosted:
		for _, field := range []string{"top_k", "min_p"} {
			if call.Body.Has(field) {
				return bad(http.StatusBadRequest, "", "Unrecognized request argument supplied: "+field)
			}
		}
	}
	return 0, openaiapi.Error{}
}

// choices returns how many choices the server writes for the call.
func (o *OpenAI) choices(call Call) int {
	if o.script.Server.HonoursN() {
		return call.N
	}
	return 1
}
