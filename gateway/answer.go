package gateway

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"rcvae"
	"rcvae/bestof"
	"rcvae/gateway/edge"
	"rcvae/internal/openaiapi"
	"rcvae/llm"
	"rcvae/signal"
)

// block is the field "rcvae" of an answer.
type block struct {
	K          int               `json:"k"`        // candidates at most
	Drawn      int               `json:"drawn"`    // candidates asked for: fewer than k when adaptive drawing stopped
	Returned   int               `json:"returned"` // candidates that came back
	Selector   string            `json:"selector"`
	Chosen     int               `json:"chosen"` // index among those that came back
	Scores     scoreList         `json:"scores"` // one each
	Reason     string            `json:"reason"`
	Fallback   string            `json:"fallback,omitempty"`       // why nothing was selected
	Stopped    string            `json:"stopped,omitempty"`        // why fewer were drawn
	Order      []int             `json:"order,omitempty"`          // candidates of the choices, when n > 1
	Failed     map[llm.Cause]int `json:"failed,omitempty"`         // calls to the upstream that failed, by cause
	Billed     *openaiapi.Usage  `json:"upstream_usage,omitempty"` // what the upstream counted in all
	Warnings   []string          `json:"warnings,omitempty"`
	Candidates []candidate       `json:"candidates,omitempty"`
}

// candidate is one of a block's candidates, and the data of an event "candidate".
type candidate struct {
	Index     int                  `json:"index"` // place in the draw
	Text      string               `json:"text"`
	Answer    string               `json:"answer"`
	Finish    string               `json:"finish"`
	Tokens    int                  `json:"tokens"`
	ToolCalls []openaiapi.ToolCall `json:"tool_calls,omitempty"`
	Equations []signal.Equation    `json:"equations,omitempty"` // that could be checked; when they were asked for
	Signals   map[string]float64   `json:"signals,omitempty"`   // by column, those that apply; when they were asked for
}

// scoreList is a list of scores in which NaN, no score, is null.
type scoreList []float64

// MarshalJSON implements [json.Marshaler].
func (l scoreList) MarshalJSON() ([]byte, error) {
	values := make([]*float64, len(l))
	for i := range l {
		if !math.IsNaN(l[i]) && !math.IsInf(l[i], 0) {
			values[i] = &l[i]
		}
	}
	return json.Marshal(values)
}

// whyNone says why no rule chose, "" where one did. A rule's own error is for the log: it may
// name files and servers behind the gateway.
func (p part) whyNone() string {
	if p.Kind == bestof.FallbackSelector {
		return "the rule failed; the server's log says why"
	}
	return p.Fallback
}

// block returns what is told of a part.
func (p part) block() block {
	c := p.call
	b := block{
		K: c.k, Drawn: p.Drawn, Returned: len(p.Candidates), Selector: p.Rule, Chosen: p.Chosen, Scores: p.Scores,
		Reason: p.Reason, Fallback: p.whyNone(), Stopped: p.Stopped, Warnings: p.Warnings, Failed: p.draw.Failed,
	}
	if p.Stopped == stopGreedy {
		b.Warnings = append(b.Warnings, "the request takes the likeliest token each time (temperature 0 or top_k 1), so all candidates would be the same: it was drawn once")
	}
	if !p.draw.Billed.IsZero() {
		b.Billed = &p.draw.Billed
	}
	if c.n > 1 {
		b.Order = p.best()
	}
	if c.Candidates || c.Explain {
		for _, each := range p.Candidates {
			b.Candidates = append(b.Candidates, candidateView(each))
		}
	}
	if c.Explain && p.Kind == "" { // what was too long to select from is too long to read again
		p.explain(b.Candidates)
	}
	return b
}

func candidateView(c bestof.Candidate) candidate {
	return candidate{Index: c.Place, Text: c.Text, Answer: c.Answer, Finish: c.Finish, Tokens: c.Tokens, ToolCalls: c.Raw.(llm.Choice).ToolCalls}
}

// explain adds what the signals read off the candidates.
func (p part) explain(views []candidate) {
	candidates := make([]rcvae.Candidate, len(p.Candidates))
	for i, c := range p.Candidates {
		candidates[i] = c.Candidate
	}
	table := signal.Compute(p.call.question, candidates)
	for i := range views {
		views[i].Equations, views[i].Signals = signal.Equations(candidates[i].Text), map[string]float64{}
		for j, column := range table.Columns {
			if v := table.Values[i][j]; !math.IsNaN(v) {
				views[i].Signals[column.Name] = v
			}
		}
	}
}

// answer returns the complete body: the upstream's envelope, the best choices, the
// usage of all candidates and the block.
func answer(parts []part) ([]byte, error) {
	choices, err := bestChoices(parts)
	if err != nil {
		return nil, err
	}
	list := make([]json.RawMessage, len(choices))
	for i, choice := range choices {
		list[i] = choice.Bytes()
	}
	body := parts[0].draw.Envelope.Clone()
	body.SetList("choices", list)
	if usage := usageOf(parts); !usage.IsZero() { // an upstream that counts nothing is not made to
		if err := body.Set("usage", usage); err != nil {
			return nil, err
		}
	}
	if err := setBlock(&body, parts); err != nil {
		return nil, err
	}
	return body.Bytes(), nil
}

// bestChoices returns the upstream's choices that the client gets, at their new places
// and without log-probabilities that it did not ask for.
func bestChoices(parts []part) (choices []openaiapi.Body, err error) {
	for _, p := range parts {
		for _, i := range p.best() {
			choice, err := openaiapi.ParseBody(p.choice(i).Raw)
			if err != nil {
				return nil, edge.Errorf(http.StatusBadGateway, "the upstream's choice: %v", err)
			}
			choice.SetRaw("index", []byte(strconv.Itoa(len(choices))))
			if !p.call.logProbs && choice.Has("logprobs") {
				choice.SetRaw("logprobs", []byte("null"))
			}
			choices = append(choices, choice)
		}
	}
	return choices, nil
}

// setBlock puts the block of one prompt, or a list of blocks for several, into a body.
func setBlock(body *openaiapi.Body, parts []part) error {
	if len(parts) == 1 {
		return body.Set(blockField, parts[0].block())
	}
	blocks := make([]block, len(parts))
	for i := range parts {
		blocks[i] = parts[i].block()
	}
	return body.Set(blockField, map[string]any{"k": parts[0].call.k, "selector": blocks[0].Selector, "prompts": blocks})
}
