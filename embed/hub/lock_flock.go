//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package hub

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile takes the lock that Python's client takes, or fails at once.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
