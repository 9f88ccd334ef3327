"""Golden token ids and embeddings of all-MiniLM-L6-v2 from Hugging Face transformers.

    python tools/golden/minilm.py MODEL-FOLDER DEMO-DATA embed/minilm/testdata

MODEL-FOLDER holds model.safetensors, config.json and the tokenizer's files; DEMO-DATA is
the folder of the demonstration pools. Writes golden.jsonl.gz (text, ids) and
golden.safetensors (embeddings, one float16 row a text). Needs torch and transformers.
"""

import gzip
import json
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoModel, AutoTokenizer, BertTokenizer

MAX_TOKENS = 512


def own_texts():
    yield from ["", " ", "\n\t  \r\n", "a", ".", "0", "[", "]", "##", "##ing", "[CLS]", "[SEP] in the middle [MASK] of text",
                "[cls] lower", "[UNK][PAD]", "[CLS][SEP][SEP]", "x[SEP]y", "[[SEP]]", "[ SEP ]"]
    yield from [
        r"\boxed{72}", r"So \(\frac{48}{2} = 24\), thus \(48 + 24 = \boxed{72}\).", r"$\sqrt[3]{x^2 + \tfrac{1}{2}}$",
        r"\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}", r"$$\sum_{i=1}^{n} i = \frac{n(n+1)}{2}$$", r"x_{1,2}^{-3} \le \pi \cdot 10^{-5}",
        r"\text{Evelyn} \in \mathbb{R}^n \setminus \{0\}", "#### 1,234.56", "<<48/2=24>>24 clips", "$1,000,000.00 at 3.5% p.a.",
        "3.14159265358979323846264338327950288419716939937510", "1e-9 2^10 5! 7/8 -12 +3 ~4 =5 <6 >7 |8|",
        "0x1F 0b1010 1_000 12:34:56 2026-11-24", "½ + ¼ = ¾, x² + y³ = z⁴, H₂O, ①②③, Ⅷ", "10 km² per m³ ± 5 °C",
    ]
    yield from [
        "café naïve résumé Ångström über façade", "CAFÉ NAÏVE ÜBER", "Żółć gęślą jaźń", "Ελληνικά γράμματα: αβγ ΑΒΓ ς Σ", "Привет, мир! Ёлка",
        "שלום עולם", "مرحبا بالعالم", "हिन्दी में पाठ", "ภาษาไทย", "한국어 문장입니다", "日本語のテキスト、カタカナ。", "汉字和English混排123", "中文，标点。「引号」",
        "𠀀𠀁 rare ideographs 𪜀", "ﬁ ligature ﬂ", "İstanbul ıssız", "ß ẞ straße STRASSE", "ǅ ǆ Ǆ", "e\u0301 = é, n\u0303 = ñ", "A\u030a\u0323 stacked",
        "tiếng Việt có dấu", "Ĳsselmeer œuvre æon", "x\u0338 struck",
    ]
    yield from [
        "emoji 😀 👍🏽 👩‍👩‍👧 🇩🇪 ❤️ end", "😀", "🤖🤖🤖", "a\u200bb zero width", "soft\u00adhyphen", "no\u00a0break\u2003space", "tab\tand\nnewline\rreturn",
        "null\x00byte and \x07bell \x1b[0m escape", "replacement \ufffd character", "private \ue000 use", "bom \ufeff inside", "line\u2028sep\u2029para",
        "“curly” ‘quotes’ – — … • ·", "«guillemets» ¿qué? ¡sí!", "a.b.c. U.S.A. e.g. i.e.", "don't can't it's o'clock", "e-mail: someone@example.org",
        "https://example.org/path?q=1&r=2#frag", "snake_case camelCase kebab-case", "`code` ```block``` ~~strike~~", "**bold** _it_ ## Heading\n- item\n1. one",
        "def f(x):\n    return x**2  # square", '{"answer": 42, "ok": true}', "<html><b>tag</b></html>", "a|b||c & d && e", "100% sure; 50/50: @home #tag ^up",
        "§ ¶ © ® ™ € £ ¥ ¢ ₹ ₿", "← ↑ → ↓ ⇒ ∀ ∃ ∈ ∉ ∑ ∏ ∫ √ ∞ ≈ ≠ ≤ ≥", "α ≤ β ⟹ f(α) ≤ f(β)", "′ ″ ‰ ‱ ※",
    ]
    yield from [
        "supercalifragilisticexpialidocious", "pneumonoultramicroscopicsilicovolcanoconiosis", "x" * 99, "x" * 100, "x" * 101, "ab" * 60, "é" * 100, "é" * 101,
        "1" * 150, "." * 150, "汉" * 150, "word " * 509, "word " * 510, "word " * 511, "word " * 600, "unbelievableness " * 200, "😀 " * 520, "a " * 5000,
        "The quick brown fox jumps over the lazy dog.", "THE QUICK BROWN FOX", "the  quick   brown    fox", "Question: What is 2 + 3?\nAnswer: 5",
    ]


def demo_texts(folder, n):
    with gzip.open(folder + "/pool-test-qwen2.5-coder-0.5b.jsonl.gz", "rt", encoding="utf-8") as f:
        for i, line in zip(range(n), f):
            item = json.loads(line)
            if i % 8 == 0:
                yield item["question"]
            yield item["candidates"][i % len(item["candidates"])]["text"]


def main():
    model_dir, demo, out = sys.argv[1:]
    texts = list(own_texts()) + list(demo_texts(demo, 100))
    tokenizer = AutoTokenizer.from_pretrained(model_dir)
    slow = BertTokenizer(model_dir + "/vocab.txt", do_lower_case=True)
    model = AutoModel.from_pretrained(model_dir, torch_dtype=torch.float32).eval()
    rows, all_ids = [], []
    for text in texts:
        # Without padding and truncation settings of the file, which cut at 128 tokens.
        ids = tokenizer(text, truncation=True, max_length=MAX_TOKENS, padding=False)["input_ids"]
        if ids != slow(text, truncation=True, max_length=MAX_TOKENS)["input_ids"]:
            print("fast and slow tokenizers differ on", ascii(text[:40]), file=sys.stderr)
        with torch.no_grad():
            states = model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long)).last_hidden_state[0]
        mean = states.double().mean(0)
        rows.append((mean / mean.norm()).half())
        all_ids.append(ids)
    save_file({"embeddings": torch.stack(rows)}, out + "/golden.safetensors")
    with gzip.GzipFile(out + "/golden.jsonl.gz", "wb", mtime=0) as f:
        for text, ids in zip(texts, all_ids):
            f.write((json.dumps({"text": text, "ids": ids}) + "\n").encode())
    print(len(texts), "texts,", sum(map(len, all_ids)), "tokens")


if __name__ == "__main__":
    main()
