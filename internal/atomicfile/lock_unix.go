//go:build unix

package atomicfile

import (
	"errors"
	"os"
	"syscall"
)

// locks tells that this platform has locks which end with their process.
const locks = true

// tryLock locks an open file, unless another process or another open file has it.
func tryLock(file *os.File) (held bool, err error) {
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
