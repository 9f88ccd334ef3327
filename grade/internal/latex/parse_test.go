package latex_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"rcvae/grade/internal/latex"
)

// names of the kinds, in the order of their declaration.
var names = strings.Fields("num sym text sum mul neg div pow call pm pct base list tuple set union minus matrix ratio rel")

// write shows a tree as an S-expression.
func write(n *latex.Node) string {
	switch n.Kind {
	case latex.Number:
		return n.Value.RatString()
	case latex.Symbol:
		return n.Name
	}
	parts := []string{names[n.Kind]}
	if n.Name != "" {
		parts = append(parts, n.Name)
	}
	parts = append(parts, n.Ops...)
	for _, a := range n.Args {
		parts = append(parts, write(a))
	}
	return "(" + strings.Join(parts, " ") + ")"
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		// numbers
		`17`: "17", `0.25`: "1/4", `.5`: "1/2", `3,456,789`: "3456789", `3{,}456`: "3456", `3,\!456`: "3456", `3\frac{1}{4}`: "13/4", `3 1/4`: "13/4", `12 345`: "12345",
		`0.1\overline{6}`: "1/6", `0.\overline{27}`: "3/11", `\$45`: "45", `4.5e3`: "(mul 9/2 (pow 10 3))", `132_7`: "(base 132 7)", `60\%`: "(pct 60)", `60 percent`: "(pct 60)",
		// units
		`9\text{ kg}`: "9", `9\mbox{ cm}^2`: "9", `9 miles`: "9", `45^\circ`: "45", `45^{\circ}`: "45", `45°`: "45", `9 cm`: "9", `4 million`: "(mul 4 (pow 10 6))", `4.5\text{ billion}`: "(mul 9/2 (pow 10 9))",
		// expressions
		`\frac12`: "(div 1 2)", `\frac1{23}`: "(div 1 23)", `\dfrac{a}{b}c`: "(mul (div a b) c)", `\sqrt5`: "(call root 5 2)", `\sqrt[3]{5}`: "(call root 5 3)", `sqrt(5)`: "(call root 5 2)",
		`2xy^2`: "(mul 2 x (pow y 2))", `-x^2`: "(neg (pow x 2))", `a-b-c`: "(sum a (neg b) (neg c))", `a-(b-c)`: "(sum a (neg (sum b (neg c))))", `a/b/c`: "(div (div a b) c)",
		`2**(1/4)`: "(pow 2 (div 1 4))", `2^{3^4}`: "(pow 2 (pow 3 4))", `5!`: "(call factorial 5)", `\binom{6}{2}`: "(call binom 6 2)", `|x-1|`: "(call abs (sum x (neg 1)))",
		`\sin 2x\cos x`: "(mul (call sin (mul 2 x)) (call cos x))", `\sin^2 x`: "(pow (call sin x) 2)", `\tan^{-1}x`: "(call arctan x)", `\log_3 x`: "(call log x 3)",
		`\lfloor x \rfloor`: "(call floor x)", `\sum_{k=1}^{4} k^2`: "(call sum k 1 4 (pow k 2))", `x_1+x_{12}`: "(sum x_1 x_12)", `2 \pm \sqrt3`: "(pm pm 2 (call root 3 2))", `2 \cdot -3`: "(mul 2 (neg 3))",
		// relations and collections
		`x=3`: "(rel = x 3)", `1 < x \le 2`: "(rel < <= 1 x 2)", `x >= 2`: "(rel >= x 2)", `x != 2`: "(rel != x 2)", `x \in [1,2)`: "(rel in x (tuple [) 1 2))", `3:4`: "(ratio 3 4)",
		`(1, 2)`: "(tuple () 1 2)", `(1,234)`: "(tuple () 1 234)", `\left(-\infty,3\right]`: "(tuple (] (neg infty) 3)", `\{1,2\}`: "(set 1 2)", `\lbrace 1,2 \rbrace`: "(set 1 2)", `\langle 1, 2 \rangle`: "(tuple () 1 2)", `[1;2]`: "(tuple [] 1 2)", `(1,2)\cup[3,4]`: "(union (tuple () 1 2) (tuple [] 3 4))",
		`1, 2 \text{ and } 3`: "(list 1 2 3)", `1 or 2`: "(list or 1 2)", `a=1,b=2;a=3,b=4`: "(list (list (rel = a 1) (rel = b 2)) (list (rel = a 3) (rel = b 4)))",
		`\begin{pmatrix}1&2\\3&x\end{pmatrix}`: "(matrix 1 2 3 x)", `\left[\begin{array}{cc}1&2\end{array}\right]`: "(matrix 1 2)", `\mathbb{R}\setminus\{2\}`: "(minus mathbb:R (set 2))",
		// words
		`\text{Marie}`: "(text marie)", `Marie`: "(text marie)", `\text{(B)}`: "B", `\text{May 7}`: "(text may 7)", `n \text{ is even}`: "(mul n text:is even)",
		// broken once by escaping
		`\\frac{1}{2}`: "(div 1 2)", `1 \\le x`: "(rel <= 1 x)",
	} {
		n, err := latex.Parse(text, latex.DefaultLimits())
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
			continue
		}
		if got := write(n); got != want {
			t.Errorf("Parse(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, text := range []string{``, `(`, `)`, `1+`, `\frac{1}`, `\begin{pmatrix}1&2\\3\end{pmatrix}`, `\begin{cases}1\end{cases}`, `(1]`, `[1)`, `\{1`, `x^`, `|x`, `\sum k`, `a \implies b`, `3 feet 2 inches`, `5_`} {
		if n, err := latex.Parse(text, latex.DefaultLimits()); !errors.Is(err, latex.ErrSyntax) {
			t.Errorf("Parse(%q) = %v, %v, want ErrSyntax", text, n, err)
		}
	}
	limits := latex.Limits{Bytes: 4 << 10, Nodes: 100, Depth: 20}
	for name, text := range map[string]string{
		"long": strings.Repeat("1", 5000), "wide": strings.Repeat("1+", 200) + "1", "deep": strings.Repeat("(", 30) + "1" + strings.Repeat(")", 30),
		"tower": strings.Repeat("2^", 30) + "2", "factorials": "5" + strings.Repeat("!", 40), "roots": strings.Repeat(`\sqrt`, 30) + "2", "braces": strings.Repeat("{", 900),
	} {
		if n, err := latex.Parse(text, limits); !errors.Is(err, latex.ErrBudget) {
			t.Errorf("%s: Parse() = %v, %v, want ErrBudget", name, n, err)
		}
	}
}

