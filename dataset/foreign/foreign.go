// Package foreign reads what other tools write, evaluation logs and dumps of
// completions, as the questions of a pool.
//
// Each tool has one short file: a table of where its records hold the fields of a pool,
// and what the table cannot say. Records are JSON in JSON Lines, in an array, in a zip
// archive, or rows of Parquet. They are read one by one; what is kept is the pool.
package foreign

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"rcvae"
	"rcvae/dataset"
)

// Options say how files are read. The zero value is ready to use.
type Options struct {
	// Fields maps a field of a pool (see [Fields]) to where the records have it: a name,
	// or names and positions with dots between them, such as "doc.question" or
	// "prompt.0.content". An empty value says that the records do not have the field.
	Fields map[string]string

	// Problems supply questions and reference answers that the files lack. A problem is
	// found by its id, or by the text of its question.
	Problems []rcvae.Problem

	KeepExtra bool // keep the fields of records that have no place in a pool
	SkipBad   bool // leave out records that cannot be read, and report them
}

// Report says what was read.
type Report struct {
	Records    int      // that were read
	Skipped    int      // records that were left out because they are bad
	Bad        []error  // the first of these, at most 20, each with its file and line
	NoAnswer   int      // questions without a reference answer
	Ungraded   int      // candidates without a verdict
	Questions  int      //
	Candidates int      //
	Notes      []string // what else was left out, a sentence each
}

const maxBad = 20

// Formats returns the names of the tools, in alphabetical order.
func Formats() []string {
	var names []string
	for _, f := range forms {
		names = append(names, f.name)
	}
	return names
}

// form is how one tool writes its records.
type form struct {
	name    string
	names   map[string][]string // where the fields of a pool are; the first that is there counts
	byText  bool                // equal texts are one question, whatever their ids
	records func(path string) iter.Seq2[dataset.Record, error]
	prepare func(im *importer, paths []string) error // nil: nothing to prepare
	read    func(im *importer, o *object) (sample, error)
}

var forms = []*form{&completionsForm, &inspectForm, &lightevalForm, &lmEvalForm, &batchForm}

// sample is what one record says: a question, and one or several candidates for it.
type sample struct {
	rcvae.Question
	once string // what must not occur twice in a file; empty: anything may
	skip bool   // the record adds nothing
}

// Import reads files of the named format as one pool: records of one question, in
// whichever file they stand, are joined in the order in which they are read. An error
// names the file and the line.
func Import(format string, paths []string, o Options) ([]rcvae.Question, Report, error) {
	at := slices.IndexFunc(forms, func(f *form) bool { return f.name == format })
	if at < 0 {
		return nil, Report{}, fmt.Errorf("unknown format %q; known are %s", format, strings.Join(Formats(), ", "))
	}
	im, err := newImporter(forms[at], o)
	if err != nil {
		return nil, Report{}, err
	}
	if im.form.prepare != nil {
		if err := im.form.prepare(im, paths); err != nil {
			return nil, Report{}, err
		}
	}
	for _, path := range paths {
		if err := im.file(path); err != nil {
			return nil, Report{}, err
		}
	}
	if len(im.questions) == 0 {
		return nil, Report{}, fmt.Errorf("%s: no candidates were found, %d records were read as %s and %d were bad", strings.Join(paths, ", "), im.report.Records, format, im.report.Skipped)
	}
	return im.questions, im.summary(), nil
}

// file reads the records of one file.
func (im *importer) file(path string) error {
	im.path, im.once = path, map[string]int{}
	for record, err := range im.form.records(path) {
		if err == nil {
			im.line = record.Line
			im.report.Records++
			if err = im.record(record); err != nil {
				err = &dataset.LineError{File: path, Line: record.Line, Err: err}
			}
		}
		if err == nil {
			continue
		}
		if _, ok := errors.AsType[*dataset.LineError](err); !ok || !im.SkipBad {
			return err
		}
		if im.report.Skipped++; len(im.report.Bad) < maxBad {
			im.report.Bad = append(im.report.Bad, err)
		}
	}
	return nil
}

// record reads one record and adds it to the pool.
func (im *importer) record(record dataset.Record) error {
	o, err := im.parse(record.JSON)
	if err != nil {
		return err
	}
	s, err := im.form.read(im, o)
	if err != nil || s.skip {
		return err
	}
	if s.once != "" {
		if line, ok := im.once[s.once]; ok {
			return fmt.Errorf("%s occurs twice, first in record %d; the file has records twice", s.once, line)
		}
		im.once[s.once] = im.line
	}
	if im.KeepExtra {
		o.keepExtra(&s.Question)
	}
	return im.add(s.Question)
}

func (im *importer) summary() Report {
	empty := 0
	for _, q := range im.questions {
		im.report.Candidates += len(q.Candidates)
		im.report.Ungraded += q.Count(rcvae.Ungraded)
		if q.Answer == "" {
			im.report.NoAnswer++
		}
		for _, c := range q.Candidates {
			if c.Text == "" {
				empty++
			}
		}
	}
	if empty > 0 {
		im.note(fmt.Sprintf("%d candidates have an empty text, as a server writes it that puts all it says into reasoning_content, or cuts it off there", empty))
	}
	im.report.Questions = len(im.questions)
	return im.report
}
