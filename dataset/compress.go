package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	maxUnpacked   = 8 << 30   // bytes that a compressed file may unfold to
	maxZstdMemory = 128 << 20 // bytes of window that a zstd file may ask for
)

// unpack returns r's content decompressed, whichever of gzip (with several
// members), zstd and plain it is.
func unpack(r io.Reader) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	magic, err := buffered.Peek(peeked)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := misplaced(magic); err != nil {
		return nil, err
	}
	var unpacked io.ReadCloser
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		unpacked, err = gzip.NewReader(buffered)
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		var z *zstd.Decoder
		if z, err = zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdMemory)); err == nil {
			unpacked = z.IOReadCloser()
		}
	default:
		return io.NopCloser(buffered), nil
	}
	return &packedReader{unpacked, maxUnpacked}, explainPacked(err)
}

// CheckText says what a file is of whose first bytes, some forty, it can be told that it is
// no text: compressed, an archive, a database. Nil: it may be text.
func CheckText(begin []byte) error {
	switch {
	case bytes.HasPrefix(begin, []byte{0x1f, 0x8b}):
		return errors.New("this is compressed with gzip; unpack it first with gunzip")
	case bytes.HasPrefix(begin, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return errors.New("this is compressed with zstd; unpack it first with unzstd")
	}
	return misplaced(begin)
}

const peeked = 40 // bytes of a file that tell what it is

// misplaced says what to do with a file that is none of the formats of this package.
func misplaced(magic []byte) error {
	for begin, what := range map[string]string{
		"PAR1":                               "a Parquet file; load it by path",
		"version https://git-lfs.github.com": "a Git LFS pointer, which stands in a clone for the file itself; run 'git lfs pull' there, or download the file",
		"PK\x03\x04":                         "a zip archive; a log of inspect_ai is read by 'rcvae pool import --from inspect', another archive must be unpacked first",
		"\xfd7zXZ":                           "compressed with xz; unpack it first with xz -d",
		"BZh":                                "compressed with bzip2; unpack it first with bunzip2",
		"\x1f\x9d":                           "compressed with compress; unpack it first with uncompress",
		"\x04\x22\x4d\x18":                   "compressed with lz4; unpack it first with unlz4",
		"7z\xbc\xaf":                         "a 7-Zip archive; unpack it first",
		"SQLite format 3":                    "an SQLite database; export its rows as JSON Lines",
		"\xff\xfe":                           "text in UTF-16; convert it to UTF-8, for example with iconv -f UTF-16 -t UTF-8",
	} {
		if bytes.HasPrefix(magic, []byte(begin)) {
			return fmt.Errorf("this is %s", what)
		}
	}
	return nil
}

// packedReader limits what comes out of a decompressor and explains its errors.
type packedReader struct {
	io.ReadCloser
	left int64
}

func (p *packedReader) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	if p.left -= int64(n); p.left < 0 {
		return 0, fmt.Errorf("the file unfolds to more than %d GiB; split it", maxUnpacked>>30)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = explainPacked(err)
	}
	return n, err
}

// explainPacked says what a decompressor's error means for the file.
func explainPacked(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the compressed file is truncated (%w); copy or download it again", io.ErrUnexpectedEOF)
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return fmt.Errorf("the zstd file asks for more than %d MiB of memory; compress it again with a lower level: %w", maxZstdMemory>>20, err)
	}
	return fmt.Errorf("the compressed file is damaged (%w); copy or download it again", err)
}

// pack calls write with a writer to w that compresses as path's extension asks.
func pack(w io.Writer, path string, write func(w io.Writer) error) error {
	switch filepath.Ext(path) {
	case ".gz":
		z := gzip.NewWriter(w)
		return errors.Join(write(z), z.Close())
	case ".zst":
		z, err := zstd.NewWriter(w)
		if err != nil {
			return err
		}
		return errors.Join(write(z), z.Close())
	}
	return write(w)
}
