package gemm

// small is the number of multiplications below which a product is not worth
// waking anyone for: about ten microseconds of one core.
const small = 1 << 19

// Mul computes C = op(A)·op(B), or C += op(A)·op(B) with accumulate, on all
// workers; small products run on the caller's goroutine. op(A) is (m, k), op(B)
// is (k, n) and C is (m, n); lda, ldb and ldc are the row strides of the matrices
// as they are stored. C must not overlap A or B.
//
// epilogue, if not nil, is called once for every finished block of C (rows
// [row, row+rows), columns [col, col+cols)) while it is warm, possibly concurrently.
// The blocks cover C exactly.
func (p *Pool) Mul(opA, opB Op, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, accumulate bool, epilogue func(row, rows, col, cols int)) {
	if p.Workers() == 1 || m*n*k < small {
		Mul(opA, opB, m, n, k, a, lda, b, ldb, c, ldc, accumulate)
		if epilogue != nil && m > 0 && n > 0 {
			epilogue(0, m, 0, n)
		}
		return
	}
	p.multiply(terms{
		set: active, m: m, n: n, k: k, kc: blockDepth(k),
		a: matrix{opA, a, lda}, b: matrix{opB, b, ldb}, c: matrix{NoTrans, c, ldc},
		accumulate: accumulate, epilogue: epilogue,
	})
}

// MulBF16 is [Pool.Mul] with the elements of A and B rounded to bfloat16, to even where two
// are as near, by 2⁻⁹ at most. Sums are float32. Kernels that multiply bfloat16, see
// [Rounds], do so; with the others it takes the time of Mul and that of rounding.
func (p *Pool) MulBF16(opA, opB Op, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, accumulate bool, epilogue func(row, rows, col, cols int)) {
	p.multiply(terms{
		set: active, m: m, n: n, k: k, kc: blockDepth(k),
		a: matrix{opA, a, lda}, b: matrix{opB, b, ldb}, c: matrix{NoTrans, c, ldc},
		accumulate: accumulate, epilogue: epilogue, round: true,
	})
}

// multiply computes a product on all workers.
func (p *Pool) multiply(t terms) {
	if !checkProduct(t.m, t.n, t.k, t.a, t.b, t.c, t.accumulate) {
		if t.epilogue != nil && t.m > 0 && t.n > 0 {
			t.epilogue(0, t.m, 0, t.n)
		}
		return
	}
	p.busy.Lock()
	defer p.busy.Unlock()
	x := &p.product
	defer x.release()
	x.terms = t
	if panels, strips := x.panels(), x.strips(); t.m <= sharedRows && (strips >= 2*p.Workers() || strips >= panels) {
		x.shareA(p)
	} else {
		x.shareB(p)
	}
}

// MulPacked is [Pool.Mul] with a packed op(B) and A as it is stored.
func (p *Pool) MulPacked(m int, a []float32, lda int, b *Packed, c []float32, ldc int, accumulate bool, epilogue func(row, rows, col, cols int)) {
	t := terms{
		set: b.set, m: m, n: b.n, k: b.k, kc: b.kc,
		a: matrix{NoTrans, a, lda}, c: matrix{NoTrans, c, ldc}, packed: b,
		accumulate: accumulate, epilogue: epilogue,
	}
	t.c.check("C", m, b.n)
	t.a.check("A", m, b.k)
	if m == 0 || b.n == 0 {
		return
	}
	if b.k == 0 {
		checkProduct(m, b.n, 0, t.a, t.a, t.c, accumulate)
		if epilogue != nil {
			epilogue(0, m, 0, b.n)
		}
		return
	}
	p.busy.Lock()
	defer p.busy.Unlock()
	defer p.product.release()
	x := &p.product
	x.terms = t
	switch {
	case b.eight == nil:
		x.shared = b.panels
		x.multiplyRows(p, groupPanels)
	case p.Workers() > 1 && m <= sharedRows && m*b.n*b.k >= small:
		x.shareA(p)
	default: // a panel that was expanded should meet many rows
		panels := x.panels()
		x.multiplyRows(p, ceil(panels, ceil(panels, rowBlock/b.set.rows)))
	}
}

// Packed is an op(B) of shape (k, n) in the order in which the kernels read it,
// for weights that are used many times. It stays tied to the kernels that were in
// force when it was made.
type Packed struct {
	set    *kernels
	k, n   int
	kc     int       // rows of a panel
	panels []float32 // nil in eight bits
	eight  *eight    // nil in float32
}

// Pack packs op(B), of shape (k, n) and stored with row stride ldb.
func Pack(opB Op, k, n int, b []float32, ldb int) *Packed {
	s := active
	B := matrix{opB, b, ldb}
	B.check("B", k, n)
	width := ceil(n, s.cols) * s.cols
	p := &Packed{set: s, k: k, n: n, kc: blockDepth(k), panels: aligned(k * width)}
	for k0 := 0; k0 < k; k0 += p.kc {
		kk := min(p.kc, k-k0)
		for col := 0; col < n; col += s.cols {
			s.panelB(p.panels[k0*width+col*kk:], B, col, min(s.cols, n-col), k0, kk)
		}
	}
	return p
}

// Shape returns the shape (k, n) of op(B).
func (b *Packed) Shape() (k, n int) { return b.k, b.n }