func ExampleParse() {
	n, err := latex.Parse(`x = \frac{1}{2}`, latex.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(n.Kind == latex.Relation, n.Ops, n.Args[0].Name, n.Args[1].Kind == latex.Quotient)
	// Output: true [=] x true
}

// A text has a tree within the limits or an error, and reading it again with spaces
// around gives the same tree.
func FuzzParse(f *testing.F) {
	for _, text := range []string{`\frac12`, `(1,2]\cup\{3\}`, `\begin{pmatrix}1\\2\end{pmatrix}`, `2^{3^4}!`, `x<1 \text{ or } y=2`, `\sqrt[3]{x_1}`, `\sum_{k=1}^n k`, `1{,}000\%`, "\xe1_\\"} {
		f.Add(text)
	}
	limits := latex.Limits{Bytes: 1 << 10, Nodes: 300, Depth: 30}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := latex.Parse(text, limits)
		if err != nil {
			if !errors.Is(err, latex.ErrSyntax) && !errors.Is(err, latex.ErrBudget) {
				t.Errorf("Parse(%q): error %v", text, err)
			}
			return
		}
		nodes := 0
		n.Walk(func(n *latex.Node) bool {
			nodes++
			if n.Kind == latex.Number && n.Value == nil || n.Kind == latex.Relation && len(n.Ops) != len(n.Args)-1 || n.Kind == latex.Matrix && len(n.Args)%n.Columns != 0 {
				t.Errorf("Parse(%q) has a broken node: %s", text, write(n))
			}
			return true
		})
		if nodes > limits.Nodes {
			t.Errorf("Parse(%q) has %d nodes, want at most %d", text, nodes, limits.Nodes)
		}
		if again, err := latex.Parse(" "+text+" ", limits); len(text) < limits.Bytes-2 && (err != nil || write(again) != write(n)) {
			t.Errorf("Parse(%q) = %s, with spaces around %v, %v", text, write(n), again, err)
		}
	})
}
