package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// extraColumn holds, in the Parquet pools that this package writes, the JSON object of
// the fields that it does not know.
const extraColumn = "extra_json"

// isParquet reports whether the file begins as Parquet files do.
func isParquet(file *os.File) bool {
	magic := make([]byte, 4)
	n, _ := file.ReadAt(magic, 0)
	return string(magic[:n]) == "PAR1"
}

// parquetLines yields the rows of a Parquet file as JSON objects, after it has checked
// the checksums of the pages. After a row with bad text, the next one can be read. A row has the columns that are not null; nested columns are objects and
// arrays.
func parquetLines(file *os.File, name string) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		next, binary, err := openParquet(file)
		if err != nil {
			yield(line{}, fmt.Errorf("%s: %w", name, err))
			return
		}
		for number := 1; ; number++ {
			row, err := next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(line{}, &LineError{name, number, err})
				return
			}
			text, err := rowJSON(row, binary)
			if err != nil {
				err = &LineError{name, number, err}
			}
			if !yield(line{number, text}, err) {
				return
			}
		}
	}
}

// openParquet returns a function that reads the next row, and the columns whose bytes are
// not declared to be text.
func openParquet(file *os.File) (next func() (map[string]any, error), binary map[string]bool, err error) {
	defer explainPanic(&err)
	f, _, err := openChecked(file)
	if err != nil {
		return nil, nil, err
	}
	reader := parquet.NewGenericReader[any](f)
	rows := make([]any, 1)
	return func() (row map[string]any, err error) {
		defer explainPanic(&err)
		n, err := reader.Read(rows)
		if n == 0 {
			if err == nil {
				err = io.ErrNoProgress
			}
			return nil, err
		}
		row, ok := rows[0].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("the row is a %T instead of columns", rows[0])
		}
		return row, nil
	}, binaryColumns(f.Schema()), nil
}

// binaryColumns are the columns of bytes that are not declared to be text, by their path
// as [cleanRow] builds it.
func binaryColumns(schema *parquet.Schema) map[string]bool {
	binary := make(map[string]bool)
	for _, path := range schema.Columns() {
		leaf, _ := schema.Lookup(path...)
		if kind := leaf.Node.Type(); kind.Kind() == parquet.ByteArray && kind.LogicalType() == nil {
			binary[listLevels.ReplaceAllString(strings.Join(path, "."), "")] = true
		}
	}
	return binary
}

// listLevels are the two levels of columns that every list adds.
var listLevels = regexp.MustCompile(`\.list\.(element|item)`)

func rowJSON(row map[string]any, binary map[string]bool) ([]byte, error) {
	if err := cleanRow(row, "", binary); err != nil {
		return nil, err
	}
	return json.Marshal(row)
}

// cleanRow makes of a row what JSON can hold: nulls and NaN, which pandas writes for an
// unknown number, are removed and so are bytes that are not text. Text that is not
// UTF-8 is an error.
func cleanRow(row map[string]any, path string, binary map[string]bool) error {
	for name, value := range row {
		clean, err := cleanValue(value, path+name, binary)
		if err != nil {
			return err
		}
		if clean == nil {
			delete(row, name)
			continue
		}
		row[name] = clean
	}
	if text, ok := row[extraColumn].(string); ok {
		return mergeExtra(row, text)
	}
	return nil
}

func cleanValue(value any, path string, binary map[string]bool) (any, error) {
	switch v := value.(type) {
	case map[string]any:
		return v, cleanRow(v, path+".", binary)
	case []any:
		for i, element := range v {
			clean, err := cleanValue(element, path, binary)
			if err != nil {
				return nil, err
			}
			v[i] = clean
		}
	case string:
		if !utf8.ValidString(v) && binary[path] {
			return nil, nil
		}
		if !utf8.ValidString(v) {
			return nil, fmt.Errorf("column %q: the text is not UTF-8; the file is damaged or was written from another encoding", path)
		}
	case float64:
		if math.IsNaN(v) {
			return nil, nil
		}
	case float32:
		if math.IsNaN(float64(v)) {
			return nil, nil
		}
	}
	return value, nil
}

// mergeExtra puts the fields of a JSON object beside the columns of a row.
func mergeExtra(row map[string]any, object string) error {
	if err := checkJSON([]byte(object)); err != nil {
		return fmt.Errorf("column %q: %w", extraColumn, err)
	}
	f, err := parseFields([]byte(object))
	if err != nil {
		return fmt.Errorf("column %q: %w", extraColumn, err)
	}
	delete(row, extraColumn)
	for name, value := range f.raw {
		if _, ok := row[name]; !ok {
			row[name] = value
		}
	}
	return nil
}

// explainPanic turns a panic into an error: the library panics on some damaged
// files.
func explainPanic(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the Parquet file is damaged (%v); copy or download it again", r)
	}
}
