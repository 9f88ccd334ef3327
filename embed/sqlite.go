package embed

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"net/url"
	"os"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"rcvae"
)

// applicationID marks our files in SQLite's header: "rcva".
const applicationID = 0x72637661

// schemaVersion is SQLite's user_version of the files that this code reads.
const schemaVersion = 1

const schema = `CREATE TABLE IF NOT EXISTS embedding (
	embedder BLOB NOT NULL, -- SHA-256 of the fingerprint
	text     BLOB NOT NULL, -- SHA-256 of role and text
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
	if err := checkHeader(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", location(path, url.Values{"_pragma": {"busy_timeout(30000)", "journal_mode(WAL)", "synchronous(NORMAL)"}, "_txlock": {"immediate"}}))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer; waiting here is cheaper than there
	s := &sqliteStore{db: db, embedder: id, dimension: fp.Dimension}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// Of SQLite's file header, https://sqlite.org/fileformat2.html section 1.3.
const (
	headerSize          = 100
	headerMagic         = "SQLite format 3\x00"
	offsetUserVersion   = 60
	offsetApplicationID = 68
)

var errForeign = errors.New("this SQLite file belongs to another program: name another with --cache")

// checkHeader rejects files that are not embedding caches before SQLite touches them.
// A file that does not exist or is empty will be made.
func checkHeader(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	header := make([]byte, headerSize)
	n, err := io.ReadFull(file, header)
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case n < headerSize || string(header[:len(headerMagic)]) != headerMagic:
		return errors.New("this file is no embedding cache: name another with --cache")
	}
	switch id := binary.BigEndian.Uint32(header[offsetApplicationID:]); id {
	case applicationID:
	case 0: // not set, or set in the write-ahead log of a file that is new
		return checkTables(path)
	default:
		return errForeign
	}
	if version := binary.BigEndian.Uint32(header[offsetUserVersion:]); version != schemaVersion {
		return fmt.Errorf("the cache has format version %d, this program reads %d: name another file with --cache", version, schemaVersion)
	}
	return nil
}

// checkTables rejects a file with tables that are not ours, opened for reading alone.
func checkTables(path string) error {
	db, err := sql.Open("sqlite", location(path, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(30000)"}}))
	if err != nil {
		return err
	}
	defer db.Close()
	var id, tables int
	err = db.QueryRow(`SELECT (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)`).Scan(&id, &tables)
	if err == nil && id != applicationID && tables > 0 {
		return errForeign
	}
	return err
}

// location is the name under which SQLite's driver opens a file.
func location(path string, query url.Values) string {
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String()
}

// prepare makes the table where it is not there yet.
func (s *sqliteStore) prepare() error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to undo
	if _, err := tx.Exec(fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d; %s", applicationID, schemaVersion, schema)); err != nil {
		return err
	}
	return tx.Commit()
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
