package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Encode returns the file's bytes. They depend on the content alone: metadata keys
// are sorted, tensors keep their order, and the data begins at a multiple of 8.
// Tensors of wider elements should come first, so that all of them are aligned.
func (f *File) Encode() ([]byte, error) {
	header, size, err := f.header()
	if err != nil {
		return nil, fmt.Errorf("encode safetensors: %w", err)
	}
	out := make([]byte, 0, 8+len(header)+size)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(header)))
	out = append(out, header...)
	for _, t := range f.Tensors {
		out = append(out, t.Data...)
	}
	return out, nil
}

// header returns the JSON header, padded with spaces, and the bytes of all data.
func (f *File) header() (header []byte, size int, err error) {
	var b bytes.Buffer
	b.WriteByte('{')
	if len(f.Metadata) > 0 {
		if err := f.checkMetadata(); err != nil {
			return nil, 0, err
		}
		if err := writeMember(&b, metadataKey, f.Metadata); err != nil {
			return nil, 0, err
		}
	}
	seen := make(map[string]bool, len(f.Tensors))
	for _, t := range f.Tensors {
		if t.Name == metadataKey || seen[t.Name] || !utf8.ValidString(t.Name) {
			return nil, 0, fmt.Errorf("tensor %q: name is reserved, used twice or not UTF-8", t.Name)
		}
		seen[t.Name] = true
		if err := t.check(); err != nil {
			return nil, 0, err
		}
		entry := struct {
			DType   string `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}{t.DType, append([]int{}, t.Shape...), [2]int{size, size + len(t.Data)}}
		if err := writeMember(&b, t.Name, entry); err != nil {
			return nil, 0, err
		}
		size += len(t.Data)
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len() > maxHeader {
		return nil, 0, fmt.Errorf("header of %d bytes, at most %d allowed", b.Len(), maxHeader)
	}
	return b.Bytes(), size, nil
}

// checkMetadata refuses what JSON would silently change.
func (f *File) checkMetadata() error {
	for key, value := range f.Metadata {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return errors.New("metadata is not UTF-8")
		}
	}
	return nil
}

// writeMember appends `"key":value` to an object that b has opened.
func writeMember(b *bytes.Buffer, key string, value any) error {
	if b.Len() > 1 {
		b.WriteByte(',')
	}
	k, err := json.Marshal(key)
	if err != nil {
		return err
	}
	v, err := json.Marshal(value)
	if err != nil {
		return err
	}
	b.Write(k)
	b.WriteByte(':')
	b.Write(v)
	return nil
}
