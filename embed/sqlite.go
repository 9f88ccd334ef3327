package embed

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"rcvae"
	"rcvae/internal/sqlitefile"
)

// applicationID marks our files in SQLite's header: "rcva".
const applicationID = 0x72637661

// schemaVersion is SQLite's user_version of the files that this code writes. Files of
// versions 1 and 2 are brought to it; their rows stay as they are.
const schemaVersion = 3

// Rows are in the order in which they came and fill their pages. Note: the keys are
// hashes, and a table in their order leaves a third of each page empty.
const schema = `CREATE TABLE IF NOT EXISTS vector (
	id       INTEGER PRIMARY KEY, -- the older, the lower
	embedder BLOB NOT NULL,       -- SHA-256 of the fingerprint
	text     BLOB NOT NULL,       -- SHA-256 of role and text
	value    BLOB NOT NULL,       -- see encode
	UNIQUE (embedder, text)
)`

// pageSize returns that of new files, in bytes: larger pages where the rows of this
// dimension leave more than a twentieth of the small ones empty. Small ones are read and
// written in half the time.
func pageSize(dimension int) int {
	const small, large, header = 16 << 10, 32 << 10, 8
	row := 2*dimension + 82 // with its keys, its checksum, and SQLite's own bytes
	if rest := (small - header) % row; rest*20 > small {
		return large
	}
	return small
}

// walSize is the size in bytes at which the write-ahead log is written back.
const walSize = 4 << 20

// busyTimeout is how long another process's lock is waited for, in milliseconds. The
// cache goes on without its file when that takes longer.
const busyTimeout = 5000

// sqliteStore keeps the vectors of one embedder in a file that others may share.
type sqliteStore struct {
	db        *sql.DB
	embedder  []byte // the fingerprint's ID
	dimension int
	limit     int64 // bytes of the file; 0: none
}

// openSQLite opens the file at path, which is to hold at most limit bytes, 0 for any.
func openSQLite(path string, fp rcvae.Fingerprint, limit int64) (*sqliteStore, error) {
	id, err := hex.DecodeString(fp.ID())
	if err != nil {
		return nil, err
	}
	db, err := openFile(path, fp.Dimension)
	if err != nil {
		return nil, err
	}
	return &sqliteStore{db: db, embedder: id, dimension: fp.Dimension, limit: limit}, nil
}

// checkFile returns the version of the cache file at path, 0 for one that does not exist
// or is empty.
func checkFile(path string) (int, error) {
	version, err := sqlitefile.Check(path, applicationID)
	switch {
	case errors.Is(err, sqlitefile.ErrForeign), errors.Is(err, sqlitefile.ErrNotSQLite):
		return 0, fmt.Errorf("%w, not an embedding cache: name another file", err)
	case err != nil:
		return 0, err
	case version > schemaVersion:
		return 0, fmt.Errorf("the cache has format version %d, this program reads %d: name another file", version, schemaVersion)
	}
	return version, nil
}

// openFile opens the cache file at path, or makes it for vectors of a dimension.
func openFile(path string, dimension int) (*sql.DB, error) {
	if _, err := checkFile(path); err != nil {
		return nil, err
	}
	size := pageSize(dimension) // takes effect in new files
	options := sqlitefile.Options(busyTimeout, fmt.Sprintf("page_size(%d)", size), fmt.Sprintf("wal_autocheckpoint(%d)", walSize/size))
	return sqlitefile.Open(path, options, prepare)
}

// prepare makes the table where it is not there yet, and takes the rows of version 1.
func prepare(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to undo
	var old int
	if err := tx.QueryRow("SELECT count(*) FROM sqlite_schema WHERE name = 'embedding'").Scan(&old); err != nil {
		return err
	}
	statements := fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d; %s", applicationID, schemaVersion, schema)
	if old > 0 {
		statements += "; INSERT OR IGNORE INTO vector (embedder, text, value) SELECT embedder, text, vector FROM embedding; DROP TABLE embedding"
	}
	if _, err := tx.Exec(statements); err != nil {
		return err
	}
	return tx.Commit()
}

func (s *sqliteStore) get(ctx context.Context, keys []Key) (map[Key]rcvae.Embedding, error) {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, sqlitefile.Explain(err)
	}
	defer tx.Rollback() //nolint:errcheck // a read has nothing to undo
	query, err := tx.PrepareContext(ctx, "SELECT value FROM vector WHERE embedder = ? AND text = ?")
	if err != nil {
		return nil, sqlitefile.Explain(err)
	}
	defer query.Close()
	found := make(map[Key]rcvae.Embedding, len(keys))
	for _, k := range keys {
		var blob []byte
		switch err := query.QueryRowContext(ctx, s.embedder, k[:]).Scan(&blob); {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return nil, sqlitefile.Explain(err)
		}
		if h, ok := decode(s.embedder, k[:], blob); ok && len(h) == s.dimension {
			found[k] = h.embedding()
		}
	}
	return found, nil
}

func (s *sqliteStore) put(ctx context.Context, keys []Key, embeddings []rcvae.Embedding) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return sqlitefile.Explain(err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to undo
	insert, err := tx.PrepareContext(ctx, "INSERT OR REPLACE INTO vector (embedder, text, value) VALUES (?, ?, ?)")
	if err != nil {
		return sqlitefile.Explain(err)
	}
	defer insert.Close()
	for i, k := range keys {
		if _, err := insert.ExecContext(ctx, s.embedder, k[:], encode(s.embedder, k[:], halvesOf(embeddings[i]))); err != nil {
			return sqlitefile.Explain(err)
		}
	}
	if err := s.evict(ctx, tx); err != nil {
		return sqlitefile.Explain(err)
	}
	return sqlitefile.Explain(tx.Commit())
}

func (s *sqliteStore) close() error { return s.db.Close() }
