package dataset

import (
	"fmt"
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
	return func(yield func(Record, error) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield(Record{}, fmt.Errorf("load records: %w", err))
			return
		}
		defer file.Close()
		for l, err := range records(file, path) {
			if !yield(Record{l.number, l.text}, err) {
				return
			}
		}
	}
}
