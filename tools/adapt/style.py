"""Changes of a solution's style, for robustness: every label stays.

`plain` takes away what another family of models would not write the same way (boxes, headings, emphasis, list marks, LaTeX
delimiters) and leaves every number and word; `program` writes the equations of a solution as a program.
"""

from __future__ import annotations

import re

BOX = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")
MARKS = [
    (re.compile(r"^\s*#{1,6}\s*(?!#)", re.M), ""),  # headings; GSM8K's #### stays
    (re.compile(r"\*\*|__|`+"), ""),
    (re.compile(r"\\[\[\]()]|\$\$?"), " "),
    (re.compile(r"\\(?:text|mathrm|mbox)\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\d?frac\{([^{}]*)\}\{([^{}]*)\}"), r"\1/\2"),
    (re.compile(r"\\times|\\cdot"), "*"),
    (re.compile(r"^\s*(?:[-*]|\d+[.)])\s+", re.M), ""),
    (re.compile(r"^\s*Step \d+[:.]?\s*", re.M | re.I), ""),
    (re.compile(r"[ \t]+"), " "),
    (re.compile(r"\n\s*\n+"), "\n"),
]
TERM = r"\(*\$?\d[\d,]*(?:\.\d+)?%?\)*"
EQUATION = re.compile(rf"({TERM}(?:\s*[-+*/×÷]\s*{TERM})+)\s*=\s*\$?(-?\d[\d,]*(?:\.\d+)?)")


def plain(text: str) -> str:
    boxes = BOX.findall(text)
    text = BOX.sub(r"\1", text)
    for pattern, replacement in MARKS:
        text = pattern.sub(replacement, text)
    text = text.strip()
    # Half of the families end with a sentence in place of a box.
    return f"{text} The answer is {boxes[-1]}." if boxes and len(text) % 2 else text


def program(text: str, answer: str) -> str:
    """Returns the solution as a program with its output; the text itself when it has no equations."""
    bare = plain(text)
    equations = list(EQUATION.finditer(bare))
    if not equations or not answer:
        return text
    lines, name, end = [], "x", 0
    for i, m in enumerate(equations):
        words = re.findall(r"[a-z]{3,}", bare[end : m.start()].lower())[-3:]
        name, end = "_".join(words) or f"x{i}", m.end()
        side = m.group(1).replace("$", "").replace(",", "").replace("×", "*").replace("÷", "/").replace("%", " / 100")
        lines.append(f"    {name} = {side.strip()}")
    code = "\n".join(lines)
    return f"```python\ndef solution():\n{code}\n    return {name}\n\nprint(solution())\n```\n```output\n{answer}\n```\nThe answer is $\\boxed{{{answer}}}$."
