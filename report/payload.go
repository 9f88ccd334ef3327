package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"

	"rcvae/eval"
	"rcvae/signal"
)

const (
	// keptHead and keptTail are how many characters of a long text are shown: how it
	// begins, and its answer.
	keptHead, keptTail = 900, 600

	// packLevel costs half the time of the best compression and 2 % more bytes.
	packLevel = 6

	// textBudget bounds the bytes that the texts of all questions take on the page.
	textBudget = 3_300_000
)

// payload is what opens below a question: its candidates, as compressed JSON in base64
// for URLs, with and without their texts.
type payload struct{ bare, texts string }

// candidate is one candidate on the page.
type candidate struct {
	Answer  string             `json:"a"`
	Verdict string             `json:"v"`
	Entropy *float64           `json:"h,omitempty"`
	Known   *float64           `json:"d,omitempty"` // in-distribution weight
	Scores  map[string]float64 `json:"s,omitempty"`
	Signals []*float64         `json:"g"`
	Chosen  int                `json:"c,omitempty"` // 1: by majority, 2: by the part's rule, 3: by both
	Text    []string           `json:"t,omitempty"` // plain, a wrong equation, what it should be, plain, …
}

// opened is the JSON of a question.
type opened struct {
	Question   string      `json:"q"`
	Candidates []candidate `json:"c"`
}

// packer compresses questions one by one, for one goroutine. The zero value is ready.
type packer struct {
	buffer bytes.Buffer
	zip    *flate.Writer
}

func (k *packer) payload(d eval.Details, focus string) (p payload, err error) {
	o := opened{Question: shorten(d.Question), Candidates: make([]candidate, len(d.Candidates))}
	for i, c := range d.Candidates {
		x := candidate{Answer: c.Answer, Verdict: c.Verdict, Entropy: rounded(c.Entropy), Known: rounded(c.InDistribution), Scores: map[string]float64{}}
		for name, s := range c.Scores {
			if strings.HasSuffix(focus, name) {
				x.Scores[name] = round(s)
			}
		}
		for _, s := range c.Signals {
			x.Signals = append(x.Signals, rounded(s))
		}
		o.Candidates[i] = x
	}
	for _, x := range d.Chosen {
		bit := map[string]int{majority: 1, focus: 2}[x.Rule]
		if bit > 0 && x.Best < len(o.Candidates) {
			o.Candidates[x.Best].Chosen |= bit
		}
	}
	if p.bare, err = k.pack(o); err != nil {
		return p, err
	}
	for i, c := range d.Candidates {
		o.Candidates[i].Text = segments(c.Text)
	}
	p.texts, err = k.pack(o)
	return p, err
}

// pack returns compressed JSON in base64.
func (k *packer) pack(o opened) (string, error) {
	k.buffer.Reset()
	if k.zip == nil {
		k.zip, _ = flate.NewWriter(&k.buffer, packLevel) // the level is valid
	}
	k.zip.Reset(&k.buffer)
	if err := errors.Join(json.NewEncoder(k.zip).Encode(o), k.zip.Close()); err != nil {
		return "", fmt.Errorf("pack the candidates: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(k.buffer.Bytes()), nil
}

// round keeps four digits.
func round(x float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0
	}
	unit := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(x))))
	return math.Round(x*unit) / unit
}

func rounded(x *float64) *float64 {
	if x == nil {
		return nil
	}
	return new(round(*x))
}

// segments cuts a text at its wrong equations: plain, equation, what it should be, plain,
// and so on. The middle of a long text is left out, its wrong equations are not.
func segments(text string) []string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	head, tail := keep(text)
	out, at := []string{}, 0
	for _, e := range signal.Equations(text) {
		if e.Holds || e.Start < at {
			continue
		}
		out = append(out, middle(text, at, e.Start, head, tail), text[e.Start:e.End], e.Want)
		at = e.End
	}
	return append(out, middle(text, at, len(text), head, tail))
}

// keep returns where the part that is left out begins and ends.
func keep(text string) (head, tail int) {
	if utf8.RuneCountInString(text) <= keptHead+keptTail {
		return len(text), len(text)
	}
	n, total := 0, utf8.RuneCountInString(text)
	for i := range text {
		if n == keptHead {
			head = i
		}
		if n == total-keptTail {
			tail = i
		}
		n++
	}
	return head, tail
}

// middle returns text[from:to] without what lies between head and tail.
func middle(text string, from, to, head, tail int) string {
	if to <= head || from >= tail {
		return text[from:to]
	}
	return text[from:max(from, head)] + " […] " + text[min(to, tail):to]
}

func shorten(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	head, tail := keep(text)
	return middle(text, 0, len(text), head, tail)
}

// fill chooses which questions show texts: those in which the rules differ come first,
// then those with correct and incorrect candidates, until the budget is spent. It returns
// the number of those without.
func (p *part) fill(budget int) (payloads []string, without int) {
	payloads = make([]string, len(p.rows))
	for pass := range 3 {
		for i, r := range p.rows {
			mixed := r.correct > 0 && r.correct < r.graded
			if payloads[i] != "" || pass == 0 && !r.differ || pass == 1 && !mixed {
				continue
			}
			if size := len(r.payload.texts); size <= budget {
				payloads[i] = r.payload.texts
				budget -= size
			}
		}
	}
	for i, r := range p.rows {
		if payloads[i] == "" {
			payloads[i] = r.payload.bare
			without++
		}
	}
	return payloads, without
}
