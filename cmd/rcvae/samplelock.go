package main

import (
	"errors"
	"fmt"
	"os"
)

// errInUse is the error of a pool that another process draws.
var errInUse = errors.New("another process is drawing this pool; wait for it, or name another --out")

// openLocked opens a file to append to, for this process alone. The lock ends with the
// file or the process. Note: the file may be removed between the two steps by a process
// that has just finished; then the new one is opened.
func openLocked(path string) (*os.File, error) {
	for {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o666)
		if err != nil {
			return nil, err
		}
		if err := lockFile(file); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
		}
		locked, err := file.Stat()
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		if there, err := os.Stat(path); err == nil && os.SameFile(locked, there) {
			return file, nil
		}
		if err := file.Close(); err != nil {
			return nil, err
		}
	}
}
