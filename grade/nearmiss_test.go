package grade_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae/grade"
)

// A near-miss is a gold answer changed so little that a grader who rounds, drops or
// reorders takes it for right.
type nearMiss struct {
	Kind string `json:"kind"`
	Gold string `json:"gold"`
	Miss string `json:"miss"`
}

// hash names a near-miss in the golden file, which holds no text of a problem.
func (m nearMiss) hash() string {
	sum := sha256.Sum256([]byte(m.Gold + "\x00" + m.Miss))
	return hex.EncodeToString(sum[:8])
}

// ownGolds are golds of every kind of answer, and those that were once graded wrong.
var ownGolds = []string{
	"7", "-12", "0.25", "1.375", `\frac{3}{8}`, `-\frac{11}{13}`, `3\frac{1}{4}`, "41,902", `2^{4950}`, `2^{4181}`, `3^{3000}`, `\frac{1}{2010!}`, `2^{65536}`, `\frac{10000000}{10000001}`, `1-\frac{1}{2^{99}}`,
	`\sqrt{7}`, `2\sqrt{3}`, `\sqrt[3]{5}`, `\frac{\sqrt2+1}{3}`, `4\pi`, `\frac{\pi}{7}`, `e^{3}`, `\ln 5`, `\log_2 7`, `\sin 40^\circ`, `2^{400}\sqrt{2}`, `e^{\pi\sqrt{163}}`, `3+4i`, `x^2-3x+1`, `(x+2)(x-5)`, `\frac{x}{x+1}`,
	`\binom{9}{4}`, `8!`, "(3,-5)", `\left(2,\frac{\pi}{3}\right)`, "(1,2,4)", "[2,7)", `(-\infty,3]`, `(-\infty,-1)\cup(4,\infty)`, `\{2,5,11\}`, "3,8", `5\pm\sqrt{2}`, "3:8", "312_5", `37\%`, `14\text{ cm}`, `\$26.50`, `60^\circ`,
	"x=4", "y=3x-7", "2x+5y=9", "x>6", `-3\le x<8`, `\begin{pmatrix}1&0\\4&2\end{pmatrix}`, `\begin{pmatrix}3\\-2\end{pmatrix}`, `\lfloor\sqrt{50}\rfloor`, `\sum_{k=1}^{20}k^2`, "0.000123", "123456789", "6.02e23", `1999^{5050}`,
}

