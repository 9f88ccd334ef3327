package hub

import (
	"context"
	"crypto/sha1" //nolint:gosec // the hub names small files by Git's hash
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"rcvae/internal/atomicfile"
	"rcvae/internal/retry"
)

// fetch brings one file into the cache and links it into the snapshot. The blob appears
// under its name when its hash is right and not before.
func (c Cache) fetch(ctx context.Context, name Name, commit string, f file, report func(int64)) error {
	blob := c.path(name, "blobs", f.etag())
	lock := filepath.Join(c.Dir, ".locks", filepath.Base(c.path(name)), f.etag()+".lock")
	unlock, err := lockFile(lock)
	if err != nil {
		return fmt.Errorf("%s: %w: another process gets this file; run the command again when it is done", lock, err)
	}
	defer unlock()
	if info, err := os.Stat(blob); err != nil || info.Size() != f.Size {
		if err := c.download(ctx, name, commit, f, blob, report); err != nil {
			return err
		}
	}
	report(f.Size)
	return link(blob, c.path(name, "snapshots", commit, filepath.FromSlash(f.Path)), f.Path)
}

// download writes a file beside the blob, where an interrupted download goes on, and
// renames it when the hash is right.
func (c Cache) download(ctx context.Context, name Name, commit string, f file, blob string, report func(int64)) error {
	part := blob + ".rcvae.incomplete"
	out, err := os.OpenFile(part, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	address := c.Endpoint + "/" + name.Repository + "/resolve/" + commit + "/" + (&url.URL{Path: f.Path}).EscapedPath()
	d := &download{file: f, out: out, report: report}
	if err := d.start(); err != nil {
		return err
	}
	if d.size < f.Size || f.Size == 0 {
		if err := retry.Do(ctx, retries, func() error { return d.attempt(ctx, c, address) }); err != nil {
			return err
		}
	}
	if err := d.verify(); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(part, blob)
}

// download is a file under way: what is there, and its hash.
type download struct {
	file   file
	out    *os.File
	size   int64 // bytes that are there
	hash   hash.Hash
	report func(int64)
}

// start hashes what an earlier download left. More than the whole file is none of it.
func (d *download) start() error {
	d.reset()
	n, err := io.Copy(d.hash, d.out)
	if d.size = n; err != nil {
		return err
	}
	if n > d.file.Size {
		return d.restart()
	}
	return nil
}

func (d *download) reset() {
	d.size, d.hash = 0, sha256.New()
	if d.file.LFS == nil {
		d.hash = sha1.New() //nolint:gosec // see above
		fmt.Fprintf(d.hash, "blob %d\x00", d.file.Size)
	}
}

func (d *download) restart() error {
	d.reset()
	if err := d.out.Truncate(0); err != nil {
		return err
	}
	_, err := d.out.Seek(0, io.SeekStart)
	return err
}

// attempt asks for the bytes that are missing.
func (d *download) attempt(ctx context.Context, c Cache, address string) error {
	response, err := c.request(ctx, address, d.size)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if d.size > 0 && !continues(response, d.size) {
		if err := d.restart(); err != nil {
			return err
		}
	}
	_, err = io.Copy(d, io.LimitReader(response.Body, d.file.Size-d.size+1))
	if err != nil {
		return passing(ctx, fmt.Errorf("%d of %d bytes came: %w", d.size, d.file.Size, err))
	}
	if d.size < d.file.Size {
		return passing(ctx, fmt.Errorf("%d of %d bytes came", d.size, d.file.Size))
	}
	return nil
}

// continues reports whether a response holds the bytes from an offset on, and not the
// whole file.
func continues(response *http.Response, from int64) bool {
	return response.StatusCode == http.StatusPartialContent &&
		strings.HasPrefix(response.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", from))
}

// Write implements io.Writer.
func (d *download) Write(p []byte) (int, error) {
	n, err := d.out.Write(p)
	d.hash.Write(p[:n])
	d.size += int64(n)
	d.report(d.size)
	return n, err
}

func (d *download) verify() error {
	if d.size != d.file.Size {
		return fmt.Errorf("more than %d bytes came: the hub lists another size", d.file.Size)
	}
	if got := hex.EncodeToString(d.hash.Sum(nil)); got != d.file.etag() {
		return fmt.Errorf("what came has the hash %s, not %s: it was damaged on the way, run the command again", got, d.file.etag())
	}
	return nil
}

// link makes the snapshot's name of a blob: a relative symbolic link, as Python's client
// does, or a copy where there are none.
func link(blob, target, name string) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	up := strings.Repeat("../", 2+strings.Count(name, "/"))
	relative := path.Join(up, "blobs", filepath.Base(blob))
	if old, err := os.Readlink(target); err == nil && filepath.ToSlash(old) == relative {
		return nil
	}
	if err := os.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if os.Symlink(filepath.FromSlash(relative), target) == nil {
		return nil
	}
	in, err := os.Open(blob)
	if err != nil {
		return err
	}
	defer in.Close()
	return atomicfile.Write(target, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}

// writeRef says which commit the revision is. A commit needs no name.
func (c Cache) writeRef(name Name, commit string) error {
	if name.Revision == commit {
		return nil
	}
	return atomicfile.Write(c.path(name, "refs", name.Revision), func(w io.Writer) error {
		_, err := io.WriteString(w, commit)
		return err
	})
}

// Verify hashes the files of a model's folder in the cache and compares each with the
// hash that names it. Files that are no links into the cache cannot be checked.
func Verify(folder string) error {
	return filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		blob, err := filepath.EvalSymlinks(name)
		if err != nil {
			return err
		}
		want := filepath.Base(blob)
		if !hashForm.MatchString(want) {
			return nil
		}
		got, err := hashOf(blob, len(want))
		if err == nil && got != want {
			err = fmt.Errorf("%s has the hash %s, not %s: it is damaged, remove %s and get the model again", name, got, want, blob)
		}
		return err
	})
}

// hashOf returns the hash of a blob whose name has so many digits.
func hashOf(blob string, digits int) (string, error) {
	in, err := os.Open(blob)
	if err != nil {
		return "", err
	}
	defer in.Close()
	h := sha256.New()
	if digits == 40 {
		info, err := in.Stat()
		if err != nil {
			return "", err
		}
		h = sha1.New() //nolint:gosec // see above
		fmt.Fprintf(h, "blob %d\x00", info.Size())
	}
	if _, err := io.Copy(h, in); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
