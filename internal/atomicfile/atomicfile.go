// Package atomicfile replaces files as a whole: a reader sees the old content or
// the new one, never a part, a failed write leaves nothing behind, and what a killed
// one left is removed by the next. A [Lock] keeps a second writer away.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// File is a file being written next to the path that it will replace. Exactly one
// of [File.Commit] and [File.Abort] ends it; Abort after Commit does nothing, so
// it can be deferred.
type File struct {
	file   *os.File
	target string // where Commit puts the file; links are followed
	direct bool   // the target is a device or a pipe and is written in place
	done   bool
}

var _ io.Writer = (*File)(nil)

// Create begins to replace the file at path. The new file keeps the permissions of
// the old one. A path that names a device or a pipe, such as /dev/stdout, is
// written directly.
func Create(path string) (*File, error) {
	target, mode, err := resolve(path)
	if err != nil {
		return nil, err
	}
	if !mode.IsRegular() {
		file, err := os.OpenFile(target, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		return &File{file: file, target: target, direct: true}, nil
	}
	removeStale(target)
	file, err := createBeside(target, mode)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", path, cause(err))
	}
	return &File{file: file, target: target}, nil
}

// resolve follows links and returns the mode that the new file shall have.
func resolve(path string) (target string, mode fs.FileMode, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, 0o666, nil
	case err != nil:
		return "", 0, err
	case info.IsDir():
		return "", 0, fmt.Errorf("create %s: it is a folder; name a file in it", path)
	case !info.Mode().IsRegular():
		return path, info.Mode(), nil
	}
	target, err = filepath.EvalSymlinks(path)
	return target, info.Mode(), err
}

// createBeside creates a hidden file with a fresh name in target's folder and locks it,
// so that others know it is being written. Unlike [os.CreateTemp] it honours the umask
// instead of hiding the file from others.
func createBeside(target string, mode fs.FileMode) (*os.File, error) {
	dir, base := filepath.Split(target)
	for try := 0; ; try++ {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%08x%s", base, rand.Uint32(), temporarySuffix))
		file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode.Perm())
		if errors.Is(err, fs.ErrExist) && try < 100 {
			continue
		}
		if err != nil {
			return nil, err
		}
		// Note: another process may look at it between the two steps, and remove it. A file
		// system without locks is none that removeStale removes from either.
		if held, err := tryLock(file); err == nil && (!held || !stillAt(file, name)) && try < 100 {
			_ = file.Close()
			continue
		}
		return file, nil
	}
}

// Write writes to the new file. An error names the file that was to be written.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	if err != nil {
		err = fmt.Errorf("write %s: %w", f.target, cause(err))
	}
	return n, err
}

// cause returns an error without the name of the temporary file, which is gone.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}

// Commit flushes the file to the disk and puts it in place. On an error the old
// file is still there and the new one is gone.
func (f *File) Commit() error {
	if f.done {
		return fmt.Errorf("write %s: %w", f.target, fs.ErrClosed)
	}
	if f.direct {
		f.done = true
		return f.file.Close()
	}
	if err := f.file.Sync(); err != nil {
		f.Abort()
		return fmt.Errorf("write %s: %w", f.target, cause(err))
	}
	f.done = true
	temporary := f.file.Name()
	err := f.file.Close()
	if err == nil {
		err = os.Rename(temporary, f.target)
	}
	if err != nil {
		_ = os.Remove(temporary) // the first error is the one to tell
		return fmt.Errorf("write %s: %w", f.target, cause(err))
	}
	syncFolder(filepath.Dir(f.target))
	return nil
}

// syncFolder makes a rename durable where the system allows it. The content is
// safe already, so an error here is none for the caller.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// Abort gives the new content up. The file at the path stays as it was.
func (f *File) Abort() {
	if f.done {
		return
	}
	f.done = true
	_ = f.file.Close()
	if !f.direct {
		_ = os.Remove(f.file.Name())
	}
}

// Write replaces the file at path with what write writes. When write returns an
// error or panics, the file at path stays as it was and nothing is left behind.
func Write(path string, write func(w io.Writer) error) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := write(f); err != nil {
		return err
	}
	return f.Commit()
}
