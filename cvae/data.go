package cvae

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"

	"rcvae"
	"rcvae/internal/nn"
)

// Data is what a model is trained on: N embedded solutions of Q questions. The
// embeddings are read in place and must not change during training.
type Data struct {
	Questions []rcvae.Embedding // (Q)
	Solutions []rcvae.Embedding // (N), all solutions of a question in a row
	Group     []int             // (N), index into Questions, never decreasing
	Correct   []bool            // (N), graded right; nil for paper and authors
	Answered  []bool            // (N), the candidate votes; nil for paper and authors
}

// check reports the first thing in the data that the config cannot be trained on.
func (d Data) check(c Config) error {
	n := len(d.Solutions)
	if n == 0 || len(d.Questions) == 0 {
		return errors.New("no training samples: give problems with solutions, or a pool with graded candidates")
	}
	if len(d.Group) != n {
		return fmt.Errorf("%d solutions but %d group entries", n, len(d.Group))
	}
	if c.grouped() && (len(d.Correct) != n || len(d.Answered) != n) {
		return fmt.Errorf("objective %s needs graded samples: %d solutions, %d verdicts, %d answered flags; train on a pool with graded candidates",
			c.Objective, n, len(d.Correct), len(d.Answered))
	}
	for i, g := range d.Group {
		if g < 0 || g >= len(d.Questions) {
			return fmt.Errorf("solution %d belongs to question %d of %d", i, g, len(d.Questions))
		}
		if i > 0 && g < d.Group[i-1] {
			return fmt.Errorf("solution %d belongs to question %d, after one of question %d: sort the solutions by question", i, g, d.Group[i-1])
		}
	}
	if err := checkEmbeddings("question", d.Questions, c.Dimension); err != nil {
		return err
	}
	return checkEmbeddings("solution", d.Solutions, c.Dimension)
}

func checkEmbeddings(kind string, embeddings []rcvae.Embedding, dimension int) error {
	for i, e := range embeddings {
		if err := checkEmbedding(e, dimension); err != nil {
			return fmt.Errorf("%s %d: %w", kind, i, err)
		}
	}
	return nil
}

func checkEmbedding(e rcvae.Embedding, dimension int) error {
	if len(e) != dimension {
		return fmt.Errorf("embedding has %d dimensions, the model %d", len(e), dimension)
	}
	for j, v := range e {
		if v-v != 0 {
			return fmt.Errorf("embedding is %v at dimension %d", v, j)
		}
	}
	return nil
}

// digest returns the SHA-256 of the data. A training run continues only on the
// data that it began with.
func (d Data) digest() string {
	h := sha256.New()
	var buf []byte
	for _, embeddings := range [][]rcvae.Embedding{d.Questions, d.Solutions} {
		for _, e := range embeddings {
			buf = buf[:0]
			for _, v := range e {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
			}
			h.Write(buf)
		}
	}
	buf = buf[:0]
	for _, g := range d.Group {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(g))
	}
	for _, flags := range [][]bool{d.Correct, d.Answered} {
		for _, f := range flags {
			buf = append(buf, map[bool]byte{false: 0, true: 1}[f])
		}
	}
	h.Write(buf)
	return hex.EncodeToString(h.Sum(nil))
}

// Holdout tells which of n questions [Train] holds out for validation: the share
// config.Holdout, chosen by the question's index alone, so that models of different
// seeds hold out the same ones. What is chosen on the data of several models (τ,
// for instance) is chosen on these.
func Holdout(config Config, n int) []bool {
	out := make([]bool, n)
	count := min(int(math.Round(config.Holdout*float64(n))), n-1)
	if count <= 0 {
		return out
	}
	order := make([]int, n)
	keys := make([]uint64, n)
	for i := range n {
		order[i], keys[i] = i, nn.Key(streamHoldout, uint64(i))
	}
	slices.SortFunc(order, func(a, b int) int {
		if keys[a] < keys[b] {
			return -1
		}
		return 1
	})
	for _, i := range order[:count] {
		out[i] = true
	}
	return out
}

// question is the samples [from, to) of one question.
type question struct {
	index    int // into Data.Questions
	from, to int
	mixed    bool // has right and wrong answered samples
}

// questions returns the questions that have samples, in order.
func (d Data) questions() []question {
	var out []question
	for from := 0; from < len(d.Group); {
		q := question{index: d.Group[from], from: from, to: from}
		right, wrong := false, false
		for ; q.to < len(d.Group) && d.Group[q.to] == q.index; q.to++ {
			if d.Correct != nil && d.Answered != nil && d.Answered[q.to] {
				right = right || d.Correct[q.to]
				wrong = wrong || !d.Correct[q.to]
			}
		}
		q.mixed = right && wrong
		out = append(out, q)
		from = q.to
	}
	return out
}

// minDeviation is the floor of the scale that inputs are standardised by.
const minDeviation = 0.01

// standardizers returns the maps of question and solution embeddings to mean 0 and
// deviation 1 over the samples of the given questions. A question counts once a sample.
func (d Data) standardizers(c Config, questions []question) (q, r standardizer) {
	var qs, rs moments
	for _, question := range questions {
		qs.add(d.Questions[question.index], float64(question.to-question.from))
		for i := question.from; i < question.to; i++ {
			rs.add(d.Solutions[i], 1)
		}
	}
	return qs.standardizer(c), rs.standardizer(c)
}

// moments are the weighted sums of x and x², which unit vectors do not strain in float64.
type moments struct {
	weight      float64
	sum, square []float64 // (D)
}

func (m *moments) add(x []float32, weight float64) {
	if m.sum == nil {
		m.sum, m.square = make([]float64, len(x)), make([]float64, len(x))
	}
	m.weight += weight
	for j, v := range x {
		v := float64(v)
		m.sum[j] += weight * v
		m.square[j] += weight * v * v
	}
}

func (m *moments) standardizer(c Config) standardizer {
	mean, scale := make([]float32, c.Dimension), make([]float32, c.Dimension)
	for j := range mean {
		scale[j] = 1
		if c.Standardize {
			mu := m.sum[j] / m.weight
			variance := (m.square[j] - m.weight*mu*mu) / max(m.weight-1, 1)
			mean[j], scale[j] = float32(mu), float32(max(math.Sqrt(max(variance, 0)), minDeviation))
		}
	}
	return newStandardizer(mean, scale)
}
