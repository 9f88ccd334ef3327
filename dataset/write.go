package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"rcvae"
)

// logProbFields are the fields of [rcvae.LogProb], in its order.
var logProbFields = [...]string{"sum_logprob", "tail_logprob", "min_window_logprob"}

// AppendQuestion appends one line of a pool to dst, with its newline: the fields that
// this package knows in a fixed order, without those that are empty, then Extra by name.
func AppendQuestion(dst []byte, q rcvae.Question) ([]byte, error) {
	if q.Question == "" {
		return dst, fmt.Errorf("write question %q: its text is empty", q.ID)
	}
	var o object
	o.put("id", q.ID)
	o.put("question", q.Question)
	some(&o, "solution", q.Solution)
	some(&o, "answer", q.Answer)
	some(&o, "subject", q.Subject)
	some(&o, "level", q.Level)
	candidates := make([]json.RawMessage, len(q.Candidates))
	for i, c := range q.Candidates {
		var err error
		if candidates[i], err = encodeCandidate(c); err != nil {
			return dst, fmt.Errorf("write question %q: candidate %d: %w", q.ID, i+1, err)
		}
	}
	o.put("candidates", candidates)
	text, err := o.close(q.Extra)
	if err != nil {
		return dst, fmt.Errorf("write question %q: %w", q.ID, err)
	}
	return append(append(dst, text...), '\n'), nil
}

func encodeCandidate(c rcvae.Candidate) ([]byte, error) {
	var o object
	o.put("text", c.Text)
	if c.Answer == "" && c.AnswerFrom == NoAnswer {
		o.put("answer", nil)
	}
	some(&o, "answer", c.Answer)
	some(&o, "answer_from", c.AnswerFrom)
	if c.Verdict != rcvae.Ungraded {
		o.put("correct", c.Verdict == rcvae.Correct)
	}
	some(&o, "model", c.Model)
	some(&o, "sampler", c.Sampler)
	some(&o, "finish", c.Finish)
	some(&o, "n_tokens", c.Tokens)
	if p := c.LogProb; p != nil {
		for i, x := range [...]float64{p.Sum, p.Tail, p.MinWindow} {
			o.put(logProbFields[i], x)
		}
	}
	return o.close(c.Extra)
}

// object builds a JSON object on one line.
type object struct {
	text bytes.Buffer
	keys []string
	err  error // the first one
}

// put adds a field, unless the object has it already.
func (o *object) put(key string, value any) {
	if slices.Contains(o.keys, key) || o.err != nil {
		return
	}
	o.text.WriteByte("{,"[min(len(o.keys), 1)])
	o.keys = append(o.keys, key)
	encoder := json.NewEncoder(&o.text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(key) // a string always encodes, into memory
	o.text.Truncate(o.text.Len() - len("\n"))
	o.text.WriteByte(':')
	if err := encoder.Encode(value); err != nil {
		o.err = fmt.Errorf("field %q: %w", key, err)
		return
	}
	o.text.Truncate(o.text.Len() - len("\n"))
}

// some adds a field unless it is empty.
func some[T comparable](o *object, key string, value T) {
	var empty T
	if value != empty {
		o.put(key, value)
	}
}

// close adds the fields of extra and ends the object.
func (o *object) close(extra rcvae.Extra) ([]byte, error) {
	for _, key := range slices.Sorted(maps.Keys(extra)) {
		o.put(key, extra[key])
	}
	o.text.WriteByte('}')
	return o.text.Bytes(), o.err
}

// WritePool writes an uncompressed pool.
func WritePool(w io.Writer, questions []rcvae.Question) error {
	var line []byte
	for _, q := range questions {
		var err error
		if line, err = AppendQuestion(line[:0], q); err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return fmt.Errorf("write pool: %w", err)
		}
	}
	return nil
}

// SavePool writes the pool to path: Parquet if path ends in .parquet, else JSON Lines,
// compressed if it ends in .gz or .zst. Beside it stands path.sha256 for [CheckFile].
// After an error the file is what it was before.
func SavePool(path string, questions []rcvae.Question) error {
	err := writeSummed(path, func(w io.Writer) error {
		if filepath.Ext(path) == ".parquet" {
			return writeTable(w, questions)
		}
		return pack(w, path, func(w io.Writer) error { return WritePool(w, questions) })
	})
	if err != nil {
		return fmt.Errorf("save pool: %w", err)
	}
	return nil
}
