//go:build unix

package mapped

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func mapFile(f *os.File) (*File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	if size <= 0 || size != int64(int(size)) || !info.Mode().IsRegular() {
		return nil, errors.New("not a file that can be mapped")
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return &File{
		Data: data, unmap: func() error { return syscall.Munmap(data) },
		drop: func() { _ = unix.Madvise(data, unix.MADV_DONTNEED) }, // only memory is lost
	}, nil
}
