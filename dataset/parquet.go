package dataset

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"rcvae"
)

// parquetRows yields the problems of a Parquet file whose columns have the names
// of the JSON forms, as the published files of GSM8K and MATH do.
func parquetRows(file *os.File, name string, seen ids) iter.Seq2[rcvae.Problem, error] {
	return func(yield func(rcvae.Problem, error) bool) {
		next, err := openParquet(file)
		if err != nil {
			yield(rcvae.Problem{}, fmt.Errorf("%s: %w", name, err))
			return
		}
		for row := 1; ; row++ {
			fields, err := next()
			if errors.Is(err, io.EOF) {
				return
			}
			var p rcvae.Problem
			if err == nil {
				p, err = newProblem(fields)
			}
			err = seen.settle(&p, name, row, err)
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// openParquet returns a function that reads the known columns of the next row.
func openParquet(file *os.File) (next func() (map[string]string, error), err error) {
	defer explainPanic(&err)
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	f, err := parquet.OpenFile(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("not a readable Parquet file: %w", err)
	}
	columns := make(map[int]string)
	for i, path := range f.Schema().Columns() {
		if len(path) == 1 && slices.Contains(problemFields, path[0]) {
			columns[i] = path[0]
		}
	}
	if len(columns) == 0 {
		return nil, errors.New(`no column "question" or "problem"`)
	}
	reader := parquet.NewReader(f)
	rows := make([]parquet.Row, 1)
	return func() (fields map[string]string, err error) {
		defer explainPanic(&err)
		n, err := reader.ReadRows(rows)
		if n == 0 {
			if err == nil {
				err = io.ErrNoProgress
			}
			return nil, err
		}
		return parquetFields(rows[0], columns)
	}, nil
}

func parquetFields(row parquet.Row, columns map[int]string) (map[string]string, error) {
	fields := make(map[string]string)
	for _, value := range row {
		name, known := columns[value.Column()]
		if !known || value.IsNull() {
			continue
		}
		switch value.Kind() {
		case parquet.ByteArray:
			fields[name] = string(value.ByteArray())
		case parquet.Int32:
			fields[name] = strconv.Itoa(int(value.Int32()))
		case parquet.Int64:
			fields[name] = strconv.FormatInt(value.Int64(), 10)
		case parquet.Double:
			fields[name] = strconv.FormatFloat(value.Double(), 'g', -1, 64)
		default:
			return nil, fmt.Errorf("column %q: text is expected, found %v", name, value.Kind())
		}
	}
	return fields, nil
}

// explainPanic turns a panic into an error: the library panics on some damaged
// files.
func explainPanic(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the Parquet file is damaged (%v); copy or download it again", r)
	}
}
