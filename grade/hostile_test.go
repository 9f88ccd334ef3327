package grade_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"rcvae/grade"
)

func times(n int, s string) string { return strings.Repeat(s, n) }

// nested writes s n times around the middle.
func nested(n int, open, middle, end string) string { return times(n, open) + middle + times(n, end) }

// hostile answers are not worth computing, or as expensive as the limits allow.
var hostile = map[string][]string{
	"towers": {`2^{2^{2^{49}}}`, `9^{9^{9^{9}}}`, `10^{10^{100}}`, `2^{-2^{2^{40}}}`, `e^{e^{e^{e^{e}}}}`, `\pi^{\pi^{\pi^{\pi}}}`, `x^{x^{9}}+\frac{1}{x^{16777215}}`, times(1300, "x^") + "x",
		`(1+10^{-99})^{10^{99}}`, `(\sqrt2)^{10^{15}}`, `i^{i^{i^{i^{99999999}}}}`, nested(28, "(", "7^{9999}", ")^{2}"), nested(40, `2^{`, "3", "}"), `((x+1)^{16777215}+1)^{16777215}`},
	"factorials": {`(10^9)!`, `((9!)!)!`, "3" + times(3000, "!"), `30000!+x`, `\binom{10^9}{10^8}`, `\binom{131000}{65500}`, `\frac{20000!}{19999!}`, times(60, `9999!+`) + "1"},
	"floors": {times(80, `\lfloor 32768^{16777215}\rfloor+`) + "x", times(100, `\lfloor 2^{131000}/3\rfloor+`) + "x", nested(28, `\lfloor 7^{999}`, "x", `/3\rfloor`), times(60, `\lfloor\frac{3^{70000}}{7}\rfloor`),
		times(50, `\lceil\sqrt{2^{131070}+1}\rceil+`) + "1", nested(50, `\lfloor`, `\pi^{20}`, `\rfloor`), `\lfloor e^{1000000}\rfloor`, times(99, `\lfloor 10^{300}\pi\rfloor+`) + "x"},
	"sums": {`\sum_{k=1}^{100000000} k`, times(8, `\sum_{k=1}^{900}`) + "k", `\sum_{k=1}^{99999}\sum_{j=1}^{99999}\frac{1}{k+j}`, `\prod_{k=1}^{99999} k`, `\sum_{k=1}^{9999}\frac{1}{k^{99}}`, `\prod_{k=1}^{9999}\frac{k}{k+1}`,
		`\sum_{k=1}^{99999999}\sin k`, `\sum_{k=-10^{17}}^{10^{17}}1`, `\sum_{k=1}^{9999}\sqrt{k}^{k}`, `\prod_{k=1}^{999}\prod_{j=1}^{999}(x+jk)`},
	"products":  {times(400, "(x+7)"), times(900, "9999 \\cdot ") + "x", times(70, `2^{131071}\cdot `) + "1", times(150, `\frac{1}{3^{50000}}+`) + "1", times(1900, "x+") + "x", times(500, `\sqrt2`) + "x", times(90, `3^{40000}-`) + "y"},
	"fractions": {nested(25, `\frac{`, "1", `}{7^{9999}+1}`), nested(28, `\frac{1}{3+`, "x", "}"), times(190, `\frac{1}{9999999}+`) + "1", nested(55, `\frac1{`, "2", "}"), `\frac{1}{` + times(3900, "7") + "}", times(1900, "9") + "/" + times(1900, "7")},
	"functions": {times(180, `\arcsin x+`) + "x", nested(28, `\sin(`, "x", ")"), times(900, `\sin`) + "x", `\sqrt{2^{8000}+x}+` + times(300, `\ln x+`) + "1", `\sin(10^{300})`, `\sin(10^{10^{6}})`, `\tan(2^{4000}\pi)`, `\ln(\ln(\ln(10^{10^{5}})))`,
		times(150, `\log_{x} y+`) + "1", nested(50, `\sqrt{2+`, "x", "}"), times(800, `\sqrt`) + "2", `\sqrt{2^{131070}}+\sqrt{2^{131069}+1}`, `\sqrt[99999999]{2}`, `\sqrt[x^{x^{x}}]{y}`, times(100, `\arctan(x+iy)+`) + "1"},
	"digits": {times(4000, "9"), "0." + times(3900, "0") + "1", "1e999", "1.5e-999", `0.\overline{` + times(1900, "7") + "}", times(2000, "z") + "_{36}", times(3900, "1") + "_2", "37" + times(2000, "%"), times(390, "1,234,567,"), "1" + times(600, " 000")},
	"collections": {times(1500, "a,") + "b", nested(50, "(1,", "2", ")"), times(63, `\sin x,`) + "1", times(63, `\sqrt{2},`) + "1", times(50, `\pm\sqrt2\pm `) + "1", times(300, `(1,2)\cup`) + "(3,4)", times(500, "x<") + "y", times(60, "x=y,") + "2",
		times(100, `\begin{pmatrix}1&x\\y&1\end{pmatrix}`), `\begin{pmatrix}` + times(900, "1&") + `1\end{pmatrix}`, times(7, `\begin{pmatrix}`+times(8, "x+1&x&y&x^9&2&3&4&5\\\\")+`\end{pmatrix}`), nested(28, `\{1,`, "x", `\}`), times(200, "1:") + "2"},
	"brackets": {nested(2000, "{", "1", "}"), nested(900, "(1+", "1", ")"), times(2000, "("), nested(900, "|", "x", "|"), times(1000, `\frac`), times(1000, `\left(`), times(600, `\text{a}`), times(1900, "x_"), "0" + times(3900, "I"), times(1300, "sin"), "x" + times(3900, "é"), `\text{` + times(3900, "a") + "}"},
}

