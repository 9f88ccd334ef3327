package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"rcvae"
	"rcvae/dataset"
	"rcvae/llm"
)

// SampleTarget names the workers that draw from the model, in subjects.
func SampleTarget(model string) string { return HashID("model", model)[:12] }

// SampleSpec returns the spec of a coordinator that has candidates drawn from the model.
func SampleSpec(model, run, build string) Spec {
	payload, err := json.Marshal(samplePayload{model})
	if err != nil { // a string always encodes
		panic(err)
	}
	verify := func(_ context.Context, raw json.RawMessage) error {
		var proof samplePayload
		if err := json.Unmarshal(raw, &proof); err != nil {
			return fmt.Errorf("the proof is not understood: %w", err)
		}
		if proof.Model != model {
			return fmt.Errorf("it draws from %q, the coordinator wants %q: start it with that --llm", proof.Model, model)
		}
		return nil
	}
	return Spec{Kind: Sampling, Target: SampleTarget(model), Run: run, Build: build, Payload: payload, Verify: verify}
}

type samplePayload struct {
	Model string `json:"model"`
}

// SampleJob asks for the candidates of one problem.
type SampleJob struct {
	ID       string       `json:"id"` // the problem's
	Question string       `json:"question"`
	K        int          `json:"k"`
	Greedy   bool         `json:"greedy"` // and one greedy candidate, first
	Settings llm.Settings `json:"settings"`
}

// Job returns the job of the queue, whose id depends on all fields.
func (s SampleJob) Job() (Job, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return Job{}, fmt.Errorf("encode the job of problem %s: %w", s.ID, err)
	}
	return Job{ID: HashID("sample", string(data)), Data: data, Units: 1}, nil
}

// SampleResult is what a worker drew: candidates without verdicts, or why there are none.
type SampleResult struct {
	Question rcvae.Question
	Tokens   int    // of all candidates
	Warning  string // fewer candidates came than were asked for, and why
	Error    string // no candidate came, and why; other problems may have some
}

// wireSample is the form of a result in JSON, which travels compressed.
type wireSample struct {
	Line    json.RawMessage `json:"line"` // of a pool
	Tokens  int             `json:"tokens"`
	Warning string          `json:"warning,omitempty"`
	Error   string          `json:"error,omitempty"`
}

// maxSample bounds a result in memory, in bytes.
const maxSample = 256 << 20

func (r SampleResult) encode() ([]byte, error) {
	line, err := dataset.AppendQuestion(nil, r.Question)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(wireSample{line, r.Tokens, r.Warning, r.Error})
	if err != nil {
		return nil, err
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer encoder.Close()
	return encoder.EncodeAll(data, nil), nil
}

// DecodeSample reads a result. Its errors are [ErrDamaged].
func DecodeSample(data []byte) (r SampleResult, err error) {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxSample))
	if err != nil {
		return r, err
	}
	defer decoder.Close()
	plain, err := decoder.DecodeAll(data, nil)
	if err != nil {
		return r, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	var w wireSample
	if err := json.Unmarshal(plain, &w); err != nil {
		return r, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	for q, err := range dataset.Pool(bytes.NewReader(w.Line), "a worker's result") {
		if err != nil {
			return r, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		for i := range q.Candidates { // the coordinator grades
			c := &q.Candidates[i]
			c.Answer, c.AnswerFrom, c.Verdict = "", "", rcvae.Ungraded
		}
		return SampleResult{q, w.Tokens, w.Warning, w.Error}, nil
	}
	return r, fmt.Errorf("%w: it holds no question", ErrDamaged)
}

// SampleSkill is the skill of drawing candidates from a server.
type SampleSkill struct {
	Sampler *llm.Sampler
	Model   string // the server's name of the model

	mu       sync.Mutex
	samplers map[string]*llm.Sampler // by settings: they share what is known of the server
}

var _ Skill = (*SampleSkill)(nil)

// Kind returns [Sampling].
func (*SampleSkill) Kind() Kind { return Sampling }

// Prepare shows which model the worker draws from.
func (s *SampleSkill) Prepare(_ context.Context, plan Plan, _ Bring) (any, error) {
	var p samplePayload
	if err := json.Unmarshal(plan.Payload, &p); err != nil {
		return nil, refusef("the coordinator's plan is not understood: %v", err)
	}
	if p.Model != s.Model {
		return nil, refusef("this worker draws from %q, the coordinator wants %q: start it with that --llm", s.Model, p.Model)
	}
	return p, nil
}

// Do draws the candidates of one problem. An error about the server gives the job back, one
// about the problem is the result.
func (s *SampleSkill) Do(ctx context.Context, data []byte) ([]byte, error) {
	var job SampleJob
	if err := json.Unmarshal(data, &job); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if job.K < 1 || job.Settings.Model != s.Model {
		return nil, fmt.Errorf("%w: %d candidates of the model %q", ErrMalformed, job.K, job.Settings.Model)
	}
	r, err := s.draw(ctx, job)
	if err != nil {
		if status, ok := errors.AsType[*llm.StatusError](err); llm.Away(err) || ok && status.AboutKey() {
			return nil, err
		}
		r.Error = err.Error()
	}
	return r.encode()
}

func (s *SampleSkill) draw(ctx context.Context, job SampleJob) (SampleResult, error) {
	r := SampleResult{Question: rcvae.Question{Problem: rcvae.Problem{ID: job.ID, Question: job.Question}}}
	add := func(settings llm.Settings, k int) error {
		sampler, err := s.sampler(settings)
		if err != nil {
			return err
		}
		candidates, draw, err := sampler.Draw(ctx, job.Question, 0, k)
		if err != nil {
			return err
		}
		if len(candidates) < k {
			r.Warning = fmt.Sprintf("%d of %d candidates came back: %v", len(candidates), k, draw.Err)
		}
		r.Question.Candidates = append(r.Question.Candidates, candidates...)
		r.Tokens += draw.Usage.CompletionTokens
		return nil
	}
	if job.Greedy {
		if err := add(job.Settings.Greedy(), 1); err != nil {
			return r, err
		}
	}
	err := add(job.Settings, job.K)
	if err != nil {
		r.Question.Candidates = nil
	}
	return r, err
}

func (s *SampleSkill) sampler(settings llm.Settings) (*llm.Sampler, error) {
	data, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.samplers[string(data)]; ok {
		return known, nil
	}
	sampler, err := s.Sampler.With(settings)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if s.samplers == nil {
		s.samplers = map[string]*llm.Sampler{}
	}
	s.samplers[string(data)] = sampler
	return sampler, nil
}

// Healthy asks the server whether it is there.
func (s *SampleSkill) Healthy(ctx context.Context) error { return s.Sampler.Ready(ctx) }
