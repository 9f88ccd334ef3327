package report

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"

	"rcvae/eval"
)

// Source is one result with what is known of its questions.
type Source struct {
	Name    string // for people, for example the file's name
	Result  *eval.Result
	Details iter.Seq2[eval.Details, error] // nil: the page has no plots of candidates and no table of questions
}

// Options say what the page shows. The zero value is good for most uses.
type Options struct {
	Rule    string // that is compared with majority throughout; in a pool without it, and for "": its first that has a score
	TSNE    bool   // add a t-SNE map of at most 2,000 latent means, a few seconds per pool
	Command string // that makes the page, for the footer
	Commit  string // of the program
}

// accuracyTolerance is how far the mean of the details may be from the result's accuracy:
// both are sums of the same numbers in another order.
const accuracyTolerance = 1e-6

// Write writes the page. It reads every Details once, to its end, and holds no more of it
// than it shows. Details that do not belong to their result are an error.
func Write(w io.Writer, sources []Source, o Options) error {
	parts, err := collect(sources, o)
	if err != nil {
		return err
	}
	page, err := newPage(sources, parts, o)
	if err != nil {
		return err
	}
	var b bytes.Buffer // nothing is written if the page cannot be made
	if err := templates.ExecuteTemplate(&b, "page", page); err != nil {
		return fmt.Errorf("make the page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// part is one pool of one source, a chapter of the page.
type part struct {
	id     string // of its heading, and prefix of ids in it
	label  string
	source *Source
	pool   *eval.Pool
	focus  string   // the rule that is compared with majority
	rules  []string // of the details, in their order
	gathered
}

// collect returns a part for every pool, with what its details say.
func collect(sources []Source, o Options) ([]*part, error) {
	if len(sources) == 0 {
		return nil, errors.New("there is no result to report")
	}
	var parts []*part
	var owned [][]*part // by source
	for i := range sources {
		s := &sources[i]
		var own []*part
		for j := range s.Result.Pools {
			p := &part{id: fmt.Sprintf("p%d", len(parts)+j+1), source: s, pool: &s.Result.Pools[j]}
			p.label = cmp.Or(p.pool.Pool, "pool")
			if len(sources) > 1 {
				p.label += " (" + s.Name + ")"
			}
			p.chooseRule(o.Rule)
			own = append(own, p)
		}
		parts = append(parts, own...)
		owned = append(owned, own)
	}
	if o.Rule != "" && !slices.ContainsFunc(parts, func(p *part) bool { return p.focus == o.Rule }) {
		return nil, fmt.Errorf("no pool has the rule %q", o.Rule)
	}
	for i := range sources {
		if err := gather(&sources[i], owned[i]); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// plainRules need no model and stand for references on the page.
var plainRules = []string{majority, "first", "random", "oracle"}

const majority = "majority"

// chooseRule takes the rule that was asked for if the pool has it, else the first that is
// not a reference.
func (p *part) chooseRule(asked string) {
	p.focus = asked
	if p.selector(asked) != nil {
		return
	}
	p.focus = ""
	for _, s := range p.pool.Selectors {
		if !slices.Contains(plainRules, s.Name) {
			p.focus = s.Name
			return
		}
	}
	if len(p.pool.Selectors) > 0 {
		p.focus = p.pool.Selectors[0].Name
	}
}

// gather reads the details of a source into its parts.
func gather(s *Source, parts []*part) error {
	if s.Details == nil {
		return nil
	}
	byPool := map[string]*part{}
	for _, p := range parts {
		if byPool[p.pool.Pool] != nil {
			return fmt.Errorf("%s: two pools are called %q, so that their details cannot be told apart: evaluate them one by one", s.Name, p.pool.Pool)
		}
		byPool[p.pool.Pool] = p
		p.begin()
		defer func() { _ = p.packing.Wait() }() // after an error; else it is waited for below
	}
	for d, err := range s.Details {
		if err != nil {
			return err
		}
		p := byPool[d.Pool]
		if p == nil {
			return fmt.Errorf("%s: its details are of pool %q, which the result lacks: name the details that eval wrote beside it", s.Name, d.Pool)
		}
		if err := p.add(d); err != nil {
			return fmt.Errorf("%s: question %s: %w", s.Name, d.ID, err)
		}
	}
	for _, p := range parts {
		if err := errors.Join(p.packing.Wait(), p.check()); err != nil {
			return fmt.Errorf("%s: pool %q: %w", s.Name, p.pool.Pool, err)
		}
	}
	return nil
}

// check compares the details with the result.
func (p *part) check() error {
	const hint = "name the details that eval wrote beside the result"
	if len(p.rows) != p.pool.Questions {
		return fmt.Errorf("the details have %d questions, the result %d: %s", len(p.rows), p.pool.Questions, hint)
	}
	for r, name := range p.rules {
		i := slices.IndexFunc(p.pool.Selectors, func(s eval.Selector) bool { return s.Name == name })
		if i < 0 {
			return fmt.Errorf("the details have the rule %s, the result does not: %s", name, hint)
		}
		var sum float64
		for _, row := range p.rows {
			sum += row.outcomes[r].value
		}
		mean, want := sum/float64(len(p.rows)), p.pool.Selectors[i].Accuracy
		if !(math.Abs(mean-want) <= accuracyTolerance) {
			return fmt.Errorf("by the details %s has an accuracy of %.4f, by the result %.4f: %s", name, mean, want, hint)
		}
	}
	return nil
}

// rule returns the position of a rule in the details, or −1.
func (p *part) rule(name string) int { return slices.Index(p.rules, name) }

// selector returns what the result has of a rule, or nil.
func (p *part) selector(name string) *eval.Selector {
	for i := range p.pool.Selectors {
		if p.pool.Selectors[i].Name == name {
			return &p.pool.Selectors[i]
		}
	}
	return nil
}
