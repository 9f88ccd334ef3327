package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"rcvae/internal/atomicfile"
)

// File is a file that workers need. The bucket of files has it under its SHA-256.
type File struct {
	Path   string `json:"path"` // relative, with slashes; where a worker puts it
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`

	Source string `json:"-"` // where the coordinator has it
}

// maxFileBytes bounds the bucket of files.
const maxFileBytes = 64 << 30

// upload puts the files into the bucket when the first worker asks for them.
type upload struct {
	list  func() ([]File, error)
	once  sync.Once
	group sync.WaitGroup

	mu    sync.Mutex
	files []File
	err   error
	done  bool
}

// ready returns the files, or that they are not there yet, or why they will not be.
func (u *upload) ready(ctx context.Context, js jetstream.JetStream) (files []File, wait, refused string) {
	if u.list == nil {
		return nil, "", "the coordinator has no files of its embedder to give: name one with --embedder"
	}
	u.once.Do(func() {
		u.group.Go(func() {
			files, err := putFiles(ctx, js, u.list)
			u.mu.Lock()
			defer u.mu.Unlock()
			u.files, u.err, u.done = files, err, true
		})
	})
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case !u.done:
		return nil, "the coordinator copies the embedder's files into the queue", ""
	case u.err != nil:
		return nil, "", u.err.Error()
	}
	return u.files, "", ""
}

func (u *upload) wait() { u.group.Wait() }

func putFiles(ctx context.Context, js jetstream.JetStream, list func() ([]File, error)) ([]File, error) {
	files, err := list()
	if err != nil {
		return nil, err
	}
	bucket, err := js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: filesBucket, MaxBytes: maxFileBytes, Storage: jetstream.FileStorage})
	if err != nil {
		return nil, fmt.Errorf("make the bucket %s: %w", filesBucket, err)
	}
	for i := range files {
		if err := putFile(ctx, bucket, &files[i]); err != nil {
			return nil, fmt.Errorf("copy %s into the queue: %w", files[i].Path, err)
		}
	}
	return files, nil
}

// putFile fills in a file's hash and size, and puts it into the bucket if it is not there.
func putFile(ctx context.Context, bucket jetstream.ObjectStore, f *File) (err error) {
	if f.SHA256, f.Size, err = hashFile(f.Source); err != nil {
		return err
	}
	if _, err := bucket.GetInfo(ctx, f.SHA256); err == nil {
		return nil
	}
	file, err := os.Open(f.Source)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = bucket.Put(ctx, jetstream.ObjectMeta{Name: f.SHA256}, file)
	return err
}

func hashFile(path string) (sum string, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	h := sha256.New()
	if size, err = io.Copy(h, file); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// errForeignPath says that a plan names a file outside the folder that it is for.
var errForeignPath = errors.New("the path leads out of its folder")

// getFiles brings the files into a folder. Those that are there with the right hash are
// kept; none is in its place before its hash is right.
func getFiles(ctx context.Context, js jetstream.JetStream, files []File, dir string) error {
	bucket, err := js.ObjectStore(ctx, filesBucket)
	if err != nil {
		return fmt.Errorf("open the bucket %s: %w", filesBucket, err)
	}
	for _, f := range files {
		if err := getFile(ctx, bucket, f, dir); err != nil {
			return fmt.Errorf("bring %s: %w", f.Path, err)
		}
	}
	return nil
}

func getFile(ctx context.Context, bucket jetstream.ObjectStore, f File, dir string) error {
	local := filepath.FromSlash(f.Path)
	if !filepath.IsLocal(local) {
		return errForeignPath
	}
	path := filepath.Join(dir, local)
	if sum, _, err := hashFile(path); err == nil && sum == f.SHA256 {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	object, err := bucket.Get(ctx, f.SHA256)
	if err != nil {
		return err
	}
	defer object.Close()
	return atomicfile.Write(path, func(w io.Writer) error {
		h := sha256.New()
		n, err := io.Copy(io.MultiWriter(w, h), io.LimitReader(object, f.Size+1))
		if err != nil {
			return err
		}
		if n != f.Size || hex.EncodeToString(h.Sum(nil)) != f.SHA256 {
			return fmt.Errorf("%d bytes came that are not those of the plan, %d with SHA-256 %s", n, f.Size, f.SHA256)
		}
		return nil
	})
}
