package grade_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"rcvae/grade"
)

// pairs lists what is the same and what is not at the level symbolic. The facts are
// those that the tests of inspect_ai, Hendrycks et al. and Math-Verify encode, with
// cases of our own; docs/grading.md names where we decide otherwise.
var pairs = map[string]struct{ same, different [][2]string }{
	"numbers": {
		[][2]string{{`\frac{3}{8}`, "0.375"}, {"8641000", "8,641,000"}, {`2.4 \times 10^3`, "2400"}, {"0.6", ".6"}, {`2\frac{3}{4}`, "11/4"}, {`\sqrt{49}`, "7"}, {`0.\overline{36}`, `\frac{4}{11}`}, {"1/7", "0.142857142857"}, {"7", "007"}, {"3!", "6"}, {`\binom{7}{3}`, "35"}, {`\frac{\frac12}{3}`, `\frac16`}},
		[][2]string{{"1/7", "0.1428"}, {"5", "5.0001"}, {"2", `\frac{1+\sqrt3}{2}`}, {"6", `6\sqrt2`}, {"1/1000!", "1/1001!"}, {`\frac{1}{2^{300}}`, `\frac{1}{2^{301}}`}, {"41,902", "41, 902"}, {`\frac{3992004}{3988009}`, `\frac{3992004.5}{3988009}`}, {`8:34 \text{ p.m.}`, `8:-34 \text{ p.m.}`}},
	},
	"currency, units, percent, degrees": {
		[][2]string{{`\$26,\!500`, "26500"}, {`14\text{ cm}`, "14"}, {`14 \text{ square meters}`, "14"}, {"14 feet", "14"}, {`37\%`, "37"}, {`12.5\%`, "0.125"}, {`81^\circ`, "81"}, {"81°", `81^{\circ}`}, {`\angle QRS = 81^\circ`, "81"}, {"19 percent", `19\%`}, {`20\%\text{ and }30\%`, "20, 30"}, {"3.2 million", "3,200,000"}, {`3.2\text{ million}`, "3200000"}},
		[][2]string{{"3 million", "3"}, {"6", "3 feet 2 inches"}, {`37\%`, "3.7"}, {`14\text{ cm}`, "140"}},
	},
	"huge powers": {
		[][2]string{{`1999^{5050}`, `1999^{5050}`}, {`1999^{5050}`, `1999 \cdot 1999^{5049}`}, {`\binom{1800}{900}`, `\binom{1800}{900}`}, {"1/1999!", `\frac{1}{1999!}`}},
		[][2]string{{`2^{1999}`, `5^{1999}`}, {`\binom{1800}{900}`, `\binom{1800}{901}`}},
	},
	"roots": {
		[][2]string{{`\sqrt{\sqrt{3}}`, "3**(1/4)"}, {"-2 + sqrt(5)", `\sqrt{5}-2`}, {"(4*sqrt(7))/9", `\frac{4\sqrt{7}}{9}`}, {`\sqrt{12}`, `2\sqrt3`}, {`\frac{1}{\sqrt{2}}`, `\frac{\sqrt2}{2}`}, {`\sqrt{7+4\sqrt3}`, `2+\sqrt3`}, {`\sqrt[3]{x}^2`, `x^{2/3}`}, {`\sqrt{x^2}`, "|x|"}},
		[][2]string{{`\sqrt{x^2}`, "x"}, {`1\sqrt{23}`, "1"}, {`e^{\pi\sqrt{163}}`, "262537412640768744"}, {`\sqrt{10}`, "3.1623"}},
	},
	"expressions": {
		[][2]string{{"x^3-x^3", "0"}, {"(a+3)(a-3)", "a^2-9"}, {`\frac{y+5}{3}`, `\frac{y}{3}+\frac53`}, {`1+\cot^2 t`, `\csc^2 t`}, {`\sin 2x`, `2\sin x\cos x`}, {`3\cos u\sin v`, `3 \sin v \cos u`}, {`\frac{\pi s}{k+s}`, `\frac{s\pi}{s+k}`}, {`\ln(x^2)`, `2\ln|x|`}, {`f(n)=n^2+n`, `n(n+1)`}, {"2-7k", "-7k+2"}, {`\sum_{k=1}^{10}k`, `\sum_{k=1}^{10} k`}, {`F_n = \sum_{j=0}^{n} F_j F_{n-j}`, `F_n = \sum_{j=0}^{n} F_{n-j} F_j`}},
		[][2]string{{"(a+4)(b+1)", "(+4)(b+1)"}, {"x+3m+2", "x+2"}, {"g(u)", "g(v)"}, {"x", "y"}, {"7 = 3a+c", "3a+c"}, {"5", "5+c"}},
	},
	"complex numbers": {
		[][2]string{{`\frac{1}{i}`, "-i"}, {`e^{i\pi/3}`, `\frac12+\frac{\sqrt3}{2}i`}, {"(2+i)^2", "3+4i"}, {`\frac{3+i\sqrt3}{2}, 4`, `4, \frac32 + \frac{\sqrt3}{2} i`}},
		[][2]string{{"3+4i", "3-4i"}},
	},
	"equations": {
		[][2]string{{"x=4", "4"}, {"4=x", "x=4"}, {"4", "n=4"}, {`x \approx 9`, "9"}, {"x = 2+5 = 7", "7"}, {"z = 2/7 \\approx 0.29", "2/7"}, {"3x+6y-5=0", `y=-\frac12x+\frac56`}, {`x^2/9+y^2/5=1`, `5x^2+9y^2=45`}, {"x+4y-3z+9=0", "-x-4y+3z-9=0"}, {"|PQ|=3", "3"}, {`\frac{AB}{CD}=\frac25`, "0.4"}, {"(a,b)=(5,1)", "(5,1)"}, {"AB=6,CD=7", "6, 7"}},
		[][2]string{{"x=2,y=1", "x=1,y=2"}, {"a+5z=0", "0"}, {"3x+y=1", "1"}, {"7x - 2y + z + 5 = 0", "x + y - z + 3 = 0"}, {"b^2+a=0", "0"}},
	},
	"inequalities and intervals": {
		[][2]string{{"x<7", "7>x"}, {`x \geq 2`, "x>=2"}, {"-x < 4", "x > -4"}, {`-3 \le x \le 8`, "[-3,8]"}, {"x>6", `(6,\infty)`}, {`x \neq 4`, `(-\infty,4)\cup(4,\infty)`}, {`\mathbb{R}\setminus\{4\}`, `(-\infty,4)\cup(4,\infty)`}, {"x<-1 or x>2", `(-\infty,-1)\cup(2,\infty)`}, {`[3,5)\cup(0,1)`, `(0,1)\cup[3,5)`}, {`2\le|z|\le5`, `[-5,-2]\cup[2,5]`}, {`x\in(-\infty,\tfrac37]`, `\left(-\infty,\frac{3}{7}\right]`}, {`x^2 < 3y`, `3y - x^2 > 0`}, {`\{-2\}\cup[0,5)`, `x \in \{-2\} \cup [0, 5)`}},
		[][2]string{{"x>6", "x<6"}, {`x \ge 4`, `x \le 4`}, {"[0,6]", "[0,6)"}, {"(0,6)", "[0,6)"}, {"2", "-[0,2)"}, {`(1,2)\cup(2,3)`, "(1,3)"}, {"x<1", "x>-1"}},
	},
	"lists, sets, tuples": {
		[][2]string{{`\{4,9,2\}`, "2,4,9"}, {`-3,8`, "8,-3"}, {"1,5", `5 \text{ and } 1`}, {"8 or 3", "3,8"}, {"$5$ and $6$", "5,6"}, {`(2,\frac{\pi}{3})`, `\left( 2, \frac{\pi}{3} \right)`}, {`4 \pm \sqrt{7}`, `4-\sqrt7, 4+\sqrt7`}, {`\pm 12`, "-12, 12"}, {"(2;0;1)", "(2,0,1)"}, {"a=6,b=3;a=8,b=3", "(6,3),(8,3)"}, {"(2,7),(7,2)", "(7,2),(2,7)"}, {"(1,6)", "{1,6}"}, {`\{2\pm\sqrt3,-5\}`, `-5, 2+\sqrt3, 2-\sqrt3`}, {"7:32", "7:32"}, {"S_1:S_2=3:8", "3:8"}, {`\langle 2,-1 \rangle`, "(2,-1)"}, {`\lfloor 7/2 \rfloor, \lceil 7/2 \rceil`, "3,4"}, {`\lfloor -\sqrt{10} \rfloor`, "-4"}, {`\frac{1}{2}\begin{pmatrix}2\\4\end{pmatrix}`, `\begin{pmatrix}4\\8\end{pmatrix}/4`}},
		[][2]string{{"(6,1)", "(1,6)"}, {"(6,1)", "{1,6}"}, {"[1,6]", "1,6"}, {"[1,6)", "1,6"}, {"1,2,3", "1,2"}, {"(5,-5,-6)", "[5,-5,-6)"}, {"(1,2,3)", "(1,2)"}, {`\pm 12`, "12"}, {"11:00", "1:00"}, {"2,6,9", "2,6,8"}},
	},
	"matrices": {
		[][2]string{{`\begin{pmatrix}1&0\\4&2\end{pmatrix}`, `\begin{bmatrix} 1 & 0 \\ 4 & 2 \end{bmatrix}`}, {`\begin{pmatrix}\frac12\\3\end{pmatrix}`, `\left[\begin{array}{c}0.5\\3\end{array}\right]`}, {`\begin{pmatrix}3&5\end{pmatrix}`, `\begin{pmatrix}1&2\end{pmatrix}+\begin{pmatrix}2&3\end{pmatrix}`}, {`\begin{pmatrix}2&1\\4&3\end{pmatrix}`, `\begin{pmatrix}1&2\\3&4\end{pmatrix}\begin{pmatrix}0&1\\1&0\end{pmatrix}`}, {`\begin{pmatrix}2\\-4\end{pmatrix}`, `-2\begin{pmatrix}-1\\2\end{pmatrix}`}},
		[][2]string{{`\begin{pmatrix}1&0\\4&2\end{pmatrix}`, `\begin{pmatrix}1&0\\4&3\end{pmatrix}`}, {`\begin{pmatrix}1&2\end{pmatrix}`, `\begin{pmatrix}1\\2\end{pmatrix}`}},
	},
	"words, letters, bases": {
		[][2]string{{`\text{Tamara}`, "Tamara"}, {`\text{(D)}`, "D"}, {`\text{even}`, `"even"`}, {`\text{Odd}`, "odd"}, {`312_5`, "312_{5}"}, {"312_5", "312"}, {"even $k$", "even $k$"}, {`\text{e}`, "e"}},
		[][2]string{{`\text{A}`, "B"}, {"312_5", "313_5"}, {"312_5", "312_6"}, {"82", "312_5"}, {`\text{Tamara}`, "Tamar"}, {"silent", "listen"}},
	},
}

