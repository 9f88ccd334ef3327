package embed

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"os"

	"rcvae/internal/sqlitefile"
)

// mergeRows is how many rows are written in one transaction.
const mergeRows = 4096

// Merged says what came of a merge.
type Merged struct {
	Added     int `json:"added"`
	Known     int `json:"known"`     // were there already
	Differing int `json:"differing"` // were there with other values, which stay
	Damaged   int `json:"damaged"`   // left out; texts like them are embedded again
}

// MergeCaches copies what the cache files hold into the one at out, which is made if it
// does not exist. What is there already stays, unless it is damaged; copies have half
// precision, whatever they had. Interrupted, a merge can be begun again.
func MergeCaches(ctx context.Context, out string, files ...string) (Merged, error) {
	var m Merged
	for _, file := range files {
		if same(file, out) {
			return m, fmt.Errorf("merge embedding caches: %s is the file to write", file)
		}
	}
	dimension, err := firstDimension(ctx, files)
	if err != nil {
		return m, err
	}
	db, err := openFile(out, dimension)
	if err != nil {
		return m, fmt.Errorf("open embedding cache %s: %w", out, err)
	}
	for _, file := range files {
		if err := m.take(ctx, db, file); err != nil {
			return m, errors.Join(fmt.Errorf("merge embedding cache %s into %s: %w; what is done is kept, run the same command to continue", file, out, err), db.Close())
		}
	}
	return m, db.Close()
}

// firstDimension returns that of the first whole row, 0 if there is none.
func firstDimension(ctx context.Context, files []string) (int, error) {
	for _, file := range files {
		for r, err := range rowsOf(ctx, file) {
			if err != nil {
				return 0, fmt.Errorf("read embedding cache %s: %w", file, err)
			}
			if h, ok := r.halves(); ok {
				return len(h), nil
			}
		}
	}
	return 0, nil
}

func same(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(x, y)
}

// take copies the rows of one file.
func (m *Merged) take(ctx context.Context, db *sql.DB, file string) error {
	var batch []row
	for r, err := range rowsOf(ctx, file) {
		if err != nil {
			return err
		}
		h, ok := r.halves()
		if !ok {
			m.Damaged++
			continue
		}
		r.value = encode(r.embedder, r.text, h)
		if batch = append(batch, r); len(batch) == mergeRows {
			if err := m.write(ctx, db, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return m.write(ctx, db, batch)
}

// write adds rows in one transaction, which counts when it is done.
func (m *Merged) write(ctx context.Context, db *sql.DB, rows []row) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return sqlitefile.Explain(err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to undo
	counted := *m
	for _, r := range rows {
		if err := counted.add(ctx, tx, r); err != nil {
			return sqlitefile.Explain(err)
		}
	}
	if err := tx.Commit(); err != nil {
		return sqlitefile.Explain(err)
	}
	*m = counted
	return nil
}

func (m *Merged) add(ctx context.Context, tx *sql.Tx, r row) error {
	old := row{embedder: r.embedder, text: r.text}
	err := tx.QueryRowContext(ctx, "SELECT value FROM vector WHERE embedder = ? AND text = ?", r.embedder, r.text).Scan(&old.value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if h, ok := old.halves(); ok {
		if string(encode(r.embedder, r.text, h)) == string(r.value) {
			m.Known++
		} else {
			m.Differing++
		}
		return nil
	}
	m.Added++
	_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO vector (embedder, text, value) VALUES (?, ?, ?)", r.embedder, r.text, r.value)
	return err
}

// row is one row of a cache file.
type row struct{ embedder, text, value []byte }

// halves returns what the row holds, and false if it is not what was written.
func (r row) halves() (halves, bool) {
	if len(r.text) != len(Key{}) {
		return nil, false
	}
	return decode(r.embedder, r.text, r.value)
}

// rowsOf yields the rows of a cache file in the order in which they came, without
// changing it. An error ends the sequence.
func rowsOf(ctx context.Context, file string) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		if err := eachRow(ctx, file, func(r row) bool { return yield(r, nil) }); err != nil {
			yield(row{}, err)
		}
	}
}

// eachRow calls do for the rows of a file until it returns false.
func eachRow(ctx context.Context, file string, do func(row) bool) error {
	if _, err := os.Stat(file); err != nil {
		return err
	}
	version, err := checkFile(file)
	if err != nil {
		return err
	}
	query := "SELECT embedder, text, value FROM vector ORDER BY id"
	switch version {
	case 0:
		return nil // an empty file
	case 1:
		query = "SELECT embedder, text, vector FROM embedding"
	}
	db, err := sql.Open("sqlite", sqlitefile.Location(file, url.Values{"mode": {"ro"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", busyTimeout)}}))
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return sqlitefile.Explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.embedder, &r.text, &r.value); err != nil {
			return sqlitefile.Explain(err)
		}
		if !do(r) {
			return nil
		}
	}
	return sqlitefile.Explain(rows.Err())
}

// CacheInfo says what a cache file holds.
type CacheInfo struct {
	File      string            `json:"file"`
	Bytes     int64             `json:"bytes"`
	Embedders []CachedEmbedding `json:"embedders"` // in the order of their first text
}

// CachedEmbedding says what a cache file holds of one embedder.
type CachedEmbedding struct {
	Fingerprint string `json:"fingerprint"` // its ID
	Dimension   int    `json:"dimension"`
	Texts       int    `json:"texts"`
	Bytes       int64  `json:"bytes"`   // of their vectors
	Damaged     int    `json:"damaged"` // which are embedded again
}

// ReadCacheInfo reads a whole cache file, without changing it.
func ReadCacheInfo(ctx context.Context, file string) (CacheInfo, error) {
	info := CacheInfo{File: file, Embedders: []CachedEmbedding{}}
	at := map[string]int{}
	for r, err := range rowsOf(ctx, file) {
		if err != nil {
			return info, fmt.Errorf("read embedding cache %s: %w", file, err)
		}
		id := hex.EncodeToString(r.embedder)
		if _, ok := at[id]; !ok {
			at[id] = len(info.Embedders)
			info.Embedders = append(info.Embedders, CachedEmbedding{Fingerprint: id})
		}
		e := &info.Embedders[at[id]]
		numbers, ok := r.halves()
		if !ok {
			e.Damaged++
			continue
		}
		e.Texts++
		e.Dimension = len(numbers)
		e.Bytes += int64(len(r.value))
	}
	stat, err := os.Stat(file)
	if err == nil {
		info.Bytes = stat.Size()
	}
	return info, err
}
