package gemm

// sharedRows is the most rows for which all of A is packed before the product
// starts; with more, all of B is.
const sharedRows = 512

const (
	groupPanels = 4 // panels of A that a task packs at once
	groupStrips = 4 // most strips of B that a task of multiplyColumns packs at once
)

// terms are the arguments of one product.
type terms struct {
	set        *kernels
	m, n, k    int
	kc         int // rows of a panel
	a, b, c    matrix
	accumulate bool
	epilogue   func(row, rows, col, cols int)
	packed     *Packed // B, in place of b; nil for none
	round      bool    // a and b are rounded to bfloat16

	// shared holds all panels of one matrix: those of the first kc of k, then those of
	// the next, see at.
	shared []float32
	// What one task takes: strips of B at once in columnsTask, and in rowsTask panels of A
	// at once and a part of the columns.
	stripsAtOnce, panelsAtOnce, columnParts int
}

// product carries a product that is under way, and its memory from one to the next.
type product struct {
	terms
	memory  buffer    // of shared
	private []scratch // of each worker

	packA, packB, columns, rows func(worker, task int) // bound once, so that a call does not allocate
}

func (x *product) init(workers int) {
	x.private = make([]scratch, workers)
	x.packA, x.packB, x.columns, x.rows = x.packTaskA, x.packTaskB, x.columnsTask, x.rowsTask
}

// release forgets the caller's slices.
func (x *product) release() { x.terms = terms{} }

// panels returns the number of panels of A, strips that of B, blocks how often
// each is cut along k.
func (x *product) panels() int { return ceil(x.m, x.set.rows) }
func (x *product) strips() int { return ceil(x.n, x.set.cols) }
func (x *product) blocks() int { return ceil(x.k, x.kc) }

// block returns the first k of block i and how many there are.
func (x *product) block(i int) (k0, kk int) { return i * x.kc, min(x.kc, x.k-i*x.kc) }

// at returns the shared panels from the i-th of count panels of a width on, at k0.
func (x *product) at(i, count, width, k0, kk int) []float32 {
	return x.shared[k0*count*width+i*width*kk:]
}

// shareA packs A and then gives strips of B to the workers.
func (x *product) shareA(p *Pool) {
	x.shared = x.memory.grow(x.panels() * x.set.rows * x.k)
	p.run(ceil(x.panels(), groupPanels)*x.blocks(), x.packA)
	x.stripsAtOnce = max(1, min(groupStrips, x.strips()/(2*p.Workers())))
	p.run(ceil(x.strips(), x.stripsAtOnce), x.columns)
}

func (x *product) packTaskA(_, task int) {
	s := x.set
	k0, kk := x.block(task % x.blocks())
	first := task / x.blocks() * groupPanels
	for i := first; i < min(first+groupPanels, x.panels()); i++ {
		x.panelA(x.at(i, x.panels(), s.rows, k0, kk), i*s.rows, min(s.rows, x.m-i*s.rows), k0, kk)
	}
}

// columnsTask multiplies all of A with a few strips of B.
func (x *product) columnsTask(worker, task int) {
	s := x.set
	panels := x.private[worker].b.grow(x.stripsAtOnce * s.cols * x.kc)
	from := task * x.stripsAtOnce * s.cols
	to := min(x.n, from+x.stripsAtOnce*s.cols)
	for i := range x.blocks() {
		k0, kk := x.block(i)
		for col := from; col < to; col += s.cols {
			panel := x.panelB(panels[(col-from)*kk:], col, min(s.cols, to-col), k0, kk)
			x.column(x.m, min(s.cols, to-col), kk, x.at(0, x.panels(), s.rows, k0, kk), panel, x.c.from(0, col), x.c.ld, x.accumulate || k0 > 0)
		}
	}
	if x.epilogue != nil {
		x.epilogue(0, x.m, from, to-from)
	}
}

// panelB returns the panel of B's columns [col, col+cols) and rows [k0, k0+k), made in dst
// unless it is there.
func (x *product) panelB(dst []float32, col, cols, k0, k int) []float32 {
	switch {
	case x.packed.quantizes():
		return x.packed.eight.panels[x.packed.bytesAt(k0, col, k):]
	case x.packed != nil:
		x.packed.expand(dst, col, k0, k)
	default:
		x.packing().panelB(dst, x.b, col, cols, k0, k)
	}
	return dst
}

