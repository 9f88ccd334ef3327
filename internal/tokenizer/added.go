package tokenizer

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is one that stands for itself wherever a text spells it.
type token struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // not within a word
	LeftStrip  bool   `json:"lstrip"`      // swallows white space before it
	RightStrip bool   `json:"rstrip"`      // swallows white space behind it
	Normalized bool   `json:"normalized"`  // is looked for in the normalised text
}

// added finds tokens in texts: the leftmost, of several at one place the longest.
type added struct {
	byFirst map[byte][]token // longest first
	first   [256]bool
}

func newAdded(tokens []token) added {
	a := added{byFirst: make(map[byte][]token)}
	for _, t := range tokens {
		if t.Content != "" {
			c := t.Content[0]
			a.first[c] = true
			a.byFirst[c] = append(a.byFirst[c], t)
		}
	}
	for _, list := range a.byFirst {
		slices.SortStableFunc(list, func(x, y token) int { return cmp.Compare(len(y.Content), len(x.Content)) })
	}
	return a
}

// split calls plain for the text between the tokens and special for their ids, in order.
func (a *added) split(text string, plain func(string), special func(int32)) {
	if len(a.byFirst) == 0 {
		plain(text)
		return
	}
	start := 0 // of the plain text
	for i := 0; i < len(text); {
		t, ok := a.at(text, i)
		if !ok {
			i++
			continue
		}
		from, to := i, i+len(t.Content)
		if t.LeftStrip {
			from = max(start, len(strings.TrimRightFunc(text[:i], unicode.IsSpace)))
		}
		if t.RightStrip {
			to = len(text) - len(strings.TrimLeftFunc(text[to:], unicode.IsSpace))
		}
		if from > start {
			plain(text[start:from])
		}
		special(t.ID)
		start, i = to, to
	}
	if start < len(text) {
		plain(text[start:])
	}
}

// at returns the token that begins at text[i].
func (a *added) at(text string, i int) (token, bool) {
	if !a.first[text[i]] {
		return token{}, false
	}
	for _, t := range a.byFirst[text[i]] {
		if strings.HasPrefix(text[i:], t.Content) {
			if t.SingleWord && insideWord(text, i, i+len(t.Content)) {
				return token{}, false
			}
			return t, true
		}
	}
	return token{}, false
}

// insideWord tells whether a word goes on before or behind text[from:to].
func insideWord(text string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	behind, _ := utf8.DecodeRuneInString(text[to:])
	word := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	return from > 0 && word(before) || to < len(text) && word(behind)
}
