package dataset

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	kgzip "github.com/klauspost/compress/gzip"
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
	magic, err := buffered.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := kgzip.NewReader(buffered)
		if err != nil {
			return nil, explainPacked(err)
		}
		return &packedReader{reader: z, close: z.Close, left: maxUnpacked}, nil
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdMemory))
		if err != nil {
			return nil, explainPacked(err)
		}
		return &packedReader{reader: z, close: func() error { z.Close(); return nil }, left: maxUnpacked}, nil
	case bytes.Equal(magic, []byte("PAR1")):
		return nil, errors.New("this is a Parquet file; load it by path")
	}
	return io.NopCloser(buffered), nil
}

// packedReader limits what comes out of a decompressor and explains its errors.
type packedReader struct {
	reader io.Reader
	close  func() error
	left   int64
}

func (p *packedReader) Read(b []byte) (int, error) {
	n, err := p.reader.Read(b)
	if p.left -= int64(n); p.left < 0 {
		return 0, fmt.Errorf("the file unfolds to more than %d GiB; split it", maxUnpacked>>30)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = explainPacked(err)
	}
	return n, err
}

func (p *packedReader) Close() error { return p.close() }

// explainPacked says what a decompressor's error means for the file.
func explainPacked(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the compressed file is truncated (%w); copy or download it again", io.ErrUnexpectedEOF)
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return fmt.Errorf("the zstd file asks for more than %d MiB of memory; compress it again with a lower level: %w", maxZstdMemory>>20, err)
	}
	return fmt.Errorf("the compressed file is damaged (%w); copy or download it again", err)
}

// pack returns a writer that compresses as path's extension asks. Closing it does
// not close w.
func pack(w io.Writer, path string) (io.WriteCloser, error) {
	switch filepath.Ext(path) {
	case ".gz":
		return gzip.NewWriter(w), nil
	case ".zst":
		return zstd.NewWriter(w)
	}
	return nopWriteCloser{w}, nil
}

type nopWriteCloser struct{ io.Writer }

func (nopWriteCloser) Close() error { return nil }
