package tokenizer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rcvae/internal/tokenizer"
)

// wordPieceJSON is a tokenizer.json like BERT's, unigramJSON like XLM-RoBERTa's,
// bytesJSON like GPT-2's and charactersJSON like Llama 2's, in small.
const (
	wordPieceJSON = `{"added_tokens":[{"id":0,"content":"[CLS]"},{"id":1,"content":"<mask>","lstrip":true}],
"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
"pre_tokenizer":{"type":"BertPreTokenizer"},
"post_processor":{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",0]},
"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
"vocab":{"[CLS]":0,"<mask>":1,"[SEP]":2,"[UNK]":3,"rea":4,"##son":5,"hello":6,".":7}}}`

	unigramJSON = `{"added_tokens":[{"id":0,"content":"<s>"},{"id":1,"content":"</s>"}],"normalizer":null,
"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}]},
"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"</s>","type_id":0}}],
"special_tokens":{"<s>":{"id":"<s>","ids":[0],"tokens":["<s>"]},"</s>":{"id":"</s>","ids":[1],"tokens":["</s>"]}}},
"model":{"type":"Unigram","unk_id":2,"vocab":[["<s>",0],["</s>",0],["<unk>",0],["▁",-4],["▁a",-2],["b",-3],["▁ab",-1.5],["c",-2.5],["\u00e9",-3e0]]}}`

	charactersJSON = `{"added_tokens":[{"id":0,"content":"<unk>"},{"id":1,"content":"<s>"}],
"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]},"pre_tokenizer":null,
"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}},
"model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,
"vocab":{"<unk>":0,"<s>":1,"<0xC3>":2,"<0xA9>":3,"▁":4,"a":5,"b":6,"ab":7,"▁ab":8,"aa":9},"merges":[["a","b"],["▁","ab"],["a","a"]]}}`
)

// bytesJSON has a token for each byte, in the order of their printable characters.
func bytesJSON(pattern string) string {
	var vocab []string
	id := 0
	add := func(token string) {
		vocab = append(vocab, fmt.Sprintf("%q:%d", token, id))
		id++
	}
	for r := rune('!'); r <= 0x143; r++ {
		if r <= '~' || r >= 0xa1 && r != 0xad {
			add(string(r))
		}
	}
	for _, t := range []string{"he", "ll", "hell", "hello", "Ġ1", "<|end|>"} {
		add(t)
	}
	return `{"added_tokens":[{"id":261,"content":"<|end|>"}],"normalizer":{"type":"NFC"},
"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":` + fmt.Sprintf("%q", pattern) + `},"behavior":"Isolated","invert":false},
{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":false,"use_regex":false}]},"post_processor":{"type":"ByteLevel"},
"model":{"type":"BPE","vocab":{` + strings.Join(vocab, ",") + `},"merges":["h e","l l","he ll","hell o","Ġ 1"]}}`
}

const qwenPattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

func TestFromJSON(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		want             []int32
	}{
		{"word pieces", wordPieceJSON, "Reason, <mask>héllo.", []int32{0, 4, 5, 3, 1, 6, 7, 2}},
		{"unigram takes the best sum", unigramJSON, "ab  abc\n", []int32{0, 6, 6, 7, 1}},
		{"unigram fuses unknowns", unigramJSON, "xyc", []int32{0, 3, 2, 7, 1}},
		{"unigram reads escapes", unigramJSON, "cé</s>a", []int32{0, 3, 7, 8, 1, 4, 1}},
		{"bytes merge by rank", bytesJSON(qwenPattern), "hellhello", []int32{258, 259}},
		{"bytes split numbers", bytesJSON(qwenPattern), " 11<|end|>", []int32{220, 16, 16, 261}},
		{"characters", charactersJSON, "ab aab", []int32{1, 8, 4, 5, 7}},
		{"characters fall back to bytes", charactersJSON, "é", []int32{1, 4, 2, 3}},
		{"characters unknown", charactersJSON, "aé€€", []int32{1, 4, 5, 2, 3, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := tokenizer.FromJSON([]byte(c.file))
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Template.Wrap(m.Encode(c.text), 1<<20, false); !slices.Equal(got, c.want) {
				t.Errorf("Encode(%q) = %v, want %v", c.text, got, c.want)
			}
		})
	}
}

