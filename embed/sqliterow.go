package embed

import (
	"context"
	"database/sql"
	"encoding/binary"
	"hash/crc32"
	"math"

	"rcvae"
	"rcvae/internal/half"
)

// A row's value is a byte for the form of the numbers, the numbers, and the CRC-32 of the
// embedder, the key and what stands before it. Rows of before have float32 numbers and no
// byte for the form, which an even length tells.
const (
	formHalf     = 1 // half-precision numbers, little-endian
	checksumSize = 4 // bytes
)

// halves are the numbers of a vector as a row has them.
type halves []uint16

func halvesOf(e rcvae.Embedding) halves {
	h := make(halves, len(e))
	for i, v := range e {
		h[i] = half.FromFloat32(v)
	}
	return h
}

// embedding returns the vector, of unit length again.
func (h halves) embedding() rcvae.Embedding {
	var square float64
	for _, v := range h {
		x := float64(half.Float32(v))
		square += float64(x * x) // not fused with the sum, on any processor
	}
	scale := 1.0
	if square > 0 {
		scale = 1 / math.Sqrt(square)
	}
	e := make(rcvae.Embedding, len(h))
	for i, v := range h {
		e[i] = float32(float64(half.Float32(v)) * scale)
	}
	return e
}

// rounded returns the vector as it comes from a row, so that what a text's embedding is
// does not depend on whether it was in the cache.
func rounded(e rcvae.Embedding) rcvae.Embedding { return halvesOf(e).embedding() }

// encode returns the value of a row.
func encode(embedder, text []byte, h halves) []byte {
	blob := make([]byte, 0, 1+2*len(h)+checksumSize)
	blob = append(blob, formHalf)
	for _, v := range h {
		blob = binary.LittleEndian.AppendUint16(blob, v)
	}
	return binary.LittleEndian.AppendUint32(blob, checksum(embedder, text, blob))
}

// decode returns the numbers of a row, and false for a row that is damaged.
func decode(embedder, text, blob []byte) (halves, bool) {
	n := len(blob) - checksumSize
	if n < 1 || binary.LittleEndian.Uint32(blob[n:]) != checksum(embedder, text, blob[:n]) {
		return nil, false
	}
	numbers := blob[:n]
	switch {
	case n%4 == 0:
		e := make(rcvae.Embedding, n/4)
		for i := range e {
			e[i] = math.Float32frombits(binary.LittleEndian.Uint32(numbers[4*i:]))
		}
		return halvesOf(e), true
	case n%2 == 1 && numbers[0] == formHalf:
		h := make(halves, n/2)
		for i := range h {
			h[i] = binary.LittleEndian.Uint16(numbers[1+2*i:])
		}
		return h, true
	}
	return nil, false
}

func checksum(embedder, text, values []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Update(crc32.Checksum(embedder, table), table, text), table, values)
}

// evictShare is the part of the rows that is removed when the file has grown to its
// limit, so that this is rare.
const evictShare = 16

// evict removes the oldest rows, of all embedders, while the file holds more than its
// limit. Their pages are used again.
func (s *sqliteStore) evict(ctx context.Context, tx *sql.Tx) error {
	for s.limit > 0 {
		var pages, free, size int64
		err := tx.QueryRowContext(ctx, "SELECT (SELECT page_count FROM pragma_page_count), (SELECT freelist_count FROM pragma_freelist_count), (SELECT page_size FROM pragma_page_size)").Scan(&pages, &free, &size)
		if err != nil || (pages-free)*size <= s.limit {
			return err
		}
		done, err := tx.ExecContext(ctx, "DELETE FROM vector WHERE id <= (SELECT min(id) + (max(id) - min(id)) / ? FROM vector)", evictShare)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err // an empty table
		}
	}
	return nil
}
