package queue

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"

	"rcvae"
	"rcvae/embed"
)

// embedJob is a chunk of texts.
type embedJob struct {
	Fingerprint string     `json:"fingerprint"` // the ID of the embedder that is meant
	Texts       []wireText `json:"texts"`
}

type wireText struct {
	Role     uint8  `json:"role"`
	Text     string `json:"text"`
	Question string `json:"question,omitempty"` // for embedders that read it
}

func encodeEmbedJob(fp rcvae.Fingerprint, texts []embed.Keyed) ([]byte, error) {
	job := embedJob{Fingerprint: fp.ID()}
	for _, t := range texts {
		w := wireText{uint8(t.Text.Role), t.Text.Text, ""}
		if fp.InContext {
			w.Question = t.Text.Question
		}
		job.Texts = append(job.Texts, w)
	}
	return json.Marshal(job)
}

// decodeEmbedJob returns the texts of a job for this embedder.
func decodeEmbedJob(data []byte, fp rcvae.Fingerprint) ([]embed.Keyed, error) {
	var job embedJob
	if err := json.Unmarshal(data, &job); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if job.Fingerprint != fp.ID() {
		return nil, fmt.Errorf("%w: it is for the embedder with fingerprint %.12s, not %.12s", ErrMalformed, job.Fingerprint, fp.ID())
	}
	var texts []embed.Keyed
	for _, t := range job.Texts {
		if t.Role > uint8(rcvae.RoleSolution) {
			return nil, fmt.Errorf("%w: role %d", ErrMalformed, t.Role)
		}
		text := rcvae.Text{Role: rcvae.Role(t.Role), Text: t.Text, Question: t.Question}
		texts = append(texts, embed.Keyed{Key: embed.KeyOf(text, fp.InContext), Text: text})
	}
	return texts, nil
}

// embedResult is what came of a chunk: vectors, and texts that have none with the reason.
type embedResult struct {
	keys    []embed.Key
	vectors []rcvae.Embedding
	failed  []failedText
}

type failedText struct {
	key    embed.Key
	reason string
}

const (
	embedMagic    = "rcvaeEm1"
	maxReason     = 1000
	maxResultSize = 1 << 20 // vectors or failures of one result
)

// encode returns the magic, the dimension and both counts; for every vector its key and D
// float32; for every failure its key and the reason; a CRC-32 of all. Numbers are
// little-endian.
func (r embedResult) encode(dimension int) []byte {
	b := []byte(embedMagic)
	for _, n := range []int{dimension, len(r.keys), len(r.failed)} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	for i, k := range r.keys {
		b = append(b, k[:]...)
		for _, v := range r.vectors[i] {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
	}
	for _, f := range r.failed {
		reason := f.reason[:min(len(f.reason), maxReason)]
		b = append(b, f.key[:]...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(reason)))
		b = append(b, reason...)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// decodeEmbedResult reads a result with vectors of that dimension, finite and of unit
// length. Its errors are [ErrDamaged].
func decodeEmbedResult(b []byte, dimension int) (r embedResult, err error) {
	head := len(embedMagic) + 12
	if len(b) < head+4 || string(b[:len(embedMagic)]) != embedMagic {
		return r, fmt.Errorf("%w: it is none of embeddings", ErrDamaged)
	}
	end := len(b) - 4
	if crc32.Checksum(b[:end], crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(b[end:]) {
		return r, fmt.Errorf("%w: its checksum is wrong", ErrDamaged)
	}
	number := func(at int) int { return int(binary.LittleEndian.Uint32(b[at:])) }
	n, failures := number(head-8), number(head-4)
	if number(head-12) != dimension || n > maxResultSize || failures > maxResultSize {
		return r, fmt.Errorf("%w: it has %d vectors of %d dimensions, want %d", ErrDamaged, n, number(head-12), dimension)
	}
	rest := b[head:end]
	size := len(embed.Key{}) + 4*dimension
	if len(rest) < n*size {
		return r, fmt.Errorf("%w: it is too short", ErrDamaged)
	}
	for range n {
		v := make(rcvae.Embedding, dimension)
		for j := range v {
			v[j] = math.Float32frombits(binary.LittleEndian.Uint32(rest[len(embed.Key{})+4*j:]))
		}
		if err := embed.Valid(v, dimension); err != nil {
			return r, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		r.keys, r.vectors, rest = append(r.keys, embed.Key(rest)), append(r.vectors, v), rest[size:]
	}
	return r, r.decodeFailures(rest, failures)
}

func (r *embedResult) decodeFailures(rest []byte, n int) error {
	head := len(embed.Key{}) + 4
	for range n {
		if len(rest) < head {
			return fmt.Errorf("%w: it is too short", ErrDamaged)
		}
		length := int(binary.LittleEndian.Uint32(rest[head-4:]))
		if length > maxReason || len(rest) < head+length {
			return fmt.Errorf("%w: it is too short", ErrDamaged)
		}
		r.failed = append(r.failed, failedText{embed.Key(rest), string(rest[head : head+length])})
		rest = rest[head+length:]
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: %d bytes are left", ErrDamaged, len(rest))
	}
	return nil
}
