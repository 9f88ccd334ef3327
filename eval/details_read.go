package eval

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"

	"github.com/klauspost/compress/gzip"
)

// maxDetails bounds a line of details in bytes.
const maxDetails = 256 << 20

// ReadDetails reads details.jsonl or details.jsonl.gz, line by line; the first bytes say
// which. Errors name the file, called name, and the line, and end the sequence.
func ReadDetails(r io.Reader, name string) iter.Seq2[Details, error] {
	return func(yield func(Details, error) bool) {
		plain, err := decompress(r)
		if err != nil {
			yield(Details{}, fmt.Errorf("%s: %w", name, err))
			return
		}
		lines := bufio.NewScanner(plain)
		lines.Buffer(make([]byte, 1<<20), maxDetails)
		n := 0
		for lines.Scan() {
			n++
			d, err := parseDetails(lines.Bytes())
			if err != nil {
				err = fmt.Errorf("%s:%d: %w", name, n, err)
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Details{}, fmt.Errorf("%s:%d: %w", name, n+1, err))
		}
	}
}

// parseDetails reads one line.
func parseDetails(line []byte) (d Details, err error) {
	if err := json.Unmarshal(line, &d); err != nil {
		return d, fmt.Errorf("decode details: %w", err)
	}
	return d, d.Validate()
}

// Validate checks the version, and that every value belongs to something: signals to
// columns, choices to candidates.
func (d Details) Validate() error {
	if d.Version != DetailsVersion {
		return fmt.Errorf("details have format version %d, this program reads %d; run rcvae eval --details again", d.Version, DetailsVersion)
	}
	for i, c := range d.Candidates {
		if len(c.Signals) != len(d.Signals) {
			return fmt.Errorf("candidate %d has %d signals, the line names %d", i, len(c.Signals), len(d.Signals))
		}
	}
	for _, x := range d.Chosen {
		for _, i := range append([]int{x.Best}, x.Tied...) {
			if i < 0 || i >= len(d.Candidates) {
				return fmt.Errorf("rule %s chose candidate %d of %d", x.Rule, i, len(d.Candidates))
			}
		}
	}
	return nil
}

// decompress undoes gzip.
func decompress(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	if magic, err := buffered.Peek(2); err != nil || magic[0] != 0x1f || magic[1] != 0x8b {
		return buffered, nil // an empty file has no lines
	}
	return gzip.NewReader(buffered)
}
