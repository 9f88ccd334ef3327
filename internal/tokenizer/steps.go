package tokenizer

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// steps are the normalisers and splitters of a tokenizer.json.
type steps struct {
	normalize []normalizer
	split     []splitter
	bytes     bool            // the pieces are bytes
	bert      *bertNormalizer // BERT's, which WordPiece does by itself
}

func (f *file) steps() (*steps, error) {
	s := &steps{}
	if err := s.addNormalizer(f.Normalizer, 0); err != nil {
		return nil, fmt.Errorf("normalizer: %w", err)
	}
	if err := s.addSplitter(f.Split, 0); err != nil {
		return nil, fmt.Errorf("pre_tokenizer: %w", err)
	}
	return s, nil
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

var errTooDeep = fmt.Errorf("more than %d steps", maxSteps)

// step is one normaliser or pre-tokeniser with all fields that one may have.
type step struct {
	Type          string            `json:"type"`
	Normalizers   []json.RawMessage `json:"normalizers"`
	Pretokenizers []json.RawMessage `json:"pretokenizers"`
	Charsmap      string            `json:"precompiled_charsmap"`
	StripLeft     bool              `json:"strip_left"`
	StripRight    bool              `json:"strip_right"`
	Pattern       struct{ String, Regex *string }
	Content       string  `json:"content"`
	Prepend       string  `json:"prepend"`
	Replacement   string  `json:"replacement"`
	Scheme        *string `json:"prepend_scheme"`
	PrefixSpace   *bool   `json:"add_prefix_space"`
	Split         *bool   `json:"split"`
	UseRegex      *bool   `json:"use_regex"`
	Behavior      string  `json:"behavior"`
	Invert        bool    `json:"invert"`
	Individual    bool    `json:"individual_digits"`
	bertNormalizer
}

// bertNormalizer is BERT's, with the reference's defaults.
type bertNormalizer struct {
	Clean   *bool `json:"clean_text"`
	Chinese *bool `json:"handle_chinese_chars"`
	Strip   *bool `json:"strip_accents"`
	Lower   *bool `json:"lowercase"`
}

func isTrue(b *bool) bool { return b == nil || *b }

func (n *bertNormalizer) normalization() normalization {
	lower := isTrue(n.Lower)
	strip := lower
	if n.Strip != nil {
		strip = *n.Strip
	}
	return normalization{lower: lower, strip: strip}
}

func (s *steps) addNormalizer(raw json.RawMessage, depth int) error {
	if isNull(raw) {
		return nil
	}
	var n step
	if err := json.Unmarshal(raw, &n); err != nil {
		return err
	}
	if depth > maxSteps || len(s.normalize) > maxSteps {
		return errTooDeep
	}
	switch n.Type {
	case "Sequence":
		for _, inner := range n.Normalizers {
			if err := s.addNormalizer(inner, depth+1); err != nil {
				return err
			}
		}
		return nil
	case "BertNormalizer":
		if !isTrue(n.Clean) || !isTrue(n.Chinese) {
			return errors.New("BertNormalizer without clean_text or handle_chinese_chars is not supported")
		}
		s.bert = &n.bertNormalizer
		return nil
	}
	f, err := n.normalizer()
	s.normalize = append(s.normalize, f)
	return err
}

func (n *step) normalizer() (normalizer, error) {
	switch n.Type {
	case "Precompiled":
		raw, err := base64.StdEncoding.DecodeString(n.Charsmap)
		if err != nil {
			return nil, fmt.Errorf("precompiled charsmap: %w", err)
		}
		m, err := newCharsmap(raw)
		if err != nil {
			return nil, err
		}
		return m.normalize, nil
	case "NFC":
		return norm.NFC.String, nil
	case "NFD":
		return norm.NFD.String, nil
	case "NFKC":
		return norm.NFKC.String, nil
	case "NFKD":
		return norm.NFKD.String, nil
	case "Lowercase":
		return strings.ToLower, nil
	case "Strip":
		return n.strip, nil
	case "Prepend":
		return func(text string) string {
			if text == "" {
				return text
			}
			return n.Prepend + text
		}, nil
	case "Replace":
		return n.replace()
	}
	return nil, fmt.Errorf("type %q is not supported", n.Type)
}

func (n *step) strip(text string) string {
	if n.StripLeft {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
	}
	if n.StripRight {
		text = strings.TrimRightFunc(text, unicode.IsSpace)
	}
	return text
}

func (n *step) replace() (normalizer, error) {
	switch {
	case n.Pattern.String != nil && *n.Pattern.String != "":
		return func(text string) string { return strings.ReplaceAll(text, *n.Pattern.String, n.Content) }, nil
	case n.Pattern.Regex != nil:
		re, err := regexp.Compile(*n.Pattern.Regex)
		if err != nil {
			return nil, fmt.Errorf("pattern: %w", err)
		}
		return func(text string) string { return re.ReplaceAllLiteralString(text, n.Content) }, nil
	}
	return nil, errors.New("type \"Replace\" has no pattern")
}

func (s *steps) addSplitter(raw json.RawMessage, depth int) error {
	if isNull(raw) {
		return nil
	}
	var n step
	if err := json.Unmarshal(raw, &n); err != nil {
		return err
	}
	if depth > maxSteps || len(s.split) > maxSteps {
		return errTooDeep
	}
	switch n.Type {
	case "Sequence":
		for _, inner := range n.Pretokenizers {
			if err := s.addSplitter(inner, depth+1); err != nil {
				return err
			}
		}
		return nil
	case "BertPreTokenizer":
		if s.bert == nil {
			return errors.New("BertPreTokenizer without BertNormalizer is not supported")
		}
		return nil
	case "ByteLevel":
		s.bytes = true
		return s.addByteLevel(&n)
	}
	f, err := n.splitter()
	s.split = append(s.split, f)
	return err
}

// addByteLevel adds the steps of ByteLevel; that it also renames bytes is undone in the
// vocabulary.
func (s *steps) addByteLevel(n *step) error {
	if isTrue(n.PrefixSpace) {
		s.split = append(s.split, func(text string, _ bool, emit func(string)) {
			if !strings.HasPrefix(text, " ") {
				text = " " + text
			}
			emit(text)
		})
	}
	if isTrue(n.UseRegex) {
		s.split = append(s.split, patterns()[patternGPT2])
	}
	return nil
}

func (n *step) splitter() (splitter, error) {
	switch n.Type {
	case "WhitespaceSplit":
		return func(text string, _ bool, emit func(string)) {
			for word := range strings.FieldsFuncSeq(text, unicode.IsSpace) {
				emit(word)
			}
		}, nil
	case "Metaspace":
		return n.metaspace()
	case "Digits":
		most := unlimited
		if n.Individual {
			most = 1
		}
		return byPattern(func(text string) int {
			if d := span(text, unicode.IsNumber, most); d > 0 {
				return d
			}
			return span(text, func(r rune) bool { return !unicode.IsNumber(r) }, unlimited)
		}), nil
	case "Split":
		return n.splitByPattern()
	}
	return nil, fmt.Errorf("type %q is not supported", n.Type)
}

func (n *step) splitByPattern() (splitter, error) {
	if n.Pattern.Regex != nil {
		f, ok := patterns()[*n.Pattern.Regex]
		if !ok || n.Behavior != "Isolated" && n.Behavior != "Removed" || (n.Behavior == "Removed") != n.Invert {
			return nil, fmt.Errorf("the pattern %q (%s) is not supported: those of GPT-2, Llama 3 and Qwen 2 are", *n.Pattern.Regex, n.Behavior)
		}
		return f, nil
	}
	if s := n.Pattern.String; s != nil && *s != "" && n.Behavior == "MergedWithPrevious" && !n.Invert {
		return func(text string, _ bool, emit func(string)) {
			for part := range strings.SplitAfterSeq(text, *s) {
				emit(part)
			}
		}, nil
	}
	return nil, fmt.Errorf("a split by %q is not supported", n.Behavior)
}

// metaspace writes blanks as a visible mark and splits before each.
func (n *step) metaspace() (splitter, error) {
	mark, scheme := n.Replacement, "always"
	if n.Scheme != nil {
		scheme = *n.Scheme
	} else if !isTrue(n.PrefixSpace) {
		scheme = "never"
	}
	if mark == "" || (scheme != "always" && scheme != "first" && scheme != "never") {
		return nil, fmt.Errorf("type \"Metaspace\" with the mark %q and the scheme %q is not supported", mark, scheme)
	}
	return func(text string, first bool, emit func(string)) {
		text = strings.ReplaceAll(text, " ", mark)
		if (scheme == "always" || scheme == "first" && first) && !strings.HasPrefix(text, mark) {
			text = mark + text
		}
		if !isTrue(n.Split) {
			emit(text)
			return
		}
		for text != "" {
			end := len(text)
			if next := strings.Index(text[1:], mark); next >= 0 {
				end = 1 + next
			}
			emit(text[:end])
			text = text[end:]
		}
	}, nil
}
