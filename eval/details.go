package eval

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"rcvae"
	"rcvae/internal/scratch"
	"rcvae/selector"
	"rcvae/signal"
)

// DetailsVersion is the format version of the lines of details.jsonl.gz.
const DetailsVersion = 1

// Details are what is known of one question and its candidates: one line of
// details.jsonl.gz, which [ReadDetails] reads.
type Details struct {
	Version    int                `json:"version"` // DetailsVersion
	Pool       string             `json:"pool"`
	ID         string             `json:"id"`
	Question   string             `json:"question"`
	Gold       string             `json:"gold"`
	Signals    []string           `json:"signals"` // names of the columns, in the order of [CandidateDetails].Signals
	Candidates []CandidateDetails `json:"candidates"`
	Chosen     []RuleDetails      `json:"chosen"` // by the rules of [Pool].Selectors, among all candidates
}

// CandidateDetails are what is known of one candidate.
type CandidateDetails struct {
	Text           string             `json:"text"`
	Answer         string             `json:"answer"`
	Class          int                `json:"class"`                     // of equal answers, from 0; −1: does not vote
	Verdict        string             `json:"verdict"`                   // "correct", "incorrect", "no_answer" or "ungraded"
	Scores         map[string]float64 `json:"scores"`                    // by the name of the score, as computed: not discounted
	Signals        []*float64         `json:"signals"`                   // null where a column does not apply
	Entropy        *float64           `json:"entropy_nats,omitempty"`    // of the posterior, without its constant; mean over the models; absent without a model
	InDistribution *float64           `json:"in_distribution,omitempty"` // weight of the models' scores, mean over the models; absent without a model
	Latent         []float32          `json:"latent,omitempty"`          // (d), posterior mean of the first model
}

// RuleDetails are what a rule chose.
type RuleDetails struct {
	Rule  string  `json:"rule"`
	Best  int     `json:"best"`  // position of the candidate that is chosen in service, from 0
	Tied  []int   `json:"tied"`  // one candidate per winner of a tie, best included; empty if nobody has an answer
	Value float64 `json:"value"` // expected correctness

	// Of rules that vote, and absent for others or where nobody has an answer.
	Weights []float64 `json:"weights,omitempty"` // (classes), what each answer's votes weigh
	Margin  float64   `json:"margin,omitempty"`  // of the two largest, as a share of all weights
}

// details describes a question to which the choices belong.
func (p plan) details(ctx context.Context, q rcvae.Encoded, g grades, e *selector.Evidence, choices []selector.Choice) (Details, error) {
	d := Details{Version: DetailsVersion, Pool: p.config.Pool, ID: q.ID, Question: q.Problem.Question, Gold: q.Answer, Candidates: make([]CandidateDetails, len(q.Candidates))}
	table := signal.Compute(q.Problem.Question, q.Candidates)
	for _, column := range signal.Columns() {
		d.Signals = append(d.Signals, column.Name)
	}
	for i, c := range q.Candidates {
		x := CandidateDetails{Text: c.Text, Answer: c.Answer, Class: e.Class(i), Verdict: verdictName(c), Scores: map[string]float64{}}
		for _, v := range table.Values[i] {
			if math.IsNaN(v) {
				x.Signals = append(x.Signals, nil)
			} else {
				x.Signals = append(x.Signals, &v)
			}
		}
		if e.Models() > 0 {
			entropy, _ := e.Entropy(i)
			x.Entropy, x.InDistribution, x.Latent = &entropy, new(e.InDistribution(i)), e.Inferences(0)[i].Posterior.Mu
		}
		d.Candidates[i] = x
	}
	for c, x := range p.contenders {
		d.Chosen = append(d.Chosen, RuleDetails{
			Rule: x.rule.Name(), Best: choices[c].Best, Tied: choices[c].Tied, Value: g.of(choices[c], every(e.Len()), x.rule.Votes()),
			Weights: choices[c].Weights, Margin: choices[c].Margin(),
		})
		if x.rule.Score.Name == "" {
			continue
		}
		column, err := e.Column(ctx, x.rule.Score)
		if err != nil {
			return d, fmt.Errorf("details: %w", err)
		}
		for i, s := range column.Raw {
			d.Candidates[i].Scores[x.rule.Score.Name] = s
		}
	}
	return d, nil
}

// keepDetails returns the details as JSON, outside memory where they are many.
func (p plan) keepDetails(ctx context.Context, q rcvae.Encoded, g grades, e *selector.Evidence, choices []selector.Choice) ([]byte, error) {
	details, err := p.details(ctx, q, g, e, choices)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(details)
	if err != nil {
		return nil, fmt.Errorf("details: %w", err)
	}
	return scratch.Keep(p.space, text)
}

// verdictName tells "no answer" from "incorrect".
func verdictName(c rcvae.Candidate) string {
	if c.Answer == "" && c.Verdict == rcvae.Incorrect {
		return "no_answer"
	}
	return c.Verdict.String()
}

// emit hands out the details in the order of the questions that were asked for.
func (p plan) emit(kept []rcvae.Encoded, outcomes []outcome, questions []rcvae.Encoded) error {
	if p.config.OnDetails == nil {
		return nil
	}
	// The candidates tell questions of one id apart.
	at := make(map[*rcvae.Candidate]int, len(kept))
	for i, q := range kept {
		at[&q.Candidates[0]] = i
	}
	for _, q := range questions {
		if len(q.Candidates) == 0 {
			continue
		}
		i, ok := at[&q.Candidates[0]]
		if !ok {
			continue
		}
		var details Details
		if err := json.Unmarshal(outcomes[i].details, &details); err != nil {
			return fmt.Errorf("details of question %s: %w", q.ID, err)
		}
		p.config.OnDetails(details)
	}
	return nil
}
