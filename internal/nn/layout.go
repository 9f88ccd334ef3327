// Package nn holds the few pieces of a neural network that the CVAE needs: a flat
// parameter vector with named views, dense layers with hand-written forward and
// backward passes, dropout and noise from a counter-based generator, AdamW, and a
// learning-rate schedule. There is no graph: the caller runs the passes in order.
//
// All matrices are row-major float32; a batch is (rows, width). Nothing here
// depends on the number of workers: every random number is a function of a key,
// and every sum is taken in a fixed order. Functions panic on wrong shapes, which
// only a programmer can cause.
package nn

import "fmt"

// View is a named block of a flat parameter vector.
type View struct {
	Name   string
	Shape  []int // row-major; empty for a scalar
	Offset int   // of the first element in the flat vector
	Len    int   // product of Shape; 0 for the zero View, a parameter that does not exist
}

// Of returns the view's elements of flat, which is a parameter vector or one of
// the same length (gradients, moments).
func (v View) Of(flat []float32) []float32 {
	return flat[v.Offset : v.Offset+v.Len : v.Offset+v.Len]
}

// Layout lays named parameters out in one flat vector, in the order of addition.
// The zero Layout is empty and ready to use.
type Layout struct {
	views []View
	size  int
}

// Add appends a parameter of the given shape; no shape makes a scalar.
func (l *Layout) Add(name string, shape ...int) View {
	n := 1
	for _, s := range shape {
		if s <= 0 {
			panic(fmt.Sprintf("nn: parameter %s has shape %v", name, shape))
		}
		n *= s
	}
	v := View{Name: name, Shape: shape, Offset: l.size, Len: n}
	l.views = append(l.views, v)
	l.size += n
	return v
}

// Size returns the number of elements of the flat vector.
func (l *Layout) Size() int { return l.size }

// Views returns the parameters in the order of addition. The slice must not be changed.
func (l *Layout) Views() []View { return l.views }
