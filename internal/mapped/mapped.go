// Package mapped reads files through the page cache: large weights are not copied, and
// what is not used is not read.
package mapped

import (
	"fmt"
	"io"
	"io/fs"
	"os"
)

// File is the content of a file. Data must not be written to, nor used after Close.
type File struct {
	Data  []byte
	unmap func() error
}

// Open maps the named file of a file system where that is a folder on disk, and reads it
// into memory otherwise.
func Open(fsys fs.FS, name string) (*File, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if file, ok := f.(*os.File); ok {
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

// Close gives the memory back.
func (f *File) Close() error {
	if f.unmap == nil {
		return nil
	}
	unmap := f.unmap
	f.unmap, f.Data = nil, nil
	return unmap()
}
