package mapped_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"rcvae/internal/mapped"
)

func TestOpenOnDiskAndInMemory(t *testing.T) {
	content := bytes.Repeat([]byte("weights "), 3000)
	dir := t.TempDir()
	for name, data := range map[string][]byte{"full": content, "empty": nil} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	memory := fstest.MapFS{"full": {Data: content}, "empty": {}}
	for _, fsys := range []fs.FS{os.DirFS(dir), memory} {
		for name, want := range map[string][]byte{"full": content, "empty": nil} {
			f, err := mapped.Open(fsys, name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(f.Data, want) {
				t.Errorf("%s: %d bytes, want the %d that were written", name, len(f.Data), len(want))
			}
			if err := errors.Join(f.Close(), f.Close()); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if _, err := mapped.Open(fsys, "absent"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Open of no file = %v, want fs.ErrNotExist", err)
		}
	}
}
