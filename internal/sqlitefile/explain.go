package sqlitefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Explain returns the error with what it means: SQLite's own words are those of its
// authors. Only of a damaged file is it said that removing it helps.
func Explain(err error) error {
	failed, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	const primary = 0xff // the other bits say more
	switch failed.Code() & primary {
	case lib.SQLITE_FULL:
		return fmt.Errorf("the disk is full (%w)", err)
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fmt.Errorf("another process holds the file locked (%w)", err)
	case lib.SQLITE_READONLY, lib.SQLITE_PERM, lib.SQLITE_AUTH:
		return fmt.Errorf("there is no permission to write it (%w)", err)
	case lib.SQLITE_IOERR:
		return fmt.Errorf("the disk cannot be read or written (%w)", err)
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fmt.Errorf("the file is damaged (%w); remove it and a new one is made", err)
	}
	return err
}

// Passing reports whether the error is one of the moment, a lock or a disk that is full or
// fails, and not of the file.
func Passing(err error) bool {
	failed, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	switch failed.Code() & 0xff {
	case lib.SQLITE_FULL, lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_IOERR:
		return true
	}
	return false
}

// ExplainOpen is [Explain] for a file that could not be opened, of which SQLite does not
// say why.
func ExplainOpen(path string, err error) error {
	failed, ok := errors.AsType[*sqlite.Error](err)
	if !ok || failed.Code()&0xff != lib.SQLITE_CANTOPEN {
		return Explain(err)
	}
	file, cause := os.OpenFile(path, os.O_RDWR, 0)
	if cause == nil {
		_ = file.Close() // it was only tried
		dir := filepath.Dir(path)
		return fmt.Errorf("the folder %s must be writable too, for files beside it (%w)", dir, err)
	}
	if os.IsNotExist(cause) {
		_, cause = os.Stat(filepath.Dir(path))
	}
	if cause != nil {
		return fmt.Errorf("%w (%w)", cause, err)
	}
	return fmt.Errorf("the folder %s cannot hold it (%w)", filepath.Dir(path), err)
}
