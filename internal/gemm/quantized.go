package gemm

import "math"

const (
	byteRows   = 6              // of a tile of bytes
	byteHeader = 16             // words before a tile's bytes, which so begin on a cache line
	byteEntry  = 2*byteRows + 1 // words of an entry: scales, sums, where in B
	leastGroup = 32             // elements that share a scale: with 16, bytes were hardly faster than bfloat16

	// byteDepth is what depth is to panels in eight bits, which are a quarter of the size:
	// with fewer blocks along k, C is read and written less often.
	byteDepth  = 5 * depth / 2
	mostGroups = (byteDepth + maxGroup) / leastGroup

	// outlierFrom is how many times the root mean square of a row the largest element of a
	// group is from which on the group is held in twice eight bits. Language models have a
	// few such elements, which would round their neighbours to zero.
	outlierFrom = 10
)

// quantizes reports whether rows are brought to eight bits too.
func (b *Packed) quantizes() bool {
	return b != nil && b.eight != nil && b.eight.panels != nil
}

// quantizable reports whether the kernels multiply bytes in groups of this size, which must
// be whole words of four.
func (s *kernels) quantizable(group int) bool {
	return s.quantize != nil && group%4 == 0 && group >= leastGroup
}

// packBytes makes panels for tiles of bytes of values, (n, k), and scales, (n, k/group). A
// panel has for each of its groups a row of scales, and then rows of words: four neighbours
// along k, each plus 128, because VPDPBUSD multiplies unsigned by signed bytes.
func (b *Packed) packBytes(values []int8, scales []float32, group int) {
	e, cols := b.eight, b.set.cols
	e.panels = aligned(b.bytesAt(b.k, 0, 0))
	for k0 := 0; k0 < b.k; k0 += b.kc {
		kk := min(b.kc, b.k-k0)
		for j := range b.n {
			panel, row := e.panels[b.bytesAt(k0, j/cols*cols, kk)+j%cols:], values[j*b.k+k0:]
			for l := 0; l < kk; l += e.group {
				panel[0] = scales[(j*b.k+k0+l)/group]
				panel = panel[cols:]
				for i := l; i < l+e.group; i += 4 {
					panel[0] = word(row[i : i+4])
					panel = panel[min(cols, len(panel)):]
				}
			}
		}
	}
}

// bytesAt returns where the panel of bytes begins that has columns from col on and rows
// [k0, k0+k).
func (b *Packed) bytesAt(k0, col, k int) int {
	width := ceil(b.n, b.set.cols) * b.set.cols
	return (k0*width + col*k) / b.eight.group * (1 + b.eight.group/4)
}

func word(x []int8) float32 {
	return math.Float32frombits((uint32(uint8(x[0])) | uint32(uint8(x[1]))<<8 | uint32(uint8(x[2]))<<16 | uint32(uint8(x[3]))<<24) ^ 0x80808080)
}

// quantizeA makes the panel of A's rows [row, row+rows) and columns [k0, k0+k): tiles of
// byteRows rows, byteRows·k elements apart.
func (x *product) quantizeA(dst []float32, row, rows, k0, k int) {
	for i := 0; i < rows; i += byteRows {
		x.quantizeTile(dst[i*k:], matrix{NoTrans, x.a.from(row+i, k0), x.a.ld}, min(byteRows, rows-i), k)
	}
}

// quantizeTile makes a tile of a: the number of entries, the rows' bytes in the order of
// entries, and for each entry the rows' scales, −128 times the sums of their bytes, with
// which a tile's sums begin, and where in the panel of B its group is. The first entries are
// those of all groups, the others what is left of groups with outliers. A row without an
// outlier there has the scale 0, so that no row depends on another.
func (x *product) quantizeTile(dst []float32, a matrix, rows, k int) {
	size := x.packed.eight.group
	groups, n, stride := k/size, k/size, k/2 // stride in words
	bytes, entries := dst[byteHeader:], dst[byteHeader+byteRows*stride:]
	var outliers [mostGroups]uint8 // bit i: of row i
	for i := range rows {
		row := a.from(i, 0)[:k]
		x.set.quantize(bytes[i*stride:], entries[i:], row, groups, size)
		limit := max(1e-30, float32(outlierFrom/127.*math.Sqrt(float64(x.set.dot(row, row))/float64(k))))
		for g := range groups {
			if entries[g*byteEntry+i] > limit {
				outliers[g] |= 1 << i
			}
		}
	}
	for g, of := range outliers[:groups] {
		at := math.Float32frombits(uint32(g * 4 * x.set.cols * (1 + size/4)))
		entries[g*byteEntry+2*byteRows] = at
		if of == 0 {
			continue
		}
		entry := entries[n*byteEntry : (n+1)*byteEntry]
		clear(entry)
		entry[2*byteRows] = at
		for i := range rows {
			if of>>i&1 != 0 {
				row := bytes[i*stride:]
				x.set.remainder(row[n*size/4:], entry[i:], a.from(i, g*size), row[g*size/4:], entries[g*byteEntry+i], size)
			}
		}
		n++
	}
	dst[0] = math.Float32frombits(uint32(n))
}

// columnOfBytes is column for panels in eight bits.
func (x *product) columnOfBytes(rows, cols, k int, panels, panel, c []float32, ldc int, accumulate bool) {
	for i := 0; i < rows; i += byteRows {
		tile := panels[i*k:]
		entries := int(math.Float32bits(tile[0]))
		x.set.tileBytes(min(byteRows, rows-i), cols, entries, x.packed.eight.group, 2*k, tile[byteHeader:], panel, c[i*ldc:], ldc, accumulate)
	}
}
