package gemm

import "math"

// byteRows is the height of a tile of bytes.
const byteRows = 6

// byteDepth is what depth is to panels in eight bits, which are a quarter of the size: with
// fewer blocks along k, C is read and written less often.
const byteDepth = 2 * depth

// quantizes reports whether rows are brought to eight bits too: the kernels must have such
// products, and groups whole words of four.
func (b *Packed) quantizes() bool {
	return b != nil && b.eight != nil && b.eight.panels != nil
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

// quantizeA makes the panel of A's rows [row, row+rows) and columns [k0, k0+k): for each
// tile of byteRows rows their bytes, and then for each group their scales and −128 times
// the sums of their bytes, with which a tile's sums begin.
func (x *product) quantizeA(dst []float32, row, rows, k0, k int) {
	size := x.packed.eight.group
	for i := range rows {
		tile := dst[i/byteRows*byteRows*k:]
		x.set.quantize(tile[i%byteRows*k/4:], tile[byteRows*k/4+i%byteRows:], x.a.from(row+i, k0), k/size, size)
	}
}

// columnOfBytes is column for panels in eight bits.
func (x *product) columnOfBytes(rows, cols, k int, panels, panel, c []float32, ldc int, accumulate bool) {
	size := x.packed.eight.group
	for i := 0; i < rows; i += byteRows {
		x.set.tileBytes(min(byteRows, rows-i), cols, k/size, size, panels[i*k:], panel, c[i*ldc:], ldc, accumulate)
	}
}