// rounds reports whether both factors are rounded to bfloat16.
func (x *product) rounds() bool { return x.round || x.packed.rounds() }

// packing returns what makes the panels of a and b.
func (x *product) packing() *packing {
	if x.rounds() {
		return &x.set.rounded
	}
	return &x.set.packing
}

// panelA makes the panel of A's rows [row, row+rows) and columns [k0, k0+k).
func (x *product) panelA(dst []float32, row, rows, k0, k int) {
	if x.packed.quantizes() {
		x.quantizeA(dst, row, rows, k0, k)
		return
	}
	x.packing().panelA(dst, x.a, row, rows, k0, k)
}

// column multiplies all panels of A, k·rows elements apart, with one panel of B.
func (x *product) column(rows, cols, k int, panels, panel, c []float32, ldc int, accumulate bool) {
	if x.packed.quantizes() {
		x.columnOfBytes(rows, cols, k, panels, panel, c, ldc, accumulate)
		return
	}
	if !x.rounds() || x.set.tilePairs == nil {
		x.set.column(rows, cols, k, panels, panel, c, ldc, accumulate)
		return
	}
	s := x.set
	for i := 0; i < rows; i += s.rows {
		s.tilePairs(min(s.rows, rows-i), cols, (k+1)/2, panels[i*k:], panel, c[i*ldc:], ldc, accumulate)
	}
}

// shareB packs B and then gives panels of A to the workers.
func (x *product) shareB(p *Pool) {
	x.shared = x.memory.grow(x.strips() * x.set.cols * x.k)
	p.run(ceil(x.strips(), groupStrips)*x.blocks(), x.packB)
	x.multiplyRows(p, groupPanels)
}

func (x *product) packTaskB(_, task int) {
	s := x.set
	k0, kk := x.block(task % x.blocks())
	first := task / x.blocks() * groupStrips
	for i := first; i < min(first+groupStrips, x.strips()); i++ {
		x.panelB(x.at(i, x.strips(), s.cols, k0, kk), i*s.cols, min(s.cols, x.n-i*s.cols), k0, kk)
	}
}

// multiplyRows gives groups of panels of A to the workers, and parts of the columns where
// there are few rows.
func (x *product) multiplyRows(p *Pool, panelsAtOnce int) {
	groups := ceil(x.panels(), panelsAtOnce)
	x.panelsAtOnce, x.columnParts = panelsAtOnce, 1
	if enough := 4 * p.Workers(); p.Workers() > 1 && groups < enough && x.m*x.n*x.k >= small {
		x.columnParts = min(x.strips(), ceil(enough, groups))
	}
	p.run(groups*x.columnParts, x.rows)
}

// rowsTask multiplies a group of panels of A with a part of B.
func (x *product) rowsTask(worker, task int) {
	s := x.set
	panels := x.private[worker].a.grow(x.panelsAtOnce * s.rows * x.kc)
	part, group := task%x.columnParts, task/x.columnParts
	row := group * x.panelsAtOnce * s.rows
	rows := min(x.panelsAtOnce*s.rows, x.m-row)
	strips := x.strips()
	first, last := part*strips/x.columnParts, (part+1)*strips/x.columnParts
	for i := range x.blocks() {
		k0, kk := x.block(i)
		for r := 0; r < rows; r += s.rows {
			x.panelA(panels[r*kk:], row+r, min(s.rows, rows-r), k0, kk)
		}
		for j := first; j < last; j++ {
			col := j * s.cols
			panel := x.private[worker].b.grow(s.cols * x.kc)
			if x.shared != nil {
				panel = x.at(j, strips, s.cols, k0, kk)
			} else {
				panel = x.panelB(panel, col, s.cols, k0, kk)
			}
			x.column(rows, min(s.cols, x.n-col), kk, panels, panel, x.c.from(row, col), x.c.ld, x.accumulate || k0 > 0)
		}
	}
	if x.epilogue != nil {
		col := first * s.cols
		x.epilogue(row, rows, col, min(x.n, last*s.cols)-col)
	}
}
