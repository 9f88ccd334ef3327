package queue

import (
	"encoding/hex"
	"fmt"
	"rcvae/embed"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a chunk.
const (
	mostTexts  = 64
	leastTexts = 8
	chunkBytes = 512 << 10
	fewTexts   = 16 // are embedded here: sending them takes longer
)

// plan makes chunks of the missing texts that no job of an earlier run holds. Jobs of which
// nothing is wanted are dropped; texts that fit into no message are embedded here.
func (s *spreading) plan(texts []embed.Keyed, left []Left) (work Work, drop []Left, here []embed.Keyed) {
	work.Commit, work.Split = s.commit, s.split
	planned := map[embed.Key]bool{}
	for _, l := range left {
		held, err := decodeEmbedJob(l.Data, s.Fingerprint())
		wanted := err == nil && !slices.ContainsFunc(held, func(t embed.Keyed) bool {
			_, missing := s.missing[t.Key]
			return !missing || planned[t.Key]
		})
		if !wanted {
			drop = append(drop, l)
			continue
		}
		for _, t := range held {
			planned[t.Key] = true
		}
		work.Adopt = append(work.Adopt, l)
	}
	rest := slices.DeleteFunc(slices.Clone(texts), func(t embed.Keyed) bool {
		_, missing := s.missing[t.Key]
		return !missing || planned[t.Key] || s.failed[t.Key] != ""
	})
	limit := s.coordinator.maxMessage()
	rest, here = s.fitting(rest, limit)
	for _, chunk := range s.chunks(rest, limit) {
		work.Jobs = append(work.Jobs, s.job(chunk))
	}
	return work, drop, here
}

// size bounds the bytes that a text takes in a job.
func (s *spreading) size(t embed.Keyed) int {
	n := len(t.Text.Text)
	if s.Fingerprint().InContext {
		n += len(t.Text.Question)
	}
	return 6*n + 64 // every byte may be escaped
}

// fitting returns the texts that a message can hold, and the others: those that are too
// long, and those that JSON would change.
func (s *spreading) fitting(texts []embed.Keyed, limit int) (fit, others []embed.Keyed) {
	for _, t := range texts {
		if utf8.ValidString(t.Text.Text) && utf8.ValidString(t.Text.Question) && (s.size(t) <= limit || s.encoded(t) <= limit) {
			fit = append(fit, t)
		} else {
			others = append(others, t)
		}
	}
	return fit, others
}

// encoded returns the bytes of a job with the text alone.
func (s *spreading) encoded(t embed.Keyed) int { return len(s.job([]embed.Keyed{t}).Data) }

// chunks cuts the texts into chunks that fit into messages, and whose results do.
func (s *spreading) chunks(texts []embed.Keyed, limit int) [][]embed.Keyed {
	row := 4*s.Fingerprint().Dimension + len(embed.Key{})
	most := max(min(max(len(texts)/mostTexts, leastTexts), mostTexts, limit/row), 1)
	var out [][]embed.Keyed
	bytes := 0
	for _, t := range texts {
		n := len(t.Text.Text) + len(t.Text.Question)
		last := len(out) - 1
		if last < 0 || len(out[last]) == most || bytes+n > min(chunkBytes, limit/8) {
			out, bytes, last = append(out, nil), 0, last+1
		}
		out[last], bytes = append(out[last], t), bytes+n
	}
	return out
}

func (s *spreading) job(texts []embed.Keyed) Job {
	fp := s.Fingerprint()
	parts := []string{fp.ID()}
	for _, t := range texts {
		parts = append(parts, string(t.Key[:]))
	}
	data, err := encodeEmbedJob(fp, texts)
	if err != nil { // strings and numbers always encode
		panic(err)
	}
	return Job{ID: HashID(parts...), Data: data, Units: len(texts)}
}

// split returns the texts of a chunk one by one, so that one that kills workers takes no
// others along.
func (s *spreading) split(j Job, _ string) (parts []Job) {
	texts, err := decodeEmbedJob(j.Data, s.Fingerprint())
	if err != nil || len(texts) < 2 {
		return nil
	}
	for _, t := range texts {
		if _, missing := s.missing[t.Key]; missing {
			parts = append(parts, s.job([]embed.Keyed{t}))
		}
	}
	return parts
}

func (s *spreading) blame(f Faulty) {
	texts, err := decodeEmbedJob(f.Job.Data, s.Fingerprint())
	if err != nil { // it was written here
		panic(err)
	}
	for _, t := range texts {
		if _, missing := s.missing[t.Key]; missing {
			s.failed[t.Key] = f.Reason
		}
	}
}

// maxBlamed bounds the texts that an error names.
const maxBlamed = 20

// report names the texts that have no embedding.
func (s *spreading) report() error {
	var lines []string
	for k, reason := range s.failed {
		t := s.missing[k].Text
		lines = append(lines, fmt.Sprintf("%s (a %v of %d bytes): %s", hex.EncodeToString(k[:6]), t.Role, len(t.Text), reason))
	}
	if len(lines) == 0 {
		return nil
	}
	slices.Sort(lines)
	text := strings.Join(lines[:min(len(lines), maxBlamed)], "; ")
	if more := len(lines) - maxBlamed; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return fmt.Errorf("%d texts cannot be embedded, the others are: %s", len(lines), text)
}

// maxMessage is the largest payload that the server takes, less what headers need.
func (c *Coordinator) maxMessage() int {
	return max(int(min(c.conn.nc.MaxPayload(), maxPayload))-4096, 1<<10)
}
