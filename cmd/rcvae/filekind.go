package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// What a file holds, as far as its beginning tells.
const (
	kindUnknown  = ""
	kindModel    = "a model or a matrix"
	kindPool     = "a pool"
	kindProblems = "a file of problems"
	kindLog      = "a training log"
	kindResult   = "a result of eval"
	kindDetails  = "details of an evaluation"
	kindDatabase = "an SQLite file"
	kindPage     = "a page"
)

// writtenBy says what each output of a command is. An existing file of another kind is
// not replaced by it.
var writtenBy = map[string]string{
	"rcvae train --out":       kindModel,
	"rcvae train --log":       kindLog,
	"rcvae eval --out":        kindResult,
	"rcvae eval --details":    kindDetails,
	"rcvae embed --out":       kindModel,
	"rcvae report --out":      kindPage,
	"rcvae pool import --out": kindPool,
	"rcvae pool grade --out":  kindPool,
}

// checkReplaced fails when the output of a command would replace a file of another kind,
// which another command made.
func checkReplaced(output, path string) error {
	want, known := writtenBy[output]
	if got := fileKindOf(path); known && got != kindUnknown && got != want {
		return usagef("%s is %s, and %s would replace it by %s; remove it first, or name another", path, got, output, want)
	}
	return nil
}

const sniffed = 1 << 20 // bytes

// fileKindOf looks at the beginning of a regular file. What cannot be read is unknown.
func fileKindOf(path string) string {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return kindUnknown
	}
	file, err := os.Open(path)
	if err != nil {
		return kindUnknown
	}
	defer file.Close()
	data, _ := io.ReadAll(io.LimitReader(unpacked(file), sniffed)) // what is damaged is judged by what can be read
	switch {
	case bytes.HasPrefix(data, []byte("SQLite format 3\x00")):
		return kindDatabase
	case bytes.HasPrefix(data, []byte("<")):
		return kindPage
	case bytes.HasPrefix(data, []byte("PAR1")):
		return kindPool
	case len(data) > 8 && data[8] == '{' && data[7] == 0: // safetensors: the header's length, and JSON
		return kindModel
	}
	return kindOfJSON(data)
}

// unpacked returns the content of a file that may be compressed.
func unpacked(file io.Reader) io.Reader {
	in := bufio.NewReader(file)
	magic, _ := in.Peek(4) // a shorter file is not compressed
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		if z, err := gzip.NewReader(in); err == nil {
			return z
		}
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		if z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20)); err == nil {
			return z.IOReadCloser()
		}
	}
	return in
}

// kindOfJSON tells by the names of the first object's fields.
func kindOfJSON(data []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return kindUnknown
	}
	fields := map[string]bool{}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			break
		}
		fields[key.(string)] = true // the keys of an object are strings
		var skipped json.RawMessage
		if decoder.Decode(&skipped) != nil { // cut off by the limit: the fields so far must do
			break
		}
	}
	switch {
	case fields["version"] && (fields["run"] || fields["pools"]):
		return kindResult
	case fields["epoch"] && fields["epochs"]:
		return kindLog
	case fields["candidates"] && fields["chosen"]:
		return kindDetails
	case fields["candidates"] && fields["question"]:
		return kindPool
	case fields["question"], fields["problem"]:
		return kindProblems
	}
	return kindUnknown
}
