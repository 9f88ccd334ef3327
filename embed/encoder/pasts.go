package encoder

import (
	"slices"
	"sync"

	"rcvae/embed/encoder/internal/block"
)

// pastBytes bounds what is kept of shared tokens: a dozen questions of a model of half a
// billion weights. Candidates of one question arrive one after the other.
const pastBytes = 32 << 20

// pasts keeps what the tokens of recent questions have left in a model's attentions, for
// solutions that come later. It may be used concurrently.
type pasts struct {
	limit   int // bytes
	mu      sync.Mutex
	entries map[pastKey]*block.Past
	recent  []pastKey // the last used at the end
	bytes   int
}

type pastKey struct {
	network *network
	ids     string
}

// recall finds the pasts of texts with shared tokens.
func (m *Model) recall(n *network, texts []sequence) {
	for i, s := range texts {
		if s.shared > 0 {
			texts[i].past = m.pasts.get(pastKey{n, key(s.ids[:s.shared])})
		}
	}
}

func (p *pasts) get(k pastKey) *block.Past {
	p.mu.Lock()
	defer p.mu.Unlock()
	past := p.entries[k]
	if past != nil {
		p.touch(k)
	}
	return past
}

func (p *pasts) touch(k pastKey) {
	if i := slices.Index(p.recent, k); i >= 0 {
		p.recent = slices.Delete(p.recent, i, i+1)
	}
	p.recent = append(p.recent, k)
}

// add takes pasts and forgets the oldest above the limit.
func (p *pasts) add(n *network, kept map[string]*block.Past) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for ids, past := range kept {
		k := pastKey{n, ids}
		if p.entries == nil {
			p.entries = make(map[pastKey]*block.Past)
		}
		if p.entries[k] == nil {
			p.entries[k] = past
			p.bytes += past.Bytes()
		}
		p.touch(k)
	}
	for p.bytes > p.limit {
		p.bytes -= p.entries[p.recent[0]].Bytes()
		delete(p.entries, p.recent[0])
		p.recent = slices.Delete(p.recent, 0, 1)
	}
}