func TestFromJSONRejects(t *testing.T) {
	for _, c := range []struct{ name, file, old, new, want string }{
		{"not JSON", unigramJSON, "{", "[", "want an object"},
		{"cut", unigramJSON, `]}}`, ``, "does not end"},
		{"an unknown model", unigramJSON, `"Unigram"`, `"WordLevel"`, `"WordLevel" are not supported`},
		{"no unknown token", unigramJSON, `"unk_id":2,`, ``, "has no unk_id"},
		{"an unknown step", unigramJSON, `"WhitespaceSplit"`, `"Whitespace"`, `"Whitespace" is not supported`},
		{"a score that is none", unigramJSON, `-1.5`, `"x"`, "vocabulary entry 6"},
		{"an unknown pattern", bytesJSON(`\w+`), ``, ``, "is not supported: those of GPT-2"},
		{"a byte is missing", bytesJSON(qwenPattern), `"A":32,`, ``, "no token for the byte 0x41"},
		{"a merge of nothing", charactersJSON, `["a","b"]`, `["x","b"]`, "merge 0"},
		{"a charsmap that is none", unigramJSON, `"normalizer":null`, `"normalizer":{"type":"Precompiled","precompiled_charsmap":"AAAA"}`, "charsmap"},
		{"a template without text", unigramJSON, `{"Sequence":{"id":"A","type_id":0}},`, ``, "template"},
		{"deep", unigramJSON, `"normalizer":null`, `"normalizer":` + strings.Repeat(`{"type":"Sequence","normalizers":[`, 40) + `{"type":"NFC"}` + strings.Repeat(`]}`, 40), "more than"},
	} {
		file := strings.Replace(c.file, c.old, c.new, 1)
		if _, err := tokenizer.FromJSON([]byte(file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

// FuzzFromJSON checks that whatever is accepted yields ids within its size, and the same
// ones twice.
func FuzzFromJSON(f *testing.F) {
	for _, file := range []string{wordPieceJSON, unigramJSON, charactersJSON, bytesJSON(qwenPattern)} {
		f.Add([]byte(file), "Hello 123 <s>ab\r\n é\xff")
	}
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		m, err := tokenizer.FromJSON(data)
		if err != nil || len(text) > 1000 {
			return
		}
		ids := m.Template.Wrap(m.Encode(text), 1<<20, false)
		for _, id := range ids {
			if id < 0 || int(id) >= m.Size {
				t.Fatalf("id %d of %q is not below %d", id, text, m.Size)
			}
		}
		if again := m.Template.Wrap(m.Encode(text), 1<<20, false); !slices.Equal(ids, again) {
			t.Fatalf("%q: %v, then %v", text, ids, again)
		}
	})
}

// FuzzBytes checks that byte pair encoding over bytes loses nothing: the tokens spell
// the text.
func FuzzBytes(f *testing.F) {
	file := bytesJSON(qwenPattern)
	m, err := tokenizer.FromJSON([]byte(file))
	if err != nil {
		f.Fatal(err)
	}
	single := make(map[int32]byte)
	for c := range 128 {
		if ids := m.Encode(string(rune(c))); len(ids) == 1 {
			single[ids[0]] = byte(c)
		}
	}
	words := map[int32]string{256: "he", 257: "ll", 258: "hell", 259: "hello", 260: " 1", 261: "<|end|>"}
	for _, s := range []string{"hello  11\n\n x's", "'LLhell", "\t\r\n", " <|end|> "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for i := range len(text) {
			if text[i] >= 0x80 {
				return // the table of single bytes above is of ASCII alone
			}
		}
		var spelled strings.Builder
		for _, id := range m.Encode(text) {
			if word, ok := words[id]; ok {
				spelled.WriteString(word)
			} else {
				spelled.WriteByte(single[id])
			}
		}
		if got := spelled.String(); got != text {
			t.Fatalf("the tokens of %q spell %q", text, got)
		}
	})
}

func ExampleFromJSON() {
	m, err := tokenizer.FromJSON([]byte(charactersJSON))
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Template.Wrap(m.Encode("ab aab"), 512, false))
	// Output: [1 8 4 5 7]
}
