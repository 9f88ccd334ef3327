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
// version 1 are brought to it.
const schemaVersion = 2

// Rows are in the order in which they came and fill their pages: of pages of 16 kB, 10 of
// the built-in encoders' rows, 384 values, fill 98 %. Note: the keys are hashes, and a
// table in their order leaves a third of each page empty.
const schema = `CREATE TABLE IF NOT EXISTS vector (
	id       INTEGER PRIMARY KEY, -- the older, the lower
	embedder BLOB NOT NULL,       -- SHA-256 of the fingerprint
	text     BLOB NOT NULL,       -- SHA-256 of role and text
	value    BLOB NOT NULL,       -- float32, little-endian, then the CRC-32 of key and values
	UNIQUE (embedder, text)
)`

// pageSize is that of new files, in bytes.
const pageSize = 16 << 10

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
	db, err := openFile(path)
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

// openFile opens the cache file at path, or makes it.
func openFile(path string) (*sql.DB, error) {
	if _, err := checkFile(path); err != nil {
		return nil, err
	}
	// The page size takes effect in new files; the write-ahead log stays at some 4 MB.
	options := sqlitefile.Options(busyTimeout, fmt.Sprintf("page_size(%d)", pageSize), "wal_autocheckpoint(256)")
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
		if e, ok := s.decode(k, blob); ok {
			found[k] = e
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
		if _, err := insert.ExecContext(ctx, s.embedder, k[:], s.encode(k, embeddings[i])); err != nil {
			return sqlitefile.Explain(err)
		}
	}
	if err := s.evict(ctx, tx); err != nil {
		return sqlitefile.Explain(err)
	}
	return sqlitefile.Explain(tx.Commit())
}

func (s *sqliteStore) close() error { return s.db.Close() }
