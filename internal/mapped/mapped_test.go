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
	memory := mapped.Memory{"full": content, "empty": nil}
	for _, fsys := range []fs.FS{os.DirFS(dir), memory, fstest.MapFS{"full": {Data: content}, "empty": {}}} {
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

func TestMemoryIsReadByOthers(t *testing.T) {
	memory := mapped.Memory{"folder/file": []byte("content")}
	if got, err := fs.ReadFile(memory, "folder/file"); err != nil || string(got) != "content" {
		t.Errorf("ReadFile = %q, %v, want the content", got, err)
	}
	if info, err := fs.Stat(memory, "folder/file"); err != nil || info.Size() != 7 || info.Name() != "file" || info.IsDir() {
		t.Errorf("Stat = %v, %v, want a file of 7 bytes", info, err)
	}
}
