package dataset

import (
	"bufio"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// checkPages compares the pages of a Parquet file with their checksums (CRC-32 over the
// page as it is stored) and returns how many pages have one. The library itself checks
// data pages alone, but short texts stand in dictionary pages.
func checkPages(file io.ReaderAt, f *parquet.File) (checked int, err error) {
	for _, group := range f.Metadata().RowGroups {
		for _, column := range group.Columns {
			n, err := checkColumn(file, f.Size(), &column.MetaData)
			if err != nil {
				return 0, err
			}
			checked += n
		}
	}
	return checked, nil
}

// checkColumn checks the pages of one column in one row group.
func checkColumn(file io.ReaderAt, size int64, column *format.ColumnMetaData) (checked int, err error) {
	name := strings.Join(column.PathInSchema, ".")
	begin := column.DataPageOffset
	if at := column.DictionaryPageOffset; at > 0 && at < begin {
		begin = at
	}
	if begin < 0 || column.TotalCompressedSize < 0 || begin+column.TotalCompressedSize > size {
		return 0, fmt.Errorf("the Parquet file is damaged (column %q lies outside of it); copy or download it again", name)
	}
	in := bufio.NewReader(io.NewSectionReader(file, begin, column.TotalCompressedSize))
	sum, values := crc32.NewIEEE(), int64(0)
	for {
		if _, err := in.Peek(1); err == io.EOF {
			break
		}
		var header format.PageHeader
		if err := thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(in)).Decode(&header); err != nil {
			return 0, fmt.Errorf("the Parquet file is damaged (a page header of column %q: %w); copy or download it again", name, err)
		}
		values += int64(header.DataPageHeader.V.NumValues) + int64(header.DataPageHeaderV2.V.NumValues)
		sum.Reset()
		if _, err := io.CopyN(sum, in, int64(header.CompressedPageSize)); err != nil {
			return 0, fmt.Errorf("the Parquet file is damaged (a page of column %q: %w); copy or download it again", name, err)
		}
		if header.CRC == 0 { // none was written
			continue
		}
		if sum.Sum32() != uint32(header.CRC) {
			return 0, fmt.Errorf("the Parquet file is damaged (a page of column %q does not match its checksum); copy or download it again", name)
		}
		checked++
	}
	if values != column.NumValues { // the checksums do not cover the headers of pages
		return 0, fmt.Errorf("the Parquet file is damaged (the pages of column %q have %d values instead of %d); copy or download it again", name, values, column.NumValues)
	}
	return checked, nil
}
