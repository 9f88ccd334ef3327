// Package sqlitefile tells whose an SQLite file is before SQLite changes a byte of it,
// and says what SQLite's errors mean.
package sqlitefile

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Of SQLite's file header, https://sqlite.org/fileformat2.html section 1.3.
const (
	headerSize          = 100
	headerMagic         = "SQLite format 3\x00"
	offsetUserVersion   = 60
	offsetApplicationID = 68
)

// ErrForeign is the error of a file that is none of the wanted kind.
var ErrForeign = errors.New("this SQLite file belongs to another program")

// ErrNotSQLite is the error of a file that is no SQLite file at all.
var ErrNotSQLite = errors.New("this is no SQLite file")

// Check returns the user_version of the file if its application_id is the given one, and
// 0 for a file that does not exist or has nothing in it. Any other file is an error. No
// byte is changed.
func Check(path string, applicationID uint32) (version int, err error) {
	header, err := readHeader(path)
	if errors.Is(err, ErrNotSQLite) && hasJournal(path) { // its first page was not written yet
		return checkTables(path, applicationID)
	}
	if err != nil || header == nil {
		return 0, err
	}
	switch binary.BigEndian.Uint32(header[offsetApplicationID:]) {
	case applicationID:
		return int(binary.BigEndian.Uint32(header[offsetUserVersion:])), nil
	case 0: // not set, or set in the write-ahead log of a file that is new
		return checkTables(path, applicationID)
	}
	return 0, ErrForeign
}

// readHeader returns nil for a file that does not exist or is empty.
func readHeader(path string) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	header := make([]byte, headerSize)
	n, err := io.ReadFull(file, header)
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return nil, nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, err
	case n < headerSize || string(header[:len(headerMagic)]) != headerMagic:
		return nil, ErrNotSQLite
	}
	return header, nil
}

// checkTables asks SQLite, which reads the write-ahead log too.
func checkTables(path string, applicationID uint32) (version int, err error) {
	version, err = ask(path, applicationID)
	failed, ok := errors.AsType[*sqlite.Error](err)
	if ok && failed.Code() == lib.SQLITE_READONLY_ROLLBACK {
		return checkJournal(path)
	}
	return version, Explain(err)
}

// ask opens the file to read it.
func ask(path string, applicationID uint32) (version int, err error) {
	db, err := sql.Open("sqlite", Location(path, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)"}}))
	if err != nil {
		return 0, err
	}
	defer db.Close()
	var id, tables int
	err = db.QueryRow(`SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
		(SELECT count(*) FROM sqlite_schema)`).Scan(&id, &version, &tables)
	switch {
	case err != nil:
		return 0, err
	case id != int(applicationID) && tables > 0:
		return 0, ErrForeign
	case id != int(applicationID):
		return 0, nil
	}
	return version, nil
}

// hasJournal reports whether something is in the file's rollback journal.
func hasJournal(path string) bool {
	info, err := os.Stat(path + "-journal")
	return err == nil && info.Size() > 0
}

// checkJournal tells whose a file is whose writer was killed in the middle of a change. One of
// ours has a rollback journal only while it is made: what is to be undone then leaves an
// empty file. Source: https://sqlite.org/fileformat2.html section 3.
func checkJournal(path string) (version int, err error) {
	const magic, pagesBefore, size = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 16, 20 // bytes
	file, err := os.Open(path + "-journal")
	if err != nil {
		return 0, err
	}
	defer file.Close()
	header := make([]byte, size)
	if _, err := io.ReadFull(file, header); err != nil {
		return 0, fmt.Errorf("read its journal: %w", err)
	}
	if string(header[:len(magic)]) == magic && binary.BigEndian.Uint32(header[pagesBefore:]) == 0 {
		return 0, nil
	}
	return 0, fmt.Errorf("%w, or was left in the middle of a change: let the program that wrote it open it first", ErrForeign)
}

// Open opens a file for one writer and lets prepare make what is missing in it.
func Open(path string, query url.Values, prepare func(*sql.DB) error) (*sql.DB, error) {
	db, err := sql.Open("sqlite", Location(path, query))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer; waiting here is cheaper than there
	if err := prepare(db); err != nil {
		return nil, errors.Join(ExplainOpen(path, err), db.Close())
	}
	return db, nil
}

// Location is the name under which the driver opens a file.
func Location(path string, query url.Values) string {
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String()
}

// Options are the query of files that are written: other processes are waited for
// this many milliseconds, and a transaction takes the lock when it begins. The journal's
// mode is set last, behind pragmas that are for new files only.
func Options(busy int, pragmas ...string) url.Values {
	pragmas = append(pragmas, fmt.Sprintf("busy_timeout(%d)", busy), "synchronous(NORMAL)")
	return url.Values{"_pragma": pragmas, "_journal_mode": {"WAL"}, "_txlock": {"immediate"}}
}
