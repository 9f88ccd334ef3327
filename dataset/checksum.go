package dataset

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rcvae/internal/atomicfile"
)

// checksumOf is the file beside a pool with its SHA-256, in the form of sha256sum.
func checksumOf(path string) string { return path + ".sha256" }

// Integrity says what vouches for the bytes of a file.
type Integrity struct {
	Checksum bool // the file beside it has its SHA-256
	Pages    int  // of a Parquet file, with a checksum that matches
}

// CheckFile compares a file with the checksum beside it, which [SavePool] writes, and
// with the checksums of its pages, if it is Parquet. A mismatch is an error; that there
// is no checksum is none.
func CheckFile(path string) (found Integrity, err error) {
	file, err := os.Open(path)
	if err != nil {
		return found, fmt.Errorf("check: %w", err)
	}
	defer file.Close()
	want, err := readChecksum(path)
	if err != nil {
		return found, err
	}
	if found.Checksum = want != ""; found.Checksum {
		sum := sha256.New()
		if _, err := io.Copy(sum, file); err != nil {
			return found, fmt.Errorf("check %s: %w", path, err)
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != want {
			return found, fmt.Errorf("check %s: the SHA-256 is %s, and %s has %s: the file was changed or damaged since it was written", path, got, checksumOf(path), want)
		}
	}
	if isParquet(file) {
		found.Pages, err = checkParquet(file, path)
	}
	return found, err
}

func checkParquet(file *os.File, path string) (pages int, err error) {
	defer explainPanic(&err)
	if _, pages, err = openChecked(file); err != nil {
		return 0, fmt.Errorf("check %s: %w", path, err)
	}
	return pages, nil
}

// readChecksum returns the recorded SHA-256, or "" if there is none.
func readChecksum(path string) (string, error) {
	text, err := os.ReadFile(checksumOf(path))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	sum, _, _ := strings.Cut(string(text), " ")
	if _, bad := hex.DecodeString(sum); err == nil && (bad != nil || len(sum) != 2*sha256.Size) {
		err = fmt.Errorf("%s does not begin with a SHA-256; remove it, or write it anew with sha256sum", checksumOf(path))
	}
	return sum, err
}

// writeSummed replaces the file at path, and the checksum beside it. While the file is
// being replaced there is no checksum, so that an old one never stands beside it.
func writeSummed(path string, write func(w io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // a pipe or a device
		return atomicfile.Write(path, write)
	}
	sum := sha256.New()
	err := atomicfile.Write(path, func(w io.Writer) error {
		buffered := bufio.NewWriterSize(io.MultiWriter(w, sum), 64<<10)
		if err := errors.Join(write(buffered), buffered.Flush()); err != nil {
			return err
		}
		if err := os.Remove(checksumOf(path)); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	return atomicfile.Write(checksumOf(path), func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%x  %s\n", sum.Sum(nil), filepath.Base(path))
		return err
	})
}
