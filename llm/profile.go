package llm

import (
	"errors"
	"slices"
	"sync"
	"time"

	"rcvae/internal/openaiapi"
)

// Profile is what the answers to real requests have shown of a server with one model
// on one path.
type Profile struct {
	MaxChoices int      `json:"max_choices"`          // that one call gives: 1: single calls, 0: no bound was seen
	UsageOfOne bool     `json:"usage_of_one"`         // the usage of several choices is that of the first
	Refused    []string `json:"unsent,omitempty"`     // fields that the server refuses and that are left out, sorted
	Instead    []string `json:"sent_other,omitempty"` // fields that are sent by another name or value, sorted
}

// Mode returns [ModeN] or [ModeFanOut].
func (p Profile) Mode() string {
	if p.MaxChoices == 1 {
		return ModeFanOut
	}
	return ModeN
}

const (
	profileLife   = 10 * time.Minute // of everything that was learned: servers are updated and restarted
	maxRemembered = 1024             // profiles: model names can come from clients
	manyDoubts    = 3                // refusals of n in a row that outweigh an answer with n choices
)

// fact is something that was seen and is believed for a while.
type fact[T any] struct {
	value T
	until time.Time
}

func seen[T any](value T) fact[T] { return fact[T]{value, time.Now().Add(profileLife)} }

func (f fact[T]) get() (value T, known bool) {
	if time.Now().Before(f.until) {
		return f.value, true
	}
	return value, false
}

// profile collects the facts. It is safe for concurrent use.
type profile struct {
	mu      sync.Mutex
	most    fact[int]        // choices of one call
	given   fact[int]        // the largest number of choices that one call gave
	doubts  int              // refusals of n since then that a call without n answered
	scope   fact[usageScope] // what the usage counts
	lessons []fact[lesson]
	answers fact[bool] // there was one
}

// lesson is how a field must be written for a server that refuses it as it was.
type lesson struct {
	field string
	name  string // another name; empty: the same
	value string // another value, JSON; empty with an empty name: the field is left out
}

func (l lesson) apply(b *openaiapi.Body) {
	old, ok := b.Get(l.field)
	switch {
	case !ok:
	case l.name != "":
		b.Delete(l.field)
		b.SetRaw(l.name, old)
	case l.value != "":
		b.SetRaw(l.field, []byte(l.value))
	default:
		b.Delete(l.field)
	}
}

// lessonOf returns what the refusal of a body teaches about the fields that need not
// be as they are.
func lessonOf(err error, sent openaiapi.Body, optional []string) (lesson, bool) {
	refusal, ok := errors.AsType[*StatusError](err)
	if !ok {
		return lesson{}, false
	}
	field := refusal.refusedField()
	if !slices.Contains(optional, field) || !sent.Has(field) {
		return lesson{}, false
	}
	value, _ := sent.Get(field)
	switch {
	case field == "max_tokens": // OpenAI's newer models have another name for it
		return lesson{field: field, name: "max_completion_tokens"}, !sent.Has("max_completion_tokens")
	case field == "top_k" && string(value) == "-1": // llama-cpp-python wants 0 for all tokens
		return lesson{field: field, value: "0"}, true
	}
	return lesson{field: field}, true
}

func (p *profile) learn(lessons []lesson) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers = seen(true)
	for _, l := range lessons {
		p.lessons = slices.DeleteFunc(p.lessons, func(f fact[lesson]) bool { return f.value.field == l.field && f.value.name == l.name })
		p.lessons = append(p.lessons, seen(l))
	}
}

// known returns the lessons that are still believed.
func (p *profile) known() (lessons []lesson) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.lessons {
		if l, ok := f.get(); ok {
			lessons = append(lessons, l)
		}
	}
	return lessons
}

// maxChoices returns how many choices one call may ask for, k when no bound is known.
func (p *profile) maxChoices(k int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if most, known := p.most.get(); known {
		return min(k, most)
	}
	return k
}

// gave remembers a call that gave all of several choices.
func (p *profile) gave(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if before, known := p.given.get(); !known || n >= before {
		p.given = seen(n)
	}
	p.doubts = 0
}

// bound remembers that asking for more than n choices did not help, unless an answer
// has shown the contrary: then one request, with whatever is odd about it, teaches
// nothing about the server.
func (p *profile) bound(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if given, known := p.given.get(); known && given > n {
		if p.doubts++; p.doubts < manyDoubts {
			return
		}
		p.given = fact[int]{}
	}
	p.most = seen(n)
}

// counts remembers what the usage counts, if that is known, and returns what is known.
func (p *profile) counts(s usageScope) usageScope {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s != scopeUnknown {
		p.scope = seen(s)
	}
	known, _ := p.scope.get()
	return known
}

func (p *profile) snapshot() (Profile, bool) {
	var s Profile
	for _, l := range p.known() {
		if l.name == "" && l.value == "" {
			s.Refused = append(s.Refused, l.field)
		} else {
			s.Instead = append(s.Instead, l.field)
		}
	}
	slices.Sort(s.Refused)
	slices.Sort(s.Instead)
	p.mu.Lock()
	defer p.mu.Unlock()
	s.MaxChoices, _ = p.most.get()
	scope, _ := p.scope.get()
	s.UsageOfOne = scope == scopeOne
	_, known := p.answers.get()
	return s, known
}

// profiles holds those of one server. The zero value is empty.
type profiles struct {
	mu      sync.Mutex
	entries map[profileKey]*profile
}

type profileKey struct{ path, model string }

func (m *profiles) of(path, model string) *profile {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := profileKey{path, model}
	if p, ok := m.entries[key]; ok {
		return p
	}
	if m.entries == nil || len(m.entries) >= maxRemembered {
		m.entries = make(map[profileKey]*profile) // what is forgotten is learned again at once
	}
	p := &profile{}
	m.entries[key] = p
	return p
}

// Profile returns what is known of the server with the model, and false if it has
// answered nothing yet.
func (u *Upstream) Profile(path, model string) (Profile, bool) {
	return u.profiles.of(path, model).snapshot()
}