// judgeHostile judges every hostile answer by easy and by hard gold answers, and calls
// visit with the verdict and the bytes that were allocated.
func judgeHostile(g *grade.Grader, visit func(kind, gold, answer string, verdict grade.Verdict, bytes uint64, took time.Duration)) {
	var before, after runtime.MemStats
	for kind, answers := range hostile {
		for _, answer := range answers {
			for _, gold := range []string{"7", `\sqrt2+x`, `\begin{pmatrix}1&2\\3&4\end{pmatrix}`, answer + "+1", "1+" + answer, answer + ",1"} {
				runtime.ReadMemStats(&before)
				begin := time.Now()
				verdict := g.Judge(`\boxed{`+gold+`}`, `\boxed{`+answer+`}`)
				took := time.Since(begin)
				runtime.ReadMemStats(&after)
				visit(kind, gold, answer, verdict, after.TotalAlloc-before.TotalAlloc, took)
			}
		}
	}
}

// No hostile answer is called right, and none takes more memory than a budget of words
// can fill.
func TestHostileAnswers(t *testing.T) {
	const most = 32 << 20 // bytes
	count := 0
	for _, answers := range hostile {
		count += len(answers)
	}
	if count < 60 {
		t.Errorf("%d hostile answers, want 60 or more", count)
	}
	g := newGrader(t, "math")
	undecided := map[string]bool{}
	judgeHostile(g, func(kind, gold, answer string, verdict grade.Verdict, bytes uint64, _ time.Duration) {
		if verdict.Verdict == grade.Correct {
			t.Errorf("%s: %.60q to gold %.60q is correct by %q", kind, answer, gold, verdict.DecidedBy)
		}
		if bytes > most && !raceEnabled {
			t.Errorf("%s: %.60q to gold %.60q allocates %d bytes, want at most %d", kind, answer, gold, bytes, most)
		}
		if verdict.Verdict == grade.Ungraded && gold == "7" {
			undecided[answer] = true
		}
	})
	for _, answer := range []string{`2^{2^{2^{49}}}`, `(10^9)!`, `e^{e^{e^{e^{e}}}}`, hostile["brackets"][0], hostile["factorials"][2]} {
		if !undecided[answer] {
			t.Errorf("%.60q is decided, want ungraded", answer)
		}
	}
	if got := g.Judge("7", `\boxed{`+nested(50_000, "{", "", "}")+`}`); got.Verdict != grade.Ungraded || got.Rule != "too-large" {
		t.Errorf("100 kB of braces are %s by %q, want ungraded as too large", got.Verdict, got.Rule)
	}
}

// BenchmarkHostile reports the longest time and the most memory that one verdict on a
// hostile answer takes.
func BenchmarkHostile(b *testing.B) {
	g := newGrader(b, "math")
	var longest time.Duration
	var most uint64
	for b.Loop() {
		longest, most = 0, 0
		judgeHostile(g, func(_, gold, answer string, _ grade.Verdict, bytes uint64, took time.Duration) {
			if took > longest {
				longest = took
				b.Logf("%v, %d bytes: %.50q to gold %.50q", took, bytes, answer, gold)
			}
			most = max(most, bytes)
		})
	}
	b.ReportMetric(float64(longest)/float64(time.Millisecond), "worst-ms")
	b.ReportMetric(float64(most)/(1<<20), "worst-MiB")
}
