//go:build unix

package scratch

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// unnamed makes a file and removes its name.
func unnamed() (*os.File, error) {
	file, err := os.CreateTemp(folder(), "rcvae-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close() // nothing was written
		return nil, fmt.Errorf("remove the name of %s: %w", file.Name(), err)
	}
	return file, nil
}

func mapSegment(file *os.File, offset int64, length int) ([]byte, error) {
	return unix.Mmap(int(file.Fd()), offset, length, unix.PROT_READ, unix.MAP_SHARED)
}

func unmap(segment []byte) error { return unix.Munmap(segment) }

// releaseEvery is how often the pages of a large file are released.
const releaseEvery = 200 * time.Millisecond

// releaser takes what was read out of the process's memory again. It stays in the page
// cache, from which the next reader gets it and the kernel takes it when memory is short:
// the process stays small without knowing which values will be read next.
type releaser struct {
	mu       sync.Mutex
	segments [][]byte
	end      chan struct{}
	ended    sync.WaitGroup
}

func newReleaser() *releaser {
	r := &releaser{end: make(chan struct{})}
	r.ended.Go(r.run)
	return r
}

func (r *releaser) run() {
	tick := time.NewTicker(releaseEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.end:
			return
		case <-tick.C:
			r.drop()
		}
	}
}

// drop releases every page. Values stay readable meanwhile: a page that is missing is
// mapped again.
func (r *releaser) drop() {
	r.mu.Lock()
	segments := slices.Clone(r.segments)
	r.mu.Unlock()
	for _, segment := range segments {
		_ = unix.Madvise(segment, unix.MADV_DONTNEED) // advice
	}
}

func (r *releaser) add(segment []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.segments = append(r.segments, segment)
}

// stop returns when no page is touched any more.
func (r *releaser) stop() {
	close(r.end)
	r.ended.Wait()
}
