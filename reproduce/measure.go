package reproduce

import (
	"context"
	"fmt"
	"slices"

	"rcvae"
	"rcvae/builtin"
	"rcvae/eval"
	"rcvae/selector"
	"rcvae/train"
)

// Config says how rules are measured.
type Config struct {
	Seed      uint64 // of the bootstrap
	Resamples int    // of the bootstrap
	CutGold   bool   // see [Match]
	Embedder  rcvae.Embedder
	OnDetails func(eval.Details) // called for every question of the main pools, see [MainPool]; may be nil
	OnPool    func(name string)  // called before a pool is measured; may be nil
}

// rules are what is measured of each group on the top-p samples.
var rules = map[string][]string{
	AsPublished: {"entropy"},
	AsReleased:  {"norm"},
	Ours:        {"vote:entropy", "tiebreak:entropy", "entropy"},
}

// plain are the rules that need no group of models.
var plain = []string{"vote:signals", "vote:arithmetic", "majority", "random", "oracle"}

// PoolName names a pool of the result: the samples of one arm, graded in one way, under
// the rules of one group.
func PoolName(suite, arm, group, match string) string {
	return suite + " " + arm + " " + group + " " + match
}

// none is the group of a pool that was measured without models.
const none = "-"

// MainPool returns the name of the pool with the top-p samples of a suite, the honest
// grader and this project's rules, of which details are reported.
func MainPool(suite string) string { return PoolName(suite, TopP, Ours, Honest) }

// Measure measures every rule on the samples of every suite, in both ways of grading.
// The result has one pool for each arm, way of grading and group.
func Measure(ctx context.Context, c Config, suites []Sampled, groups []Group) (*eval.Result, error) {
	result := &eval.Result{Version: eval.Version, Run: eval.RunInfo{Seed: c.Seed}}
	for _, s := range suites {
		encoded, err := train.Encode(ctx, s.Arms[TopP], c.Embedder, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: embed %d questions: %w", s.Suite, len(s.Arms[TopP]), err)
		}
		for _, name := range Matches() {
			m := suiteMeasure{c, Match{name, s.Suite, c.CutGold}, s, encoded}
			pools, err := m.all(ctx, groups)
			if err != nil {
				return nil, err
			}
			result.Pools = append(result.Pools, pools...)
		}
	}
	return result, nil
}

// suiteMeasure measures one suite in one way of grading.
type suiteMeasure struct {
	Config
	match   Match
	sampled Sampled
	encoded []rcvae.Encoded // the top-p samples
}

func (m suiteMeasure) all(ctx context.Context, groups []Group) (pools []eval.Pool, err error) {
	for _, arm := range []string{Greedy, AuthorsGreedy, TopK} {
		graded, err := m.match.Grade(m.sampled.Arms[arm])
		if err != nil {
			return nil, err
		}
		if len(graded) == 0 {
			continue
		}
		encoded := make([]rcvae.Encoded, len(graded))
		for i, q := range graded {
			encoded[i].Question = q
		}
		if pools, err = m.append(ctx, pools, arm, Group{Name: none}, encoded, []string{"majority", "random", "oracle"}); err != nil {
			return nil, err
		}
	}
	graded, err := m.match.Grade(m.sampled.Arms[TopP])
	if err != nil {
		return nil, err
	}
	encoded := slices.Clone(m.encoded)
	for i := range encoded {
		encoded[i].Question = graded[i]
	}
	seen := false
	for _, g := range groups {
		asked := rules[g.Name]
		if g.Name == Ours {
			asked, seen = slices.Concat(asked, plain), true
		}
		if pools, err = m.append(ctx, pools, TopP, g, encoded, asked); err != nil {
			return nil, err
		}
	}
	if seen {
		return pools, nil
	}
	return m.append(ctx, pools, TopP, Group{Name: Ours}, encoded, plain)
}

// append measures one pool.
func (m suiteMeasure) append(ctx context.Context, pools []eval.Pool, arm string, g Group, encoded []rcvae.Encoded, asked []string) ([]eval.Pool, error) {
	sources, err := m.sources(g)
	if err != nil {
		return nil, err
	}
	c := eval.DefaultConfig()
	c.Pool, c.Sampler, c.Grader = PoolName(m.sampled.Suite, arm, g.Name, m.match.Name), arm, m.match.label()
	c.Seed, c.Resamples, c.Selectors, c.K = m.Seed, m.Resamples, asked, nil
	if len(g.Models) > 0 {
		c.ModelNames = g.Names
	}
	if c.Pool == MainPool(m.sampled.Suite) {
		c.OnDetails, c.K = m.OnDetails, sizes(encoded)
	}
	if m.OnPool != nil {
		m.OnPool(c.Pool)
	}
	result, err := eval.RunEncoded(ctx, c, encoded, sources)
	if err != nil {
		return nil, fmt.Errorf("measure %s: %w", c.Pool, err)
	}
	return append(pools, result.Pools...), nil
}

func (m suiteMeasure) sources(g Group) (s selector.Sources, err error) {
	grader, err := m.match.grader()
	if err != nil {
		return s, err
	}
	if s.Signals, err = builtin.Open(builtin.Signals); err != nil {
		return s, err
	}
	s.Grader, s.Embedder = grader, m.Embedder
	for _, model := range g.Models {
		s.Models = append(s.Models, model)
	}
	return s, nil
}

// sizes returns the usual numbers of candidates that the questions have.
func sizes(questions []rcvae.Encoded) (k []int) {
	most := 0
	for _, q := range questions {
		most = max(most, len(q.Candidates))
	}
	for _, n := range eval.DefaultConfig().K {
		if n <= most {
			k = append(k, n)
		}
	}
	return k
}
