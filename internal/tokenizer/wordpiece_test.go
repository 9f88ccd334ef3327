package tokenizer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rcvae/internal/tokenizer"
)

const vocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\nhello\nworld\n,\n!\n$\n1\n##2\nσ\n##σ\n中\n文\nnaive\na\n;\n[\n]\nsep\n"

func newWordPiece(t testing.TB) *tokenizer.WordPiece {
	t.Helper()
	w, err := tokenizer.NewWordPiece([]byte(vocab))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func tokens(w *tokenizer.WordPiece, text string, maxTokens int) []string {
	var out []string
	for _, id := range w.Encode(nil, text, maxTokens) {
		out = append(out, w.Token(id))
	}
	return out[1 : len(out)-1]
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
			if got := strings.Join(tokens(w, c.text, 512), " "); got != c.want {
				t.Errorf("Encode(%q) = %q, want %q", c.text, got, c.want)
			}
		})
	}
}

func TestEncodeCutsTheEnd(t *testing.T) {
	w := newWordPiece(t)
	whole := tokens(w, "hello, unaffable $12 中文 world!", 512)
	for limit := 2; limit < len(whole)+4; limit++ {
		want := whole[:min(limit-2, len(whole))]
		if got := tokens(w, "hello, unaffable $12 中文 world!", limit); !slices.Equal(got, want) {
			t.Errorf("limit %d: got %q, want %q", limit, got, want)
		}
	}
	if got := len(w.Encode(nil, "hello", 0)); got != 2 {
		t.Errorf("limit 0: got %d tokens, want 2", got)
	}
}

func TestNewWordPieceRejects(t *testing.T) {
	for _, c := range []struct{ name, vocab, want string }{
		{"no special tokens", "a\nb\n", "has no ["},
		{"twice", "[UNK]\na\na\n", "vocabulary line 3"},
		{"empty line", "[UNK]\n\na\n", "vocabulary line 2"},
		{"not UTF-8", "\xff\n", "vocabulary line 1"},
	} {
		if _, err := tokenizer.NewWordPiece([]byte(c.vocab)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

// FuzzEncode checks that ids are in range, that a space between two texts does
// not change what either becomes, and that a cut text is a prefix.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{"hello", "unaffable!", "中文\u0301", "[SEP", "]a", "\xff\u200d", "Σ\u0345"} {
		f.Add(s, "a[CLS]12")
		f.Add("$", s)
	}
	w := newWordPiece(f)
	f.Fuzz(func(t *testing.T, a, b string) {
		const limit = 1 << 30
		inner := func(ids []int32) []int32 { return ids[1 : len(ids)-1] }
		left, right := inner(w.Encode(nil, a, limit)), inner(w.Encode(nil, b, limit))
		both := inner(w.Encode(nil, a+" "+b, limit))
		if want := slices.Concat(left, right); !slices.Equal(both, want) {
			t.Fatalf("Encode(%q + space + %q) = %v, want %v", a, b, both, want)
		}
		for _, id := range both {
			if id < 0 || int(id) >= w.Size() {
				t.Fatalf("id %d of %q is not below %d", id, a, w.Size())
			}
		}
		if cut := inner(w.Encode(nil, a, 5)); !slices.Equal(cut, left[:min(3, len(left))]) {
			t.Fatalf("Encode(%q) cut to 3 = %v, want the start of %v", a, cut, left)
		}
	})
}

func ExampleWordPiece_Encode() {
	w, err := tokenizer.NewWordPiece([]byte("[UNK]\n[CLS]\n[SEP]\nrea\n##son\n##ing\n"))
	if err != nil {
		panic(err)
	}
	for _, id := range w.Encode(nil, "Reasoning", 512) {
		fmt.Print(w.Token(id), " ")
	}
	// Output: [CLS] rea ##son ##ing [SEP]
}

func BenchmarkEncode(b *testing.B) {
	w := newWordPiece(b)
	text := strings.Repeat("Hello unaffable, world! $12 ", 40)
	var ids []int32
	for b.Loop() {
		ids = w.Encode(ids[:0], text, 512)
	}
	b.ReportMetric(float64(b.N*len(ids))/b.Elapsed().Seconds(), "tokens/s")
	b.ReportAllocs()
}
