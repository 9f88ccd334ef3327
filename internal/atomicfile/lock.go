package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ErrInUse is the error of a file that another process writes.
var ErrInUse = errors.New("another process is writing it")

// Lock is the right to write one file, which one process has at a time. It ends with
// the process, however that ends.
type Lock struct {
	file *os.File
	path string
}

// maxHolder bounds what is read of a lock file, in bytes.
const maxHolder = 4096

// Acquire takes the right to write the file at path, which need not exist. The holder
// (a command line, say) is what others are told who find the file in use: they get an
// error that is [ErrInUse]. The lock is a hidden file beside path. Devices are not
// locked, nor is anything on file systems and platforms without locks.
func Acquire(path, holder string) (*Lock, error) {
	target, mode, err := resolve(path)
	if err != nil {
		return nil, err
	}
	if !mode.IsRegular() {
		return &Lock{}, nil
	}
	dir, base := filepath.Split(target)
	name := filepath.Join(dir, "."+base+".lock")
	for {
		file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o666)
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", path, cause(err))
		}
		if held, err := tryLock(file); err == nil && !held { // an error: there are no locks here
			return nil, errors.Join(inUse(path, file), file.Close())
		}
		if stillAt(file, name) {
			l := &Lock{file: file, path: name}
			l.sign(holder)
			return l, nil
		}
		_ = file.Close() // the last holder removed it after it was opened
	}
}

// inUse is the error that names the holder of a lock.
func inUse(path string, file *os.File) error {
	data := make([]byte, maxHolder)
	n, _ := file.ReadAt(data, 0) // without a name the error is shorter
	if holder := strings.TrimSpace(string(data[:n])); holder != "" {
		return fmt.Errorf("%s: %w (%s): wait for it, or name another file", path, ErrInUse, holder)
	}
	return fmt.Errorf("%s: %w: wait for it, or name another file", path, ErrInUse)
}

// stillAt reports whether the open file is the one at path.
func stillAt(file *os.File, path string) bool {
	opened, err := file.Stat()
	there, statErr := os.Stat(path)
	return err == nil && statErr == nil && os.SameFile(opened, there)
}

// sign writes who holds the lock. On a full disk nobody is named, and the lock holds.
func (l *Lock) sign(holder string) {
	text := fmt.Sprintf("process %d: %s\n", os.Getpid(), holder)
	if l.file.Truncate(0) == nil {
		_, _ = l.file.WriteAt([]byte(text[:min(len(text), maxHolder)]), 0)
	}
}

// Release gives the right back. The zero value and nil have none, and a second call
// does nothing.
func (l *Lock) Release() {
	if l == nil || l.file == nil {
		return
	}
	_ = os.Remove(l.path) // before the lock ends: the next holder makes its own
	_ = l.file.Close()
	l.file = nil
}
