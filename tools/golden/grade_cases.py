"""How many cases of other graders' test suites rcvae decides as they do.

    python tools/golden/grade_cases.py bin/rcvae --math-verify DIR --inspect DIR --hendrycks DIR [--all]

The folders are clones of huggingface/Math-Verify, UKGovernmentBEIS/inspect_ai and
hendrycks/math, which stay outside of this repository. Prints the count of each file and
the cases that differ. Cases that need an option of Math-Verify (a precision, a mode that
rcvae has not) count like all others. Needs pytest, sympy and math-verify, which
Math-Verify's tests import.
"""

import argparse
import importlib
import json
import os
import re
import subprocess
import sys

FILES = ["test_all", "test_boxed", "test_numina_cases", "test_open_thoughts", "test_strict", "test_yujianll"]


def math_verify(folder):
    """The parameters of the tests that compare a gold answer with a prediction."""
    sys.path.insert(0, folder)
    for name in FILES:
        module = importlib.import_module("tests." + name)
        for test in vars(module).values():
            for mark in getattr(test, "pytestmark", []):
                if mark.name != "parametrize":
                    continue
                names = [n.strip() for n in mark.args[0].split(",")]
                for case in mark.args[1]:
                    case = dict(zip(names, case))
                    yield name, case["gold"], case["pred"], bool(case.get("expected", case.get("result")))


def inspect(folder):
    with open(os.path.join(folder, "tests/scorer/math_cases.json")) as f:
        for case in json.load(f):
            yield "inspect_ai", case["target"], case["output"], case["expected"] == "C"


def hendrycks(folder):
    """The strings of the unit tests: test_in, test_out and the assertion."""
    with open(os.path.join(folder, "modeling/math_equivalence_test.py")) as f:
        found = re.findall(r'test_in = (".*?")\n\s*test_out = (".*?")\n\s*self\.assert(True|False)', f.read())
    for a, b, wanted in found:
        yield "is_equiv", json.loads(a), json.loads(b), wanted == "True"


def verdicts(command, cases, kind, boxed):
    lines = "".join(json.dumps({"kind": kind, "gold": g, "answer": "\\boxed{" + a + "}" if boxed else a}) + "\n" for _, g, a, _ in cases)
    out = subprocess.run([command, "grade"], input=lines, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command")
    parser.add_argument("--math-verify")
    parser.add_argument("--inspect")
    parser.add_argument("--hendrycks")
    args = parser.parse_args()
    for folder, read, kind, boxed in [
        (args.math_verify, math_verify, "math", False),
        (args.inspect, inspect, "math", False),
        (args.hendrycks, hendrycks, "math-string", True),
    ]:
        if not folder:
            continue
        cases = list(read(folder))
        right = 0
        for (name, gold, answer, want), got in zip(cases, verdicts(args.command, cases, kind, boxed), strict=True):
            if (got["verdict"] == "correct") == want:
                right += 1
            else:
                print(f"  {name}: want {want}, {got['verdict']} by {got.get('decided_by')}: gold {gold[-80:]!r} answer {answer[-120:]!r} extracted {got['extracted']!r}")
        print(f"{read.__name__}: {right} of {len(cases)} as expected ({100 * right / len(cases):.1f} %)")


if __name__ == "__main__":
    main()
