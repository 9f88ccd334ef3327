"""Writes small tokenizers of many kinds with the ids that Hugging Face's library gives.

    python tools/golden/tokenizer_golden.py internal/tokenizer/testdata/reference.jsonl.gz

A line is {"name", "file": the tokenizer.json, "cases": [[text, ids with special tokens], …]}.
"""
import gzip
import json
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
ATOMS = [
    "a", "b", "ab", "aab", "Hello", "HELLO", "hello", "x", "'s", "'S", "'LL", "'re", "ſ", "1", "12", "3456", "²", "½", "٣", ".", "...", "!?", "<m>", "<s>", "<w>", "(w)",
    "é", "e\u0301", "ö", "ß", "Σ", "中文", "が", "😀", "👨‍👩‍👧", "\u200b", "\u00a0", "\u3000", "\x07", "_", "-", "/", "\\", "$", "▁",
]  # fmt: skip
SPACES = ["", "", "", " ", " ", "  ", "\n", "\n\n", "\t", " \n ", "\r\n", "   "]


def texts(seed, n=150):
    rng = random.Random(seed)
    out = ["", " ", "\n", "a", "  a  "]
    for _ in range(n):
        out.append("".join(rng.choice(ATOMS) + rng.choice(SPACES) for _ in range(rng.randint(1, 12))))
    return out


def bytes_model(merges, **kind):
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {t: i for i, t in enumerate(alphabet)}
    for left, right in merges:
        vocab.setdefault(left + right, len(vocab))
    return models.BPE(vocab=vocab, merges=merges, **kind)


MERGES = [("a", "b"), ("h", "e"), ("l", "l"), ("a", "ab"), ("he", "ll"), ("hell", "o"), ("Ġ", "hello"), ("1", "2"), ("Ġ", "a"), ("Ċ", "Ċ"), ("Ġ", "Ġ"), ("Ã", "©"), ("'", "s")]


def byte_level(split, prefix=False, **kind):
    t = Tokenizer(bytes_model(MERGES, **kind))
    level = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=split is None)
    t.pre_tokenizer = level if split is None else pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(split), "isolated"), level])
    return t


def gpt2():
    t = byte_level(None, prefix=True)
    t.add_special_tokens(["<s>", AddedToken("<m>", lstrip=True, rstrip=True)])
    t.add_tokens([AddedToken("  ", normalized=True), AddedToken("<w>", single_word=True)])
    b = t.token_to_id("<s>")
    t.post_processor = processors.RobertaProcessing(("<s>", b), ("<s>", b), trim_offsets=False, add_prefix_space=True)
    return t


def qwen2():
    t = byte_level(QWEN2)
    t.normalizer = normalizers.NFC()
    t.add_special_tokens(["<s>"])
    t.post_processor = processors.TemplateProcessing(single="$A <s>", special_tokens=[("<s>", t.token_to_id("<s>"))])
    return t


def llama3():
    t = byte_level(LLAMA3, ignore_merges=True)
    t.add_special_tokens(["<s>"])
    template = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", t.token_to_id("<s>"))])
    t.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    return t


def characters(scheme):
    pieces = ["<unk>", "<s>"] + [f"<0x{b:02X}>" for b in range(256)] + ["▁", "a", "b", "ab", "▁a", "▁ab", "h", "e", "he", "é"]
    merges = [("a", "b"), ("▁", "a"), ("▁", "ab"), ("h", "e")]
    t = Tokenizer(models.BPE(vocab={p: i for i, p in enumerate(pieces)}, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if scheme == "llama":
        t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    else:  # gemma
        t.normalizer = normalizers.Replace(" ", "▁")
        t.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    t.add_special_tokens(["<s>"])
    t.add_tokens([AddedToken("\n\n", normalized=False)])
    t.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return t


def unigram(scheme, whole=False):
    vocab = [("<s>", 0), ("</s>", 0), ("<unk>", 0), ("▁", -3.0), ("a", -4.0), ("b", -4.5), ("▁a", -3.5), ("ab", -5.0), ("aab", -9.5), ("he", -5.5), ("llo", -6.0), ("l", -5.0), ("o", -5.0), ("e", -5.0), (".", -3.3), ("...", -6.0), ("é", -7.0), ("1", -4.0), ("2", -4.25)]
    t = Tokenizer(models.Unigram(vocab, unk_id=2, byte_fallback=False))
    if scheme == "lower":
        t.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), normalizers.Strip(left=True, right=True), normalizers.Replace(Regex(" {2,}"), " ")])
        scheme = "always"
    space = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme=scheme, split=not whole)
    t.pre_tokenizer = space if whole or scheme != "always" else pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), space])
    t.add_special_tokens(["<s>", "</s>", AddedToken("<m>", lstrip=True)])
    t.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)])
    return t


def word_pieces(lower, strip):
    pieces = ["[PAD]", "[UNK]", "<s>", "</s>", "a", "##a", "b", "##b", "##ab", "hello", "Hello", "e", "é", "##é", ".", "!", "?", "'", "s", "1", "##2", "3", "##4", "##5", "##6", "x", "中", "文", "σ", "Σ", "ß", "-", "$", "が", "か", "_", "<", ">", "m", "w", "(", ")"]
    t = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]", continuing_subword_prefix="##", max_input_chars_per_word=100))
    t.normalizer = normalizers.BertNormalizer(lowercase=lower, strip_accents=strip)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.add_special_tokens(["<s>", "</s>", AddedToken("<m>", lstrip=True)])
    t.post_processor = processors.BertProcessing(("</s>", 3), ("<s>", 2))
    return t


KINDS = {
    "gpt2": gpt2(), "qwen2": qwen2(), "llama3": llama3(), "llama2": characters("llama"), "gemma": characters("gemma"),
    "xlmr": unigram("always"), "first": unigram("first"), "never": unigram("never"), "unsplit": unigram("always", whole=True), "lower": unigram("lower"),
    "uncased": word_pieces(True, None), "cased": word_pieces(False, None), "accents": word_pieces(True, False), "plain": word_pieces(False, True),
}  # fmt: skip

with open(sys.argv[1], "wb") as raw, gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as f:
    for i, (name, t) in enumerate(KINDS.items()):
        cases = [[x, t.encode(x).ids] for x in texts(i)]
        f.write(json.dumps({"name": name, "file": json.loads(t.to_str()), "cases": cases}, ensure_ascii=False).encode() + b"\n")
