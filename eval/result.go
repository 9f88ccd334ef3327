package eval

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"rcvae"
	"rcvae/eval/stats"
)

// Version is the format version of result.json.
const Version = 2

// Result is what result.json holds. Accuracies and differences are fractions.
type Result struct {
	Version int        `json:"version"`
	Run     RunInfo    `json:"run"`
	Pools   []Pool     `json:"pools"`
	Models  []Training `json:"models,omitempty"` // how the models were trained; set by the caller
}

// RunInfo says where a result comes from. [Run] sets Seed and Config, the caller
// the rest; without Started two runs give the same bytes.
type RunInfo struct {
	Commit  string  `json:"commit"`
	Seed    uint64  `json:"seed"`
	Command string  `json:"command"`
	Started string  `json:"started,omitempty"` // RFC 3339
	Config  *Config `json:"config,omitempty"`
}

// Pool is what was measured on one pool.
type Pool struct {
	Pool          string       `json:"pool"`
	Questions     int          `json:"questions"`
	Distinct      int          `json:"distinct_questions"` // of different ids: what intervals are computed over
	K             int          `json:"k"`                  // most candidates that a question has
	KMin          int          `json:"k_min,omitempty"`    // fewest, if they differ
	Candidates    int          `json:"candidates"`         // in all
	Ungraded      int          `json:"ungraded"`           // of these, candidates without a verdict
	Sampler       string       `json:"sampler"`
	Grader        string       `json:"grader"`
	MeanAt1       float64      `json:"mean_at_1"` // accuracy of a random candidate
	PassAtK       float64      `json:"pass_at_k"` // share of questions with a correct candidate
	Majority      float64      `json:"majority"`
	Selectors     []Selector   `json:"selectors"`
	ByK           []AtK        `json:"by_k"`
	Seeds         []Seed       `json:"seeds,omitempty"`          // each of several models alone
	SeedAgreement *float64     `json:"seed_agreement,omitempty"` // Spearman's ρ of entropies inside a question, mean over questions and pairs of models
	Diagnostics   []Diagnostic `json:"diagnostics"`
	Warnings      []string     `json:"warnings,omitempty"`
}

// Interval is a 95 % interval, [low, high].
type Interval = stats.Interval

// Comparison is a paired difference, this minus the other, over questions. Interval and
// p-value are null for too few questions, see [stats.MinClusters].
type Comparison struct {
	Diff float64   `json:"diff"`
	CI95 *Interval `json:"ci95"`
	P    *float64  `json:"p"`
}

// GapShare is (rule − majority) / (pass@k − majority): how much of what any rule could
// gain over the majority vote this one gains. It is null where the denominator's
// interval includes 0.
type GapShare struct {
	Share *float64  `json:"share"`
	CI95  *Interval `json:"ci95"`
}

// Measured is a rule's accuracy.
type Measured struct {
	Name       string     `json:"name"`
	Accuracy   float64    `json:"accuracy"`
	CI95       *Interval  `json:"ci95"`
	VsMean     Comparison `json:"vs_mean"`
	VsMajority Comparison `json:"vs_majority"`
	GapShare   GapShare   `json:"gap_share"`
}

// Selector is what was measured of one rule on all candidates.
type Selector struct {
	Measured
	N                 int      `json:"n"`                  // questions
	NoAnswer          float64  `json:"no_answer"`          // questions for which the chosen candidate has no answer that could vote; of a tie, its share
	Ungraded          float64  `json:"ungraded,omitempty"` // questions for which the chosen candidate has no verdict; of a tie, its share
	AUROC             *float64 `json:"auroc,omitempty"`    // of the score inside a question; absent for rules without a score of their own
	AUROCN            int      `json:"auroc_n,omitempty"`  // questions with both correct and incorrect candidates
	MicrosPerQuestion float64  `json:"us_per_question,omitempty"`
}

// AtK is what was measured at k candidates per question.
type AtK struct {
	K         int        `json:"k"`
	N         int        `json:"n"`                  // questions with at least k candidates
	Distinct  int        `json:"distinct_questions"` // of these, of different ids
	MeanAt1   float64    `json:"mean_at_1"`          // of these questions
	PassAtK   float64    `json:"pass_at_k"`          // unbiased, 1 − C(n−c, k)/C(n, k)
	Majority  float64    `json:"majority"`           // exact, over all subsets
	Selectors []Measured `json:"selectors"`          // over subsets
	Warnings  []string   `json:"warnings,omitempty"`
}

// Seed is what was measured with one of several models alone.
type Seed struct {
	Model     string     `json:"model"`
	Selectors []Selector `json:"selectors"`
	ByK       []AtK      `json:"by_k"`
}

// Diagnostic tells how a model's posteriors behave on the pool.
type Diagnostic struct {
	Model string `json:"model"`
	rcvae.Diagnostics

	// Shares of the candidates that are out-of-distribution, so that their scores do
	// not count in votes, and of the questions with no other; nil for models that
	// cannot tell.
	OutOfDistribution          *float64 `json:"out_of_distribution_candidates,omitempty"`
	OutOfDistributionQuestions *float64 `json:"out_of_distribution_questions,omitempty"`
}

// WriteJSON writes the result as indented JSON. Equal results give equal bytes.
func WriteJSON(w io.Writer, r *Result) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// ReadJSON reads a result and checks its version.
func ReadJSON(r io.Reader) (*Result, error) {
	var result Result
	if err := json.NewDecoder(r).Decode(&result); err != nil {
		return nil, fmt.Errorf("decode result: %w", err)
	}
	if result.Version == 0 {
		return nil, errors.New("this is no result: 'rcvae eval --out' writes one")
	}
	if result.Version != Version {
		return nil, fmt.Errorf("result has format version %d, this program reads %d; run rcvae eval again", result.Version, Version)
	}
	return &result, nil
}
