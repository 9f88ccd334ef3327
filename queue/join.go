package queue

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go"
)

// Hello is what a worker asks for a plan with.
type Hello struct {
	Version int    `json:"version"`
	Build   string `json:"build"`
	Name    string `json:"name"`
	Files   bool   `json:"files,omitempty"` // it needs the coordinator's files
}

// Plan is what a coordinator answers.
type Plan struct {
	Version  int             `json:"version"`
	Build    string          `json:"build"`
	Kind     Kind            `json:"kind"`
	Target   string          `json:"target"`
	Run      string          `json:"run"`
	Patience int64           `json:"patience_ns"` // see [Options.Patience]
	Payload  json.RawMessage `json:"payload"`
	Files    []File          `json:"files,omitempty"`
	Wait     string          `json:"wait,omitempty"`    // ask again: what the worker needs is not ready
	Refused  string          `json:"refused,omitempty"` // why the worker may not join
}

// verdict is the answer to a proof.
type verdict struct {
	Refused string `json:"refused,omitempty"`
}

// answer answers workers until the context ends.
func (c *Coordinator) answer(ctx context.Context) error {
	handlers := map[string]func(context.Context, []byte) any{planSubject(c.spec.Kind): c.plan, proofSubject(c.spec.Run): c.prove}
	for subject, handle := range handlers {
		sub, err := c.conn.nc.Subscribe(subject, func(m *nats.Msg) {
			data, err := json.Marshal(handle(ctx, m.Data))
			if err == nil {
				_ = m.Respond(data) // a worker that is gone asks again
			}
		})
		if err != nil {
			return fmt.Errorf("answer workers: %w", err)
		}
		c.subs = append(c.subs, sub)
	}
	return c.conn.nc.Flush()
}

// plan answers a worker that asks what there is to do.
func (c *Coordinator) plan(ctx context.Context, data []byte) any {
	s := c.spec
	p := Plan{Version: Version, Build: s.Build, Kind: s.Kind, Target: s.Target, Run: s.Run, Patience: int64(c.options.Patience), Payload: s.Payload}
	var h Hello
	if err := json.Unmarshal(data, &h); err != nil {
		p.Refused = "the worker's greeting is not understood"
		return p
	}
	switch {
	case h.Version != Version:
		p.Refused = fmt.Sprintf("the worker speaks version %d of the queue's messages, the coordinator version %d: run the same program on both", h.Version, Version)
	case h.Build != s.Build:
		p.Refused = fmt.Sprintf("the worker is build %s, the coordinator build %s: run the same program on both", h.Build, s.Build)
	case h.Files:
		p.Files, p.Wait, p.Refused = c.files.ready(ctx, c.conn.js)
	}
	return p
}

// prove judges a worker's proof.
func (c *Coordinator) prove(ctx context.Context, proof []byte) any {
	if c.spec.Verify == nil {
		return verdict{}
	}
	if err := c.spec.Verify(ctx, proof); err != nil {
		return verdict{err.Error()}
	}
	return verdict{}
}
