package main

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/spf13/cobra"

	"rcvae/eval"
	"rcvae/internal/atomicfile"
)

// detailsFile is the file of --details: JSON Lines, compressed if its name says so. Its
// methods may be called on nil, which is a command without the flag.
type detailsFile struct {
	file *atomicfile.File
	zip  *gzip.Writer // nil: not compressed
	enc  *json.Encoder
	err  error // the first one
}

func createDetails(cmd *cobra.Command) (*detailsFile, error) {
	path, _ := cmd.Flags().GetString("details")
	if path == "" {
		return nil, nil
	}
	return createDetailsFile(path)
}

func createDetailsFile(path string) (*detailsFile, error) {
	file, err := atomicfile.Create(path)
	if err != nil {
		return nil, err
	}
	d := &detailsFile{file: file, enc: json.NewEncoder(file)}
	if strings.HasSuffix(path, ".gz") {
		d.zip = gzip.NewWriter(file)
		d.enc = json.NewEncoder(d.zip)
	}
	d.enc.SetEscapeHTML(false)
	return d, nil
}

// hook returns the function that writes a question's details, or nil without the flag.
func (d *detailsFile) hook() func(eval.Details) {
	if d == nil {
		return nil
	}
	return func(details eval.Details) {
		if d.err == nil {
			d.err = d.enc.Encode(details)
		}
	}
}

// close puts the file in its place.
func (d *detailsFile) close() error {
	if d == nil {
		return nil
	}
	if d.zip != nil {
		d.err = errors.Join(d.err, d.zip.Close())
	}
	if d.err != nil {
		return d.err
	}
	return d.file.Commit()
}

// abort removes what was written, unless the file was closed.
func (d *detailsFile) abort() {
	if d != nil {
		d.file.Abort()
	}
}
