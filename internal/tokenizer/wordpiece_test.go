package tokenizer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rcvae/internal/tokenizer"
)

const vocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\nhello\nworld\n,\n!\n$\n1\n##2\nσ\n##σ\n中\n文\nnaive\na\n;\n[\n]\nsep\n"

func newWordPiece(t testing.TB) *tokenizer.Model {
	t.Helper()
	w, err := tokenizer.FromVocabulary([]byte(vocab), true)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func tokens(w *tokenizer.Model, text string) []string {
	lines := strings.Split(vocab, "\n")
	var out []string
	for _, id := range w.Encode(text) {
		out = append(out, lines[id])
	}
	return out
}

func TestEncode(t *testing.T) {
	w := newWordPiece(t)
	for _, c := range []struct{ name, text, want string }{
		{"pieces", "unaffable", "un ##aff ##able"},
		{"case", "Hello WORLD", "hello world"},
		{"punctuation", "hello,world!", "hello , world !"},
		{"symbols are punctuation", "$12", "$ 1 ##2"},
		{"unknown part", "unaffx hello", "[UNK] hello"},
		{"100 runes", strings.Repeat("σ", 100), "σ" + strings.Repeat(" ##σ", 99)},
		{"101 runes", strings.Repeat("σ", 101) + " hello", "[UNK] hello"},
		{"controls vanish", "he\x00l\u200blo\x7f", "hello"},
		{"vertical tab is a control", "hel\vlo", "hello"},
		{"accents", "NAÏVE nai\u0308ve", "naive naive"},
		{"ideographs", "hello中文", "hello 中 文"},
		{"sigma has no final form", "Σσ ΣΣ", "σ ##σ σ ##σ"},
		{"decomposes to punctuation", "a\u037Ea", "a ; a"},
		{"wide spaces", "hello\u3000world\u00A0a\u2028a", "hello world a a"},
		{"special tokens", "a[SEP]a [CLS]", "a [SEP] a [CLS]"},
		{"special tokens have a case", "[sep]", "[ sep ]"},
		{"invalid UTF-8", "hel\xfflo", "hello"},
		{"empty", "", ""},
		{"white space", " \t\r\n ", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(tokens(w, c.text), " "); got != c.want {
				t.Errorf("Encode(%q) = %q, want %q", c.text, got, c.want)
			}
		})
	}
}

func TestCaseIsKept(t *testing.T) {
	m, err := tokenizer.FromVocabulary([]byte("[UNK]\n[CLS]\n[SEP]\nHello\nhello\nna\u00efve\n"), false)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.Encode("Hello hello na\u00efve HELLO"), []int32{3, 4, 5, 0}; !slices.Equal(got, want) {
		t.Errorf("Encode = %v, want %v", got, want)
	}
}

func TestWrap(t *testing.T) {
	template := tokenizer.Template{Prefix: []int32{101}, Suffix: []int32{102}}
	ids := []int32{1, 2, 3, 4, 5, 6, 7, 8, 9}
	for _, c := range []struct {
		limit int
		ends  bool
		want  []int32
	}{
		{11, false, []int32{101, 1, 2, 3, 4, 5, 6, 7, 8, 9, 102}},
		{10, false, []int32{101, 1, 2, 3, 4, 5, 6, 7, 8, 102}},
		{10, true, []int32{101, 1, 2, 4, 5, 6, 7, 8, 9, 102}},
		{3, false, []int32{101, 1, 102}},
		{3, true, []int32{101, 9, 102}},
		{2, true, []int32{101, 102}},
		{0, false, []int32{101, 102}},
	} {
		if got := template.Wrap(ids, c.limit, c.ends); !slices.Equal(got, c.want) {
			t.Errorf("Wrap to %d, ends %v: got %v, want %v", c.limit, c.ends, got, c.want)
		}
	}
}

func TestFromVocabularyRejects(t *testing.T) {
	for _, c := range []struct{ name, vocab, want string }{
		{"no special tokens", "a\nb\n", "has no ["},
		{"no separator", "[UNK]\n[CLS]\nb\n", "has no [CLS] or [SEP]"},
		{"twice", "[UNK]\na\na\n", "vocabulary line 3"},
		{"empty line", "[UNK]\n\na\n", "vocabulary line 2"},
		{"not UTF-8", "\xff\n", "vocabulary line 1"},
	} {
		if _, err := tokenizer.FromVocabulary([]byte(c.vocab), true); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

// FuzzEncode checks that ids are in range and that a space between two texts does not
// change what either becomes.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{"hello", "unaffable!", "中文\u0301", "[SEP", "]a", "\xff\u200d", "Σ\u0345"} {
		f.Add(s, "a[CLS]12")
		f.Add("$", s)
	}
	w := newWordPiece(f)
	f.Fuzz(func(t *testing.T, a, b string) {
		both := w.Encode(a + " " + b)
		if want := slices.Concat(w.Encode(a), w.Encode(b)); !slices.Equal(both, want) {
			t.Fatalf("Encode(%q + space + %q) = %v, want %v", a, b, both, want)
		}
		for _, id := range both {
			if id < 0 || int(id) >= w.Size {
				t.Fatalf("id %d of %q is not below %d", id, a, w.Size)
			}
		}
	})
}

func ExampleFromVocabulary() {
	m, err := tokenizer.FromVocabulary([]byte("[UNK]\n[CLS]\n[SEP]\nrea\n##son\n##ing\n"), true)
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Template.Wrap(m.Encode("Reasoning"), 512, false))
	// Output: [1 3 4 5 2]
}

func BenchmarkEncode(b *testing.B) {
	w := newWordPiece(b)
	text := strings.Repeat("Hello unaffable, world! $12 ", 40)
	n := 0
	for b.Loop() {
		n += len(w.Encode(text))
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tokens/s")
	b.ReportAllocs()
}
