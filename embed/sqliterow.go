package embed

import (
	"context"
	"database/sql"
	"encoding/binary"
	"hash/crc32"
	"math"

	"rcvae"
)

// encode returns the values and a checksum over the embedder, the key and them.
func (s *sqliteStore) encode(k Key, e rcvae.Embedding) []byte {
	blob := make([]byte, 0, 4*len(e)+4)
	for _, v := range e {
		blob = binary.LittleEndian.AppendUint32(blob, math.Float32bits(v))
	}
	return binary.LittleEndian.AppendUint32(blob, checksum(s.embedder, k[:], blob))
}

func (s *sqliteStore) decode(k Key, blob []byte) (rcvae.Embedding, bool) {
	n := 4 * s.dimension
	if len(blob) != n+4 || binary.LittleEndian.Uint32(blob[n:]) != checksum(s.embedder, k[:], blob[:n]) {
		return nil, false
	}
	e := make(rcvae.Embedding, s.dimension)
	for i := range e {
		e[i] = math.Float32frombits(binary.LittleEndian.Uint32(blob[4*i:]))
	}
	return e, true
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
