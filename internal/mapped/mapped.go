// Package mapped reads files through the page cache: large weights are not copied, and
// what is not used is not read.
package mapped

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"
)

// File is the content of a file. Data must not be written to, nor used after Close.
type File struct {
	Data  []byte
	unmap func() error
	drop  func()
}

// Open maps the named file of a file system where that is a folder on disk, and reads it
// into memory otherwise.
func Open(fsys fs.FS, name string) (*File, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	switch file := f.(type) {
	case *memoryFile:
		return &File{Data: file.data}, nil
	case *os.File:
		if m, err := mapFile(file); err == nil {
			return m, nil
		} // a file system without maps: read it
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return &File{Data: data}, nil
}

// Drop takes the pages that were read out of the process's memory, where the file is
// mapped. Those that are used again come back from the page cache.
func (f *File) Drop() {
	if f.drop != nil {
		f.drop()
	}
}

// Close gives the memory back.
func (f *File) Close() error {
	if f.unmap == nil {
		return nil
	}
	unmap := f.unmap
	f.unmap, f.drop, f.Data = nil, nil, nil
	return unmap()
}

// Memory is a file system of files in memory, which [Open] does not copy.
type Memory map[string][]byte

var _ fs.FS = Memory(nil)

// Open opens a file. Folders cannot be opened.
func (m Memory) Open(name string) (fs.File, error) {
	data, ok := m[name]
	if !ok || !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &memoryFile{Reader: bytes.NewReader(data), name: path.Base(name), data: data}, nil
}

type memoryFile struct {
	*bytes.Reader
	name string
	data []byte
}

func (f *memoryFile) Close() error               { return nil }
func (f *memoryFile) Stat() (fs.FileInfo, error) { return memoryInfo{f}, nil }

type memoryInfo struct{ file *memoryFile }

func (i memoryInfo) Name() string       { return i.file.name }
func (i memoryInfo) Size() int64        { return int64(len(i.file.data)) }
func (i memoryInfo) Mode() fs.FileMode  { return 0o444 }
func (i memoryInfo) ModTime() time.Time { return time.Time{} }
func (i memoryInfo) IsDir() bool        { return false }
func (i memoryInfo) Sys() any           { return nil }
