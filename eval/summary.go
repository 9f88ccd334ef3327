package eval

import (
	"fmt"
	"math"

	"rcvae"
	"rcvae/eval/stats"
)

// summarize joins the outcomes of all questions.
func (p plan) summarize(questions []rcvae.Encoded, outcomes []outcome, s counts) (Pool, error) {
	pool := Pool{
		Pool: p.config.Pool, Sampler: p.config.Sampler, Grader: p.config.Grader,
		Questions: s.questions, K: s.max, Candidates: s.candidates, Ungraded: s.ungraded,
		ByK: []AtK{}, Diagnostics: []Diagnostic{}, Warnings: s.warnings(),
	}
	if s.min < s.max {
		pool.KMin = s.min
	}
	rows := make([][]float64, len(outcomes))
	for q, o := range outcomes {
		rows[q] = o.values
	}
	all, err := p.estimate(questions, rows)
	if err != nil {
		return pool, err
	}
	pool.Distinct, pool.Warnings = all.Distinct, append(pool.Warnings, all.Warnings...)
	pool.MeanAt1, pool.Majority, pool.PassAtK = all.MeanAt1, all.Majority, all.PassAtK
	pool.Selectors = p.selectors(all.Selectors, outcomes)
	for i, k := range p.sizes {
		for q, o := range outcomes {
			rows[q] = o.byK[i]
		}
		at, err := p.estimate(questions, rows)
		if err != nil {
			return pool, err
		}
		if left := len(rows) - at.N; left > 0 {
			pool.Warnings = append(pool.Warnings, fmt.Sprintf("k = %d: %d of %d questions have fewer candidates and are left out", k, left, len(rows)))
		}
		if at.K = k; at.N > 0 {
			pool.ByK = append(pool.ByK, at)
		}
	}
	return pool, nil
}

// estimate sums up the rows, nil for questions to leave out.
func (p plan) estimate(questions []rcvae.Encoded, rows [][]float64) (at AtK, err error) {
	var ids []string
	var kept [][]float64
	for q, row := range rows {
		if row != nil {
			ids, kept = append(ids, questions[q].ID), append(kept, row)
		}
	}
	if at.N = len(kept); at.N == 0 {
		return at, nil
	}
	sample, err := stats.NewSample(ids, kept)
	if err != nil {
		return at, err
	}
	r, err := stats.Bootstrap{Resamples: p.config.Resamples, Seed: p.config.Seed}.Resample(sample)
	if err != nil {
		return at, err
	}
	mean := r.Mean(columnMean)
	at.MeanAt1, at.Majority, at.PassAtK = mean.Value, r.Mean(columnMajority).Value, r.Mean(columnPass).Value
	for c, x := range p.contenders {
		at.Selectors = append(at.Selectors, measured(r, x.rule.Name(), columnFirst+c))
	}
	at.Distinct, at.Warnings = mean.Clusters, mean.Warnings
	return at, nil
}

func measured(r *stats.Resampled, name string, column int) Measured {
	compare := func(base int) Comparison {
		d := r.Difference(column, base)
		return Comparison{d.Value, d.CI95, d.P}
	}
	accuracy, share := r.Mean(column), r.Share(column, columnMajority, columnPass)
	m := Measured{name, accuracy.Value, accuracy.CI95, compare(columnMean), compare(columnMajority), GapShare{CI95: share.CI95}}
	if !math.IsNaN(share.Value) {
		m.GapShare.Share = &share.Value
	}
	return m
}

// selectors adds to the accuracies what else is known of the contenders.
func (p plan) selectors(all []Measured, outcomes []outcome) []Selector {
	out := make([]Selector, len(all))
	for c, m := range all {
		s := Selector{Measured: m, N: len(outcomes)}
		aurocs := make([]float64, len(outcomes))
		for q, o := range outcomes {
			s.NoAnswer += o.unanswered[c]
			s.Ungraded += o.ungraded[c]
			aurocs[q] = o.auroc[c]
		}
		if mean, n := meanDefined(aurocs); n > 0 {
			s.AUROC, s.AUROCN = &mean, n
		}
		out[c] = s
	}
	return out
}

// addModels adds the diagnostics of the models and their agreement.
func (p plan) addModels(pool *Pool, said *said) {
	for m := range p.sources.Models {
		d := p.diagnose(m, said)
		pool.Diagnostics = append(pool.Diagnostics, d)
		if w := d.Warning(); w != "" {
			pool.Warnings = append(pool.Warnings, d.Model+": "+w)
		}
	}
	if mean, n := meanDefined(said.agreements); n > 0 {
		pool.SeedAgreement = &mean
	}
}

// warnings tells what should be known about the pool.
func (s counts) warnings() []string {
	var w []string
	add := func(n int, format string, args ...any) {
		if n > 0 {
			w = append(w, fmt.Sprintf(format, args...))
		}
	}
	add(s.ungraded, "%d of %d candidates could not be graded: they vote, and count as the graded ones with their answer do", s.ungraded, s.candidates)
	add(s.empty, "%d questions have no graded candidate and are left out", s.empty)
	if s.voters == 0 {
		w = append(w, "no candidate has an answer: votes fall back to their score, the majority vote counts as incorrect")
	}
	add(s.silentCorrect, "%d of %d candidates are graded correct but do not vote: they were cut at the token limit before stating an answer, or have none", s.silentCorrect, s.candidates)
	if s.lacking == 0 {
		add(s.noLogProb, "%d of %d candidates have no log-probabilities or no token count: rules that look at them give these the mean of the others", s.noLogProb, s.candidates)
	}
	return w
}
