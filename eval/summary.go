package eval

import (
	"fmt"
)

// summarize joins the outcomes of all questions.
func (p plan) summarize(questions []Question, outcomes []outcome, s census) Pool {
	pool := Pool{
		Pool: p.config.Pool, Sampler: p.config.Sampler, Grader: p.config.Grader,
		Questions: len(questions), K: s.max, Candidates: s.candidates, Ungraded: s.ungraded,
		ByK: []AtK{}, Diagnostics: []Diagnostic{}, Warnings: p.warnings(s, len(questions)),
	}
	if s.min < s.max {
		pool.KMin = s.min
	}
	all := p.selectors(outcomes)
	pool.MeanAt1, pool.Majority = all[columnMean].Accuracy, all[columnMajority].Accuracy
	for _, o := range outcomes {
		if o.right > 0 {
			pool.PassAtK += 1 / float64(len(outcomes))
		}
	}
	byK := make([]atK, 0, len(p.sizes))
	for i, k := range p.sizes {
		at := p.atSize(i, questions, outcomes)
		if left := len(outcomes) - at.N; left > 0 {
			pool.Warnings = append(pool.Warnings, fmt.Sprintf("k = %d: %d of %d questions have fewer candidates and are left out", k, left, len(outcomes)))
		}
		if at.N > 0 && at.N < minForInterval && len(outcomes) >= minForInterval {
			pool.Warnings = append(pool.Warnings, fmt.Sprintf("k = %d: %d questions: need at least %d for an interval", k, at.N, minForInterval))
		}
		if at.N > 0 {
			byK = append(byK, at)
		}
	}
	pool.Selectors = pick(all, p.columnsOf(together))
	for _, at := range byK {
		pool.ByK = append(pool.ByK, at.pick(p.columnsOf(together)))
	}
	p.addModels(&pool, outcomes, all, byK)
	return pool
}

// addModels adds what concerns single models: diagnostics, seeds, agreement.
func (p plan) addModels(pool *Pool, outcomes []outcome, all []Selector, byK []atK) {
	models := len(p.sources.Models)
	for m := range models {
		d := diagnose(p.modelName(m), m, outcomes)
		pool.Diagnostics = append(pool.Diagnostics, d)
		if w := d.collapse(); w != "" {
			pool.Warnings = append(pool.Warnings, w)
		}
		if models > 1 {
			seed := Seed{Model: d.Model, Selectors: pick(all, p.columnsOf(m)), ByK: []AtK{}}
			for _, at := range byK {
				seed.ByK = append(seed.ByK, at.pick(p.columnsOf(m)))
			}
			pool.Seeds = append(pool.Seeds, seed)
		}
	}
	var agreements []float64
	for _, o := range outcomes {
		agreements = append(agreements, o.agreement)
	}
	if mean, n := meanDefined(agreements); n > 0 {
		pool.SeedAgreement = &mean
	}
}

func (p plan) modelName(m int) string {
	if p.config.ModelNames != nil {
		return p.config.ModelNames[m]
	}
	return fmt.Sprintf("model %d", m+1)
}

// columnsOf returns the contenders of a view, without the baselines.
func (p plan) columnsOf(view int) []int {
	var columns []int
	for c := columnFirst; c < len(p.contenders); c++ {
		if p.contenders[c].view == view {
			columns = append(columns, c)
		}
	}
	return columns
}

func pick[T any](all []T, columns []int) []T {
	out := make([]T, len(columns))
	for i, c := range columns {
		out[i] = all[c]
	}
	return out
}

// selectors sums up every contender on all candidates.
func (p plan) selectors(outcomes []outcome) []Selector {
	t := table{columns: len(p.contenders)}
	for _, o := range outcomes {
		t.rows = append(t.rows, o.value)
	}
	e := p.estimateOf(t)
	out := make([]Selector, len(p.contenders))
	for c, x := range p.contenders {
		s := Selector{Name: x.rule.Name, N: len(outcomes), Accuracy: e.mean[c], CI95: e.ci[c], VsMean: e.vsMean[c], VsMajority: e.vsMajority[c]}
		var only, other int // questions that only this contender, only the majority gets right
		aurocs := make([]float64, 0, len(outcomes))
		for _, o := range outcomes {
			switch {
			case o.served[c] && !o.served[columnMajority]:
				only++
			case !o.served[c] && o.served[columnMajority]:
				other++
			}
			if o.unanswered[c] {
				s.NoAnswer++
			}
			aurocs = append(aurocs, o.auroc[c])
		}
		if x.rule.Name != "random" { // random has no deterministic choice
			s.VsMajority.P, s.VsMajority.Test = McNemar(only, other), "mcnemar"
		}
		if mean, n := meanDefined(aurocs); n > 0 {
			s.AUROC, s.AUROCN = &mean, n
		}
		out[c] = s
	}
	return out
}

// atK is [AtK] with an entry for every contender.
type atK AtK

func (a atK) pick(columns []int) AtK {
	a.Selectors = pick(a.Selectors, columns)
	return AtK(a)
}

// atSize sums up every contender at the i-th size.
func (p plan) atSize(i int, questions []Question, outcomes []outcome) atK {
	at := atK{K: p.sizes[i]}
	t := table{columns: len(p.contenders)}
	for q, o := range outcomes {
		if o.byK[i] == nil {
			continue
		}
		n := len(questions[q].Candidates)
		t.rows = append(t.rows, o.byK[i])
		at.MeanAt1 += float64(o.right) / float64(n)
		at.PassAtK += PassAtK(n, o.right, at.K)
	}
	if at.N = len(t.rows); at.N == 0 {
		return at
	}
	at.MeanAt1 /= float64(at.N)
	at.PassAtK /= float64(at.N)
	e := p.estimateOf(t)
	at.Majority = e.mean[columnMajority]
	for c, x := range p.contenders {
		at.Selectors = append(at.Selectors, SelectorAtK{
			Name: x.rule.Name, Accuracy: e.mean[c], CI95: e.ci[c], VsMean: e.vsMean[c], VsMajority: e.vsMajority[c],
		})
	}
	return at
}

// warnings tells what should be known about the pool.
func (p plan) warnings(s census, questions int) []string {
	var w []string
	add := func(format string, args ...any) { w = append(w, fmt.Sprintf(format, args...)) }
	if questions < minForInterval {
		add("%d questions: need at least %d for an interval", questions, minForInterval)
	}
	if s.ungraded > 0 {
		add("%d candidates could not be graded and are left out", s.ungraded)
	}
	if s.empty > 0 {
		add("%d questions have no graded candidate and are left out", s.empty)
	}
	if s.answered == 0 {
		add("no candidate has an answer: votes fall back to their score, majority counts as wrong")
	}
	if s.silentRight > 0 {
		add("%d of %d candidates are graded right but do not vote: they were cut at the token limit before stating an answer, or have none", s.silentRight, s.candidates)
	}
	return w
}
