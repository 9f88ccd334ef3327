package foreign

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"rcvae"
	"rcvae/dataset"
)

// inspectForm is a log of inspect_ai: a .eval file, which is a zip archive with an entry
// per sample and epoch, or a .json file with all of them. The epochs of a sample are the
// candidates of a question.
var inspectForm = form{
	name:    "inspect",
	records: inspectRecords,
	read:    readInspect,
	names: map[string][]string{
		"id":         {"id"},
		"question":   {"input"},
		"answer":     {"target"},
		"candidates": {"output.choices", "output.completion"},
		"model":      {"output.model"},
	},
}

// inspectTask finds the task in the name of a log: ids of samples count from 1 in each.
var inspectTask = regexp.MustCompile(`^\d{4}-\d\d-\d\dT[-+\d]+_(.+)_[0-9A-Za-z]{22}\.`)

func readInspect(im *importer, o *object) (sample, error) {
	if failed := o.at("error"); failed != nil {
		return sample{}, fmt.Errorf("the sample ended with an error: %.200s", textOf(at(failed, "message")))
	}
	q, err := o.question()
	if err != nil {
		return sample{}, err
	}
	epoch := fmt.Sprintf("sample %s, epoch %s,", q.ID, textOf(o.at("epoch")))
	if task := inspectTask.FindStringSubmatch(filepath.Base(im.path)); task != nil {
		q.ID = task[1] + "-" + q.ID
	}
	q.Question += choicesOf(listOf(o.at("choices")))
	attachments, _ := o.at("attachments").(map[string]any)
	resolve(&q.Question, attachments)
	for i := range q.Candidates {
		resolve(&q.Candidates[i].Text, attachments)
	}
	if c := &q.Candidates[0]; len(q.Candidates) == 1 {
		if c.Verdict == rcvae.Ungraded {
			c.Verdict = scoreOf(o)
		}
		c.Tokens, _ = strconv.Atoi(textOf(o.at("output.usage.output_tokens")))
	}
	return sample{Question: q, once: epoch}, nil
}

// choicesOf writes the choices below a question.
func choicesOf(choices []any) string {
	var b strings.Builder
	for i, choice := range choices {
		fmt.Fprintf(&b, "\n%c) %s", 'A'+i, textOf(choice))
	}
	return b.String()
}

// resolve replaces a reference to an attachment by its text.
func resolve(text *string, attachments map[string]any) {
	if name, ok := strings.CutPrefix(*text, "attachment://"); ok && attachments[name] != nil {
		*text = textOf(attachments[name])
	}
}

// scoreOf returns the verdict of the first scorer, by name, that has one.
func scoreOf(o *object) rcvae.Verdict {
	scores, _ := o.at("scores").(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(scores)) {
		if v := verdictOf(at(scores[name], "value")); v != rcvae.Ungraded {
			return v
		}
	}
	return verdictOf(o.at("score.value")) // logs of version 1
}

// inspectRecords yields the samples of a log.
func inspectRecords(path string) iter.Seq2[dataset.Record, error] {
	return func(yield func(dataset.Record, error) bool) {
		archive, err := zip.OpenReader(path)
		if errors.Is(err, zip.ErrFormat) {
			dataset.RecordsIn(path, "samples")(yield)
			return
		}
		if err != nil {
			yield(dataset.Record{}, fmt.Errorf("load records: %w", err))
			return
		}
		defer archive.Close()
		archive.RegisterDecompressor(zstd.ZipMethodWinZip, zstd.ZipDecompressor(zstd.WithDecoderMaxMemory(maxEntry), zstd.WithDecoderConcurrency(1)))
		for i, entry := range samplesOf(archive.File) {
			text, err := readEntry(entry)
			if err != nil {
				err = &dataset.LineError{File: path, Line: i + 1, Err: fmt.Errorf("%s: %w", entry.Name, err)}
			}
			if !yield(dataset.Record{Line: i + 1, JSON: text}, err) {
				return
			}
		}
	}
}

var sampleEntry = regexp.MustCompile(`^samples/(.+)_epoch_(\d+)\.json$`)

// samplesOf returns the entries with samples by id and epoch: the archive has them in
// the order in which they were finished.
func samplesOf(entries []*zip.File) []*zip.File {
	entries = slices.DeleteFunc(slices.Clone(entries), func(f *zip.File) bool { return !sampleEntry.MatchString(f.Name) })
	slices.SortStableFunc(entries, func(a, b *zip.File) int {
		x, y := sampleEntry.FindStringSubmatch(a.Name), sampleEntry.FindStringSubmatch(b.Name)
		if x[1] != y[1] {
			return compareNumbers(x[1], y[1])
		}
		return compareNumbers(x[2], y[2])
	})
	return entries
}

// compareNumbers orders whole numbers by value, and other texts behind them.
func compareNumbers(a, b string) int {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	switch {
	case errX == nil && errY == nil:
		return x - y
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return strings.Compare(a, b)
}

const maxEntry = 64 << 20 // bytes of one sample

func readEntry(entry *zip.File) ([]byte, error) {
	r, err := entry.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxEntry+1))
	if err != nil {
		return nil, fmt.Errorf("the archive is damaged (%w); copy it again", err)
	}
	if len(text) > maxEntry {
		return nil, fmt.Errorf("the sample is longer than %d MiB", maxEntry>>20)
	}
	return text, dataset.CheckJSON(text)
}
