package dataset

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
)

// Record is one JSON value of a file, whatever it means: a line of JSON Lines, an
// element of a JSON array, or a row of Parquet, whose columns are the fields of an
// object, without those that are null.
type Record struct {
	Line int    // from 1; the element of an array, the row of Parquet
	JSON []byte // UTF-8; valid until the next record is read
}

// Records yields the records of the file, which may be compressed. An error is a
// [*LineError] where it belongs to one record; where the others can still be read, they
// follow. The limits are those of the package: 64 MiB per record.
func Records(path string) iter.Seq2[Record, error] {
	return opened(path, func(file *os.File, yield func(Record, error) bool) {
		for l, err := range records(file, path) {
			if !yield(Record{l.number, l.text}, err) {
				return
			}
		}
	})
}

// RecordsIn yields the elements of the array that stands under key in the one JSON
// object of a file, which may be compressed. Errors are as those of [Records].
func RecordsIn(path, key string) iter.Seq2[Record, error] {
	return opened(path, func(file *os.File, yield func(Record, error) bool) {
		if err := elementsIn(file, path, key, func(l line, err error) bool { return yield(Record{l.number, l.text}, err) }); err != nil {
			yield(Record{}, fmt.Errorf("%s: %w", path, err))
		}
	})
}

// opened opens a file while its records are read.
func opened(path string, read func(file *os.File, yield func(Record, error) bool)) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield(Record{}, fmt.Errorf("load records: %w", err))
			return
		}
		defer file.Close()
		read(file, yield)
	}
}

func elementsIn(r io.Reader, name, key string, yield func(line, error) bool) error {
	unpacked, err := unpack(r)
	if err != nil {
		return err
	}
	defer unpacked.Close()
	limited := &limitedReader{unpacked, maxLine}
	decoder := json.NewDecoder(limited)
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return fmt.Errorf("a JSON object with the field %q is expected here", key)
	}
	for decoder.More() {
		limited.left = maxLine
		token, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("not JSON: %w", err)
		}
		if token == key {
			if open, err := decoder.Token(); err != nil || open != json.Delim('[') {
				return fmt.Errorf("field %q: an array is expected", key)
			}
			if _, ok := eachElement(decoder, limited, name, yield); ok {
				_, err = decoder.Token() // the bracket
			}
			return err
		}
		if err := decoder.Decode(new(json.RawMessage)); err != nil {
			return fmt.Errorf("not JSON in the field %v: %w; was the file cut off?", token, err)
		}
	}
	return fmt.Errorf("the JSON object has no field %q", key)
}
