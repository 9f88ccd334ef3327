package dataset

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// maxPage is the largest page of a Parquet file in bytes, unpacked. Writers make pages of
// about 1 MiB.
const maxPage = 256 << 20

// openChecked opens a Parquet file and compares its pages with their checksums; it
// returns how many have one.
func openChecked(file *os.File) (f *parquet.File, pages int, err error) {
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	var end [8]byte // the length of the footer, and the magic bytes
	if _, err := file.ReadAt(end[:], info.Size()-int64(len(end))); err != nil {
		return nil, 0, fmt.Errorf("not a readable Parquet file: %w; was it cut off?", err)
	}
	// The library would reserve whatever length the file claims.
	length := int64(binary.LittleEndian.Uint32(end[:]))
	if length > info.Size()-int64(len(end)) {
		return nil, 0, errors.New("not a readable Parquet file: its footer is longer than the file; was it cut off?")
	}
	var footer format.FileMetaData
	if err := decode(io.NewSectionReader(file, info.Size()-int64(len(end))-length, length), length, &footer); err != nil {
		return nil, 0, fmt.Errorf("not a readable Parquet file: the footer: %w", err)
	}
	if f, err = parquet.OpenFile(file, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true)); err != nil {
		return nil, 0, fmt.Errorf("not a readable Parquet file: %w", err)
	}
	pages, err = checkPages(file, f)
	return f, pages, err
}

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
		if err := decode(in, column.TotalCompressedSize, &header); err != nil {
			return 0, fmt.Errorf("the Parquet file is damaged (a page header of column %q: %w); copy or download it again", name, err)
		}
		if size := header.UncompressedPageSize; size < 0 || size > maxPage || header.CompressedPageSize < 0 {
			return 0, fmt.Errorf("a page of column %q has %d bytes, at most %d MiB are allowed; the file is damaged, or must be written with smaller pages", name, size, maxPage>>20)
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

// decode reads a record that lies within so many bytes.
func decode(in io.Reader, within int64, record any) error {
	const most = 1 << 22
	if _, buffered := in.(io.ByteReader); !buffered {
		in = bufio.NewReader(in)
	}
	reader := boundedReader{new(thrift.CompactProtocol).NewReader(in), int(min(within, most))}
	return thrift.NewDecoder(reader).Decode(record)
}

type thriftReader = thrift.Reader

// boundedReader refuses lists and texts that claim to be longer than what holds them, for
// which the library would reserve the memory.
type boundedReader struct {
	thriftReader
	most int // elements of a list, bytes of a text
}

func (r boundedReader) check(n int, err error) error {
	if err == nil && n > r.most {
		err = fmt.Errorf("a length of %d where %d are left", n, r.most)
	}
	return err
}

func (r boundedReader) ReadList() (thrift.List, error) {
	l, err := r.thriftReader.ReadList()
	return l, r.check(int(l.Size), err)
}

func (r boundedReader) ReadLength() (int, error) {
	n, err := r.thriftReader.ReadLength()
	return n, r.check(n, err)
}

func (r boundedReader) ReadBytes() ([]byte, error) {
	n, err := r.ReadLength()
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r.Reader(), b)
	return b, err
}

func (r boundedReader) ReadString() (string, error) {
	b, err := r.ReadBytes()
	return string(b), err
}