// nearMisses changes a gold answer in every way that applies.
func nearMisses(gold string) []nearMiss {
	var all []nearMiss
	add := func(kind, miss string) {
		if miss != gold {
			all = append(all, nearMiss{kind, gold, miss})
		}
	}
	if last := strings.LastIndexAny(gold, "0123456789"); last >= 0 {
		add("last digit", gold[:last]+string('0'+(gold[last]-'0'+1)%10)+gold[last+1:])
		if strings.Trim(gold, "-0123456789") == "" {
			add("ten times", gold+"0")
		}
		first := strings.IndexAny(gold, "123456789")
		if first >= 0 {
			add("sign of a number", gold[:first]+"-"+gold[first:])
		}
		if strings.HasPrefix(gold, `\frac{`) {
			add("point five", strings.Replace(gold, "}", ".5}", 1))
		}
		if first >= 0 && first != last {
			add("first digit", gold[:first]+string('1'+(gold[first]-'0')%9)+gold[first+1:])
		}
	}
	if inner, delimiters, ok := coordinates(gold); ok {
		if inner[0] != inner[1] {
			inner[0], inner[1] = inner[1], inner[0]
			add("swapped coordinates", delimiters[:1]+strings.Join(inner, ",")+delimiters[1:])
		}
		if len(inner) > 2 {
			add("half open", "["+strings.Join(inner, ",")+")")
		}
		if delimiters == "[)" || delimiters == "(]" {
			add("other bracket", "["+strings.Join(inner, ",")+"]")
		}
	}
	if !strings.Contains(gold, "%") {
		add("one more", gold+", 17")
	}
	if !strings.ContainsAny(gold, `=<>,{:%_$`) && !strings.Contains(gold, `\`) || isExpression(gold) {
		add("plus one", gold+"+1")
		add("minus one", gold+"-1")
		add("twice", "2("+gold+")")
		add("inverse", `\frac{1}{`+gold+"}")
		add("negative", "-("+gold+")")
	}
	return all
}

// isExpression reports whether a gold answer in LaTeX is a number or a formula.
func isExpression(gold string) bool {
	for _, other := range [...]string{"=", "<", ">", ",", ":", "%", "$", `\text`, `\mbox`, `\in`, `\le`, `\ge`, `\{`, `\cup`, `\pm`, `\begin`, "_", `\circ`, "|", `\mathb`, `\infty`} {
		if strings.Contains(gold, other) {
			return false
		}
	}
	return strings.Contains(gold, `\`) || strings.ContainsAny(gold, "{^")
}

// coordinates splits a tuple or an interval without nested commas.
func coordinates(gold string) (items []string, delimiters string, ok bool) {
	s := strings.ReplaceAll(strings.ReplaceAll(gold, `\left`, ""), `\right`, "")
	if len(s) < 5 || !strings.ContainsAny(s[:1], "([") || !strings.ContainsAny(s[len(s)-1:], ")]") || strings.ContainsAny(s[1:len(s)-1], "()[]") {
		return nil, "", false
	}
	items = strings.Split(s[1:len(s)-1], ",")
	return items, s[:1] + s[len(s)-1:], len(items) > 1
}

// trainGolds returns the distinct gold answers of the training problems, and nothing if
// the shared folder is absent.
func trainGolds(t *testing.T) []string {
	t.Helper()
	var golds []string
	seen := map[string]bool{}
	for _, name := range [...]string{"math", "gsm8k"} {
		path := filepath.Join(sharedData(), name, "train.jsonl.gz")
		if _, err := os.Stat(path); err != nil {
			return nil
		}
		for _, problem := range readPool(t, path, 1<<20) {
			if !seen[problem.Answer] {
				seen[problem.Answer] = true
				golds = append(golds, problem.Answer)
			}
		}
	}
	return golds
}

// goldenMisses returns Math-Verify's verdicts by hash, see tools/golden/nearmiss.py.
func goldenMisses(t *testing.T) map[string]bool {
	t.Helper()
	var golden struct{ Rows map[string]int }
	if err := json.NewDecoder(unpacked(t, "testdata/nearmisses.json.gz")).Decode(&golden); err != nil {
		t.Fatal(err)
	}
	same := map[string]bool{}
	for hash, verdict := range golden.Rows {
		same[hash] = verdict == 1
	}
	return same
}

// No near-miss is correct unless Math-Verify calls it so too.
func TestNearMisses(t *testing.T) {
	golds, least := trainGolds(t), 20_000
	if golds == nil {
		least = 200
	}
	golds = append(golds, ownGolds...)
	if path := os.Getenv("RCVAE_NEARMISSES"); path != "" {
		writeMisses(t, path, golds)
		return
	}
	theirs := goldenMisses(t)
	g := newGrader(t, "math")
	count, correct := 0, map[string]int{}
	for _, gold := range golds {
		for _, m := range nearMisses(gold) {
			same, known := theirs[m.hash()]
			if !known {
				continue
			}
			count++
			verdict := g.Judge(m.Gold, `\boxed{`+m.Miss+`}`)
			if verdict.Verdict != grade.Correct {
				continue
			}
			correct[m.Kind]++
			if !same {
				t.Errorf("%s: gold %q, answer %q is correct by %q, want not", m.Kind, m.Gold, m.Miss, verdict.DecidedBy)
			}
		}
	}
	t.Logf("%d near-misses, correct: %v", count, correct)
	if count < least {
		t.Errorf("%d near-misses are in the golden file, want at least %d", count, least)
	}
}

func writeMisses(t *testing.T, path string, golds []string) {
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, gold := range golds {
		for _, m := range nearMisses(gold) {
			line, err := json.Marshal(struct {
				nearMiss
				Hash string `json:"hash"`
			}{m, m.hash()})
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(file, "%s\n", line)
		}
	}
}