func TestSymbolicPairs(t *testing.T) {
	g := newGrader(t, "math")
	for name, group := range pairs {
		for _, p := range group.same {
			if !g.Equivalent(p[0], p[1]) || !g.Equivalent(p[1], p[0]) {
				t.Errorf("%s: %q and %q are different, want the same", name, p[0], p[1])
			}
		}
		for _, p := range group.different {
			if g.Equivalent(p[0], p[1]) || g.Equivalent(p[1], p[0]) {
				t.Errorf("%s: %q and %q are the same, want different", name, p[0], p[1])
			}
		}
	}
}

func newGrader(t testing.TB, name string) *grade.Grader {
	t.Helper()
	g, err := grade.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// What is the same at one level is at the next, and each level adds something.
func TestLevelsAreNested(t *testing.T) {
	graders := []*grade.Grader{newGrader(t, "math-string"), newGrader(t, "math-numeric"), newGrader(t, "math-symbolic")}
	counts := make([]int, len(graders))
	for _, group := range pairs {
		for _, p := range append(slices.Clone(group.same), group.different...) {
			before := false
			for i, g := range graders {
				same := g.Equivalent(p[0], p[1])
				if before && !same {
					t.Errorf("%q and %q are the same at level %s and not at %s", p[0], p[1], graders[i-1].Level(), g.Level())
				}
				if before = same; same {
					counts[i]++
				}
			}
		}
	}
	if counts[0] == 0 || counts[1] <= counts[0] || counts[2] <= counts[1] {
		t.Errorf("pairs that are the same at each level: %v, want rising", counts)
	}
}

// The level string is that of the normalisation of Hendrycks et al.: it knows no order
// of items and no arithmetic.
func TestLevelString(t *testing.T) {
	g := newGrader(t, "math-string")
	for _, p := range [][2]string{{`\tfrac{2}{5}+\!\frac1{31}`, `\\dfrac{2}{5} +\frac{1}{31}`}, {`8\text{ apples}`, "8 "}, {"9", `\$9`}, {`\left(y-1\right)\left(y+1\right)`, "(y-1)(y+1)"}, {"0.3", ".3"}, {`45\%`, "45"}, {`7\sqrt{2}+\sqrt5`, `7\sqrt2+\sqrt{5}`}, {`\frac58i`, `\frac{5}{8}i`}, {"3/4", `\frac{3}{4}`}, {"0.5", `\frac12`}} {
		if !g.Equivalent(p[0], p[1]) {
			t.Errorf("%q and %q are different, want the same", p[0], p[1])
		}
	}
	for _, p := range [][2]string{{`\frac{2}{5}+\frac1{31}`, `\frac{2}{5}+3/4`}, {"9, 5, -1", "5, 9, -1"}, {"8 apples", "80"}, {"3x-2y+4=0", "x+y+1=0"}, {"2", "2.0"}, {"0.25", `\frac14`}} {
		if g.Equivalent(p[0], p[1]) {
			t.Errorf("%q and %q are the same, want different", p[0], p[1])
		}
	}
}

// Classes do not depend on the order of the answers, equivalent answers share one, and
// a chain of equivalent pairs is one class.
func TestClasses(t *testing.T) {
	g := newGrader(t, "math")
	answers := []string{"28", `\frac12`, "", "0.28", "0.5", `28\%`, "x=28", `\sqrt{0.25}`, "Tamara", `\text{tamara}`, "7"}
	class, count := g.Classes(answers)
	if want := []int{0, 1, -1, 0, 1, 0, 0, 1, 2, 2, 3}; !slices.Equal(class, want) || count != 4 {
		t.Errorf("Classes() = %v, %d, want %v, 4", class, count, want)
	}
	if g.Equivalent("28", "0.28") {
		t.Error("28 and 0.28 are equivalent: the test needs a relation that is not transitive")
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		order := r.Perm(len(answers))
		shuffled := make([]string, len(answers))
		for i, j := range order {
			shuffled[i] = answers[j]
		}
		got, n := g.Classes(shuffled)
		if n != count {
			t.Fatalf("%d classes in the order %v, want %d", n, order, count)
		}
		next := 0
		for i := range got {
			for k := range got {
				if (got[i] == got[k]) != (class[order[i]] == class[order[k]]) {
					t.Fatalf("%q and %q are grouped differently in the order %v", shuffled[i], shuffled[k], order)
				}
			}
			if got[i] > next {
				t.Fatalf("classes %v are not numbered in order", got)
			}
			next = max(next, got[i]+1)
		}
	}
}

// Verdicts on repeated gold answers need little memory.
func TestRepeatedGoldAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("counts allocations")
	}
	g := newGrader(t, "math")
	gold, answer := `\left( \frac{\sqrt3}{2}, \frac{11\pi}{8} \right)`, `So it is \boxed{12}.`
	const most = 16
	if got := testing.AllocsPerRun(100, func() { g.Judge(gold, answer) }); got > most {
		t.Errorf("a verdict allocates %v times, want at most %d", got, most)
	}
}

