package embed

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"net/url"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"rcvae"
)

// applicationID marks our files in SQLite's header: "rcva".
const applicationID = 0x72637661

// schemaVersion is SQLite's user_version of the files that this code reads.
const schemaVersion = 1

const schema = `CREATE TABLE IF NOT EXISTS embedding (
	embedder BLOB NOT NULL, -- SHA-256 of the fingerprint
	text     BLOB NOT NULL, -- SHA-256 of the text
	vector   BLOB NOT NULL, -- float32, little-endian, then the CRC-32 of key and values
	PRIMARY KEY (embedder, text)
) WITHOUT ROWID`

// sqliteStore keeps the vectors of one embedder in a file that others may share.
type sqliteStore struct {
	db        *sql.DB
	embedder  []byte // the fingerprint's ID
	dimension int
}

func openSQLite(path string, fp rcvae.Fingerprint) (*sqliteStore, error) {
	id, err := hex.DecodeString(fp.ID())
	if err != nil {
		return nil, err
	}
	query := url.Values{"_pragma": {"busy_timeout(30000)", "journal_mode(WAL)", "synchronous(NORMAL)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer; waiting here is cheaper than there
	s := &sqliteStore{db: db, embedder: id, dimension: fp.Dimension}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("%w; if it is not an embedding cache name another file, if it is damaged delete it, it can be made again", err), db.Close())
	}
	return s, nil
}

// prepare makes the table in a new file and rejects foreign ones.
func (s *sqliteStore) prepare() error {
	var id, version, tables int
	err := s.db.QueryRow(`SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
		(SELECT count(*) FROM sqlite_schema)`).Scan(&id, &version, &tables)
	switch {
	case err != nil:
		return err
	case tables == 0:
		_, err = s.db.Exec(fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d; %s", applicationID, schemaVersion, schema))
		return err
	case id != applicationID:
		return errors.New("this SQLite file belongs to another program")
	case version != schemaVersion:
		return fmt.Errorf("the cache has format version %d, this program reads %d", version, schemaVersion)
	}
	_, err = s.db.Exec(schema)
	return err
}

func (s *sqliteStore) get(ctx context.Context, keys []key) (map[key]rcvae.Embedding, error) {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // a read has nothing to undo
	query, err := tx.PrepareContext(ctx, "SELECT vector FROM embedding WHERE embedder = ? AND text = ?")
	if err != nil {
		return nil, err
	}
	defer query.Close()
	found := make(map[key]rcvae.Embedding, len(keys))
	for _, k := range keys {
		var blob []byte
		switch err := query.QueryRowContext(ctx, s.embedder, k[:]).Scan(&blob); {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return nil, err
		}
		if e, ok := s.decode(k, blob); ok {
			found[k] = e
		}
	}
	return found, nil
}

func (s *sqliteStore) put(ctx context.Context, keys []key, embeddings []rcvae.Embedding) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to undo
	insert, err := tx.PrepareContext(ctx, "INSERT OR REPLACE INTO embedding (embedder, text, vector) VALUES (?, ?, ?)")
	if err != nil {
		return err
	}
	defer insert.Close()
	for i, k := range keys {
		if _, err := insert.ExecContext(ctx, s.embedder, k[:], s.encode(k, embeddings[i])); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (s *sqliteStore) close() error { return s.db.Close() }

// encode returns the values and a checksum over the embedder, the key and them.
func (s *sqliteStore) encode(k key, e rcvae.Embedding) []byte {
	blob := make([]byte, 0, 4*len(e)+4)
	for _, v := range e {
		blob = binary.LittleEndian.AppendUint32(blob, math.Float32bits(v))
	}
	return binary.LittleEndian.AppendUint32(blob, s.checksum(k, blob))
}

func (s *sqliteStore) decode(k key, blob []byte) (rcvae.Embedding, bool) {
	n := 4 * s.dimension
	if len(blob) != n+4 || binary.LittleEndian.Uint32(blob[n:]) != s.checksum(k, blob[:n]) {
		return nil, false
	}
	e := make(rcvae.Embedding, s.dimension)
	for i := range e {
		e[i] = math.Float32frombits(binary.LittleEndian.Uint32(blob[4*i:]))
	}
	return e, true
}

func (s *sqliteStore) checksum(k key, values []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Update(crc32.Checksum(s.embedder, table), table, k[:]), table, values)
}
