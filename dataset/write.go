package dataset

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"rcvae/internal/atomicfile"
)

// PoolWriter writes a pool as JSON Lines. Fields that were read keep their order,
// and unknown ones their bytes. Exactly one of [PoolWriter.Close] and
// [PoolWriter.Abort] ends it; Abort after Close does nothing, so it can be deferred.
type PoolWriter struct {
	file     *atomicfile.File // nil when the stream belongs to the caller
	packer   io.WriteCloser
	buffered *bufio.Writer
	object   objectWriter
	err      error // the first one; it forbids Close to put the file in place
}

// CreatePool begins to write the pool at path, compressed if path ends in .gz or
// .zst. The file appears when the writer is closed.
func CreatePool(path string) (*PoolWriter, error) {
	file, err := atomicfile.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create pool: %w", err)
	}
	packer, err := pack(file, path)
	if err != nil {
		file.Abort()
		return nil, fmt.Errorf("create pool: %w", err)
	}
	w := NewPoolWriter(packer)
	w.file, w.packer = file, packer
	return w, nil
}

// NewPoolWriter returns a writer of an uncompressed pool. Close flushes it and does
// not close w.
func NewPoolWriter(w io.Writer) *PoolWriter {
	p := &PoolWriter{packer: nopWriteCloser{w}, buffered: bufio.NewWriterSize(w, 64<<10)}
	p.object.encoder = json.NewEncoder(&p.object.Buffer)
	p.object.encoder.SetEscapeHTML(false)
	return p
}

// Write appends one item. After an error the pool cannot be completed.
func (p *PoolWriter) Write(it Item) error {
	if p.err != nil {
		return p.err
	}
	p.object.Reset()
	if err := p.object.item(it); err != nil {
		p.err = fmt.Errorf("write item %q: %w", it.ID, err)
		return p.err
	}
	p.object.WriteByte('\n')
	if _, err := p.buffered.Write(p.object.Bytes()); err != nil {
		p.err = fmt.Errorf("write pool: %w", err)
	}
	return p.err
}

// Close completes the pool and puts the file in place. If that fails, or a write
// has failed, it leaves no file behind.
func (p *PoolWriter) Close() error {
	defer p.Abort()
	if p.err != nil {
		return p.err
	}
	err := p.buffered.Flush()
	if err == nil {
		err = p.packer.Close()
	}
	if err == nil && p.file != nil {
		err = p.file.Commit()
	}
	if err != nil {
		return fmt.Errorf("write pool: %w", err)
	}
	p.err = errors.New("the pool writer is closed")
	return nil
}

// Abort gives the pool up. A file that was at the path stays as it was.
func (p *PoolWriter) Abort() {
	if p.file != nil {
		p.file.Abort()
	}
	if p.err == nil {
		p.err = errors.New("the pool writer is closed")
	}
}
