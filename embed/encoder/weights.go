package encoder

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"

	"rcvae/embed/encoder/internal/block"
	"rcvae/internal/gemm"
)

// weights hands an architecture its tensors under the names that Hugging Face's class
// gives them, with adapters merged. Errors are collected: see [weights.err].
type weights struct {
	source   source
	stored   func(name string) string // the name in the source
	adapters adapters
	bits     int    // see [Options.WeightBits]
	release  func() // is called when tensors have been read; nil: nobody is told

	scratch sync.Pool // of *[]float32

	mu   sync.Mutex
	errs []error
	used map[string]bool // names in the source
}

func newWeights(s source, stored func(string) string, a adapters) *weights {
	return &weights{source: s, stored: stored, adapters: a, used: make(map[string]bool)}
}

// note collects an error that is not nil.
func (w *weights) note(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs = append(w.errs, err)
}

func (w *weights) failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.errs) > 0
}

// tensor returns a tensor of the given shape. An unknown one is zero.
func (w *weights) tensor(name string, shape ...int) tensor {
	stored := w.stored(name)
	t, ok := w.source.lookup(stored)
	switch {
	case !ok:
		w.note(fmt.Errorf("there is no tensor %q", stored))
	case !slices.Equal(t.shape, shape) && (len(shape) != 2 || shape[0] != 1 || !slices.Equal(t.shape, shape[1:])):
		w.note(fmt.Errorf("tensor %s has shape %v, want %v", stored, t.shape, shape))
	default:
		w.mu.Lock()
		defer w.mu.Unlock()
		w.used[stored] = true
		return t
	}
	return tensor{shape: shape, row: func([]float32, int) {}}
}

// values returns all values of a tensor; those of a row that are not finite are errors.
func (w *weights) values(name string, shape ...int) []float32 {
	t := w.tensor(name, shape...)
	size := 1
	for _, n := range shape {
		size *= n
	}
	if w.failed() { // the sizes may be wild: no memory for them
		return make([]float32, min(size, 1<<20))
	}
	out := t.values()
	w.finite(name, out)
	return out
}

// finite notes values of a tensor that are not finite.
func (w *weights) finite(name string, values []float32) {
	if square := gemm.SumSquares(values); math.IsNaN(square) || math.IsInf(square, 0) {
		w.note(fmt.Errorf("tensor %s has values that are not finite: the file is damaged or its training diverged", w.stored(name)))
	}
}

// matrix returns the values of NAME.weight, (out, in), with its adapters.
func (w *weights) matrix(name string, out, in int) []float32 {
	return w.float32s(in, w.open(part{name: name, out: out}, in))
}

// halves brings rows of the given width from the order in which neighbours 2i and 2i+1 of
// a head are turned together to that in which i and i + w/2 are.
func halves(rows []float32, heads, width int) []float32 {
	if heads == 0 || len(rows)%(2*heads*width) != 0 {
		return rows
	}
	out := make([]float32, len(rows))
	half := len(rows) / width / heads / 2
	for head := range heads {
		for i := range 2 * half {
			from, to := 2*half*head+i, 2*half*head+i%2*half+i/2
			copy(out[to*width:(to+1)*width], rows[from*width:(from+1)*width])
		}
	}
	return out
}

func (w *weights) layerNorm(name string, n int, bias bool, epsilon float32) *block.Norm {
	var beta []float32
	if bias {
		beta = w.values(name+".bias", n)
	}
	return block.LayerNorm(w.values(name+".weight", n), beta, epsilon)
}

// rmsNorm returns the norm whose scale is the stored one plus plus.
func (w *weights) rmsNorm(name string, n int, plus, epsilon float32) *block.Norm {
	gamma := w.values(name+".weight", n)
	for i := range gamma {
		gamma[i] += plus
	}
	return block.RMSNorm(gamma, epsilon)
}

// table returns an embedding table, (v, h), left where it is, with its adapter.
func (w *weights) table(name string, v, h int) block.Table {
	table, err := w.adapters.table(name, w.tensor(name+".weight", v, h), h)
	w.note(err)
	return table
}

// segment returns the first row of the table of n segments: texts are single segments.
func (w *weights) segment(name string, n, h int) []float32 {
	row := make([]float32, h)
	w.table(name, n, h).Row(row, 0)
	return row
}

// err returns what went wrong, also with tensors and adapters that nobody asked for:
// they show that the model is not what it was taken for.
func (w *weights) err() error {
	if n := len(w.errs); n > shownErrors {
		return errors.Join(append(w.errs[:shownErrors:shownErrors], fmt.Errorf("and %d more", n-shownErrors))...)
	}
	if err := errors.Join(w.errs...); err != nil {
		return err
	}
	for _, name := range w.source.names() {
		if !w.used[name] && inLayer.MatchString(name) && !ignored(name) {
			return fmt.Errorf("the architecture has no place for tensor %s: the configuration names another one or fewer layers", name)
		}
	}
	return w.adapters.unused()
}

// shownErrors is how many errors are shown: where one tensor has the wrong shape, most do.
const shownErrors = 3

var inLayer = regexp.MustCompile(`(^|\.)(layers?|blk)\.\d+\.`)

// ignored tells tensors that are computed from the configuration, or belong to training.
func ignored(name string) bool {
	return strings.Contains(name, "rotary_emb.inv_freq") || strings.Contains(name, ".lora_") || strings.Contains(name, "rope_freqs")
}
