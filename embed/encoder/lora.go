package encoder

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"rcvae/embed/encoder/internal/block"
	"rcvae/internal/gemm"
)

// adapter changes the weight of one module by scale · B·A (Hu et al., "LoRA: Low-Rank
// Adaptation of Large Language Models", 2021). It is merged while loading: the forward
// pass does not know it.
type adapter struct {
	a     tensor // (r, in); of an embedding table (V, r)
	b     tensor // (out, r); of an embedding table (r, H)
	scale float32
}

// adapters are the adapters of a model by the name of their module. The zero value has
// none.
type adapters struct {
	byName map[string]adapter
	rename func(name string) []string // names that a module may have; nil: its own
	stored bool                       // the rows are in the order of the stored weight, see [halves]

	seen *sync.Map
}

func newAdapters(byName map[string]adapter, rename func(string) []string, stored bool) adapters {
	return adapters{byName: byName, rename: rename, stored: stored, seen: new(sync.Map)}
}

func (s adapters) find(module string) (adapter, bool) {
	if s.byName == nil {
		return adapter{}, false
	}
	names := []string{module}
	if s.rename != nil {
		names = s.rename(module)
	}
	for _, name := range names {
		if a, ok := s.byName[name]; ok {
			s.seen.Store(name, true)
			return a, true
		}
	}
	return adapter{}, false
}

// fits checks the shapes of the adapter of a weight (out, in).
func (ad adapter) fits(module string, out, in int) error {
	if ad.a.columns() != in || ad.b.rows() != out || ad.b.columns() != ad.a.rows() {
		return fmt.Errorf("the adapter of %s has shapes %v and %v, want (r, %d) and (%d, r)", module, ad.a.shape, ad.b.shape, in, out)
	}
	return nil
}

// table returns an embedding table with its adapter, which is added to the rows that
// are read.
func (s adapters) table(module string, base tensor, h int) (block.Table, error) {
	ad, ok := s.find(module)
	if !ok {
		return base, nil
	}
	r := ad.a.columns()
	if ad.a.rows() != base.rows() || ad.b.rows() != r || ad.b.columns() != h {
		return base, fmt.Errorf("the adapter of %s has shapes %v and %v, want (%d, r) and (r, %d)", module, ad.a.shape, ad.b.shape, base.rows(), h)
	}
	b := ad.b.values()
	gemm.Scale(ad.scale, b)
	return &block.LowRank{Table: base, A: ad.a, Rank: r, B: b, Width: h}, nil
}

// unused reports an adapter that no module asked for. Poolers are not part of embeddings.
func (s adapters) unused() error {
	for _, name := range slices.Sorted(maps.Keys(s.byName)) {
		if _, ok := s.seen.Load(name); !ok && !strings.Contains(name, "pooler") {
			return fmt.Errorf("the adapter changes %s, which the model does not have", name)
		}
	}
	return nil
}

// slice returns rows [i·n, (i+1)·n) of a stack of tensors as one of shape (n, columns).
func (t tensor) slice(i, n int) tensor {
	return tensor{shape: []int{n, t.columns()}, row: func(dst []float32, row int) { t.row(dst, i*n+row) }}
}

// transposed returns the transposed matrix, held in memory.
func (t tensor) transposed() tensor {
	rows, cols := t.rows(), t.columns()
	values := t.values()
	return tensor{shape: []int{cols, rows}, row: func(dst []float32, i int) {
		for j := range dst {
			dst[j] = values[j*cols+i]
		}
	}}
}
