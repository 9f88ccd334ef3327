// Package scratch keeps what is too large for memory in a temporary file that is mapped:
// slices and strings stay what they are, and the kernel holds as much of them as fits.
package scratch

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"sync"
	"unsafe"
)

const (
	// InMemory is how many bytes a [Space] keeps without a file.
	InMemory = 64 << 20

	segmentBytes = 256 << 20 // of the file, mapped at a time; longer values get a segment of their own
	alignment    = 8
)

// Space takes values and gives them back in the file. The file has no name: it is gone
// when the process ends, however that happens. A Space may be used concurrently.
type Space struct {
	mu       sync.Mutex
	left     int64 // bytes that still go into memory
	file     *os.File
	size     int64  // of the file
	segment  []byte // the last one
	used     int    // of it
	segments [][]byte
	release  *releaser
	names    map[string]string // by themselves
}

// New returns a space that keeps so many bytes in memory and the others in a file.
func New(inMemory int64) *Space { return &Space{left: inMemory} }

// Close gives file and memory back. What was kept must not be used any more.
func (s *Space) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	s.release.stop()
	var errs []error
	for _, segment := range s.segments {
		errs = append(errs, unmap(segment))
	}
	errs = append(errs, s.file.Close())
	s.file, s.segments, s.segment = nil, nil, nil
	return errors.Join(errs...)
}

// Keep returns a copy of the values that must not be written to.
func Keep[T byte | float32 | float64](s *Space, values []T) ([]T, error) {
	if len(values) == 0 {
		return nil, nil
	}
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), len(values)*int(unsafe.Sizeof(values[0])))
	kept, err := s.keep(raw)
	if err != nil {
		return nil, fmt.Errorf("keep %d bytes in a temporary file: %w; set TMPDIR to a folder with more room", len(raw), err)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&kept[0])), len(values)), nil
}

// String is [Keep] for a text.
func (s *Space) String(text string) (string, error) {
	kept, err := Keep(s, []byte(text))
	return unsafe.String(unsafe.SliceData(kept), len(kept)), err
}

func (s *Space) keep(raw []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left >= int64(len(raw)) {
		s.left -= int64(len(raw))
		return inMemory(raw), nil
	}
	if err := s.room(len(raw)); errors.Is(err, errors.ErrUnsupported) {
		return inMemory(raw), nil
	} else if err != nil {
		return nil, err
	}
	// Written through the file and not through the map, where a full disk is an error
	// and no fault.
	if _, err := s.file.WriteAt(raw, s.size-int64(len(s.segment))+int64(s.used)); err != nil {
		return nil, err
	}
	kept := s.segment[s.used : s.used+len(raw) : s.used+len(raw)]
	s.used += (len(raw) + alignment - 1) / alignment * alignment
	return kept, nil
}

// inMemory returns a copy that is aligned for every type.
func inMemory(raw []byte) []byte {
	words := make([]uint64, (len(raw)+7)/8)
	kept := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(raw))
	copy(kept, raw)
	return kept
}

// room makes sure that the segment has room for n bytes more.
func (s *Space) room(n int) error {
	if s.used+n <= len(s.segment) {
		return nil
	}
	if s.file == nil {
		file, err := unnamed()
		if err != nil && os.Getenv("TMPDIR") == "" {
			return errors.ErrUnsupported // a read-only system: memory must do
		}
		if err != nil {
			return err
		}
		s.file, s.release = file, newReleaser()
	}
	length := max(segmentBytes, (n+segmentBytes-1)/segmentBytes*segmentBytes)
	if err := s.file.Truncate(s.size + int64(length)); err != nil {
		return err
	}
	segment, err := mapSegment(s.file, s.size, length)
	if err != nil {
		return err
	}
	s.release.add(segment)
	s.segments = append(s.segments, segment)
	s.size, s.segment, s.used = s.size+int64(length), segment, 0
	return nil
}

// folder is where SQLite looks too: /tmp may lie in memory, /var/tmp does not.
func folder() string {
	if info, err := os.Stat("/var/tmp"); err == nil && info.IsDir() {
		return cmp.Or(os.Getenv("TMPDIR"), "/var/tmp")
	}
	return os.TempDir()
}