// Judge knows which answer is the gold one.
func TestJudgeIsAsymmetric(t *testing.T) {
	g := newGrader(t, "math")
	if got := g.Judge("6m", `\boxed{b+c+d=6m}`); got.Verdict != grade.Correct || got.DecidedBy != "side" {
		t.Errorf("an equation for its last side: %+v, want correct", got)
	}
	if got := g.Judge("b+c=6m", `\boxed{b+d=6m}`); got.Verdict != grade.Incorrect {
		t.Errorf("another equation: %+v, want incorrect", got)
	}
	if got := g.Judge("b+c+d=6m", `\boxed{6m}`); got.Verdict != grade.Incorrect {
		t.Errorf("the last side for an equation: %+v, want incorrect", got)
	}
}

func ExampleGrader_Classes() {
	g, err := grade.New("math")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(g.Classes([]string{`\frac{1}{2}`, "2x+2", "0.5", "2(x+1)", "", "x = 1/2"}))
	// Output: [0 1 0 1 -1 0] 2
}

func ExampleGrader_Judge() {
	g, err := grade.New("math")
	if err != nil {
		fmt.Println(err)
		return
	}
	v := g.Judge(`[3,\infty)`, `Hence $\boxed{x \ge 3}$.`)
	fmt.Println(v.Verdict, v.Rule, v.DecidedBy)
	// Output: correct boxed set
}

// A choice is its letter and the text of that choice, and nothing that changes it.
func TestChoices(t *testing.T) {
	g := newGrader(t, "math")
	for answer, want := range map[string]string{
		"(C)": grade.Correct, "(C) 12": grade.Correct, `\text{(C)}\ 12`: grade.Correct, "(C)12": grade.Correct, "C. the third": grade.Correct,
		"(C), 17": grade.Incorrect, `(C) \text{ or } 17`: grade.Incorrect, "(C)^2": grade.Incorrect, "(C)x": grade.Incorrect, `(C)\times 10`: grade.Incorrect, "(C)/3": grade.Incorrect,
	} {
		if got := g.Judge(`\text{(C)}`, `\boxed{`+answer+`}`); got.Verdict != want {
			t.Errorf("%q is %s, want %s", answer, got.Verdict, want)
		}
	}
}
