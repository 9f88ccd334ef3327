package block

import (
	"fmt"

	"rcvae/internal/gemm"
)

// Table holds one row of H values for each token. Row sets dst to row id.
type Table interface {
	Row(dst []float32, id int)
	Rows() int
}

// Embeddings makes the first states,
//
//	norm(scale · word + position + segment)
type Embeddings struct {
	Hidden    int       // H
	Words     Table     // (V, H)
	Scale     float32   // of the words
	Positions []float32 // (P, H) with the segment's row added; nil for none
	Segment   []float32 // (H), where there are no positions; nil for none
	Norm      *Norm     // nil for none
}

// Apply sets the states of b to the embeddings of its tokens.
func (e *Embeddings) Apply(b *Batch) {
	h := e.Hidden
	b.rows(func(_, row int) {
		x := b.X[row*h : (row+1)*h]
		e.Words.Row(x, int(b.ids[row]))
		if e.Scale != 1 {
			gemm.Scale(e.Scale, x)
		}
		if e.Positions != nil {
			p := int(b.position[row])
			gemm.AddBias(x, e.Positions[p*h:(p+1)*h])
		} else if e.Segment != nil {
			gemm.AddBias(x, e.Segment)
		}
		if e.Norm != nil {
			e.Norm.row(x)
		}
	})
}

// Check reports ids and lengths that the tables do not have.
func (e *Embeddings) Check(ids []int32) error {
	if e.Positions != nil && len(ids) > len(e.Positions)/e.Hidden {
		return fmt.Errorf("%d tokens, but there are only %d positions", len(ids), len(e.Positions)/e.Hidden)
	}
	for _, id := range ids {
		if id < 0 || int(id) >= e.Words.Rows() {
			return fmt.Errorf("token id %d is outside the vocabulary of %d", id, e.Words.Rows())
		}
	}
	return nil
}

// LowRank is a table plus scale · A·B, the adapter of an embedding table, added row by
// row: A is (V, r), B is (r, H).
type LowRank struct {
	Table
	A     Table
	Rank  int
	B     []float32 // (r, H), scaled
	Width int       // H
}

// Row sets dst to the row of the table plus that of A times B.
func (l *LowRank) Row(dst []float32, id int) {
	l.Table.Row(dst, id)
	var few [64]float32
	a := few[:]
	if l.Rank > len(few) {
		a = make([]float32, l.Rank)
	}
	l.A.Row(a[:l.Rank], id)
	for r, v := range a[:l.Rank] {
		gemm.Axpy(v, l.B[r*l.Width:(r+1)*l.Width], dst)
	}
}
