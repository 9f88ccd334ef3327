package boxed_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rcvae/internal/boxed"
)

func TestLast(t *testing.T) {
	tests := []struct {
		text, want string
		ok         bool
	}{
		{`so $x = \boxed{5}$.`, "5", true},
		{`\boxed{1} and then \boxed{2}`, "2", true},
		{`\boxed{\frac{1}{2}}`, `\frac{1}{2}`, true},
		{`\boxed {7}`, "7", true},
		{`\fbox{7}`, "7", true},
		{`\framebox{7}`, "7", true},
		{`so \box{A}.`, "A", true},
		{`\boxplus 3`, "", false},
		{`\boxed 5 apples`, "5", true},
		{`$\boxed 5$`, "5", true},
		{`\boxed\frac{1}{2}$`, `\frac{1}{2}`, true},
		{`{\boxed5}`, "5", true},
		{`\boxed{\left\{1,2\right.}`, `\left\{1,2\right.`, true},
		{`\boxed{}`, "", true},
		{`$\\boxed{8}$`, "8", true},
		{`\boxed{\boxed{3}}`, "3", true},
		{`\boxed{4} \boxed{5`, "4", true},
		{`\boxed{4} \boxed`, "4", true},
		{`\boxed{4} \boxed{ {5} `, "4", true},
		{`a } b \boxed{6}`, "6", true},
		{`boxed{5}`, "", false},
		{`\boxed{5`, "", false},
		{`\`, "", false},
		{"", "", false},
	}
	for _, test := range tests {
		got, ok := boxed.Last(test.text)
		if got != test.want || ok != test.ok {
			t.Errorf("Last(%q) = %q, %v, want %q, %v", test.text, got, ok, test.want, test.ok)
		}
	}
}

func TestLastIsLinear(t *testing.T) {
	for _, piece := range []string{`\boxed{`, `\boxed`, `{`, `}`, `\boxed{}`, `\boxed x{`} {
		text := strings.Repeat(piece, 1<<20/len(piece))
		begin := time.Now()
		boxed.Last(text)
		if took := time.Since(begin); took > time.Second {
			t.Errorf("1 MiB of %q took %v", piece, took)
		}
	}
}

// What is put into a last box comes out again, whatever stands before it.
func FuzzLast(f *testing.F) {
	f.Add(`x = \boxed{1}`, `\frac{1}{2}`)
	f.Add(`{{ \boxed{`, `\{`)
	f.Fuzz(func(t *testing.T, before, content string) {
		if !balanced(content) || strings.Contains(content, "box") {
			return
		}
		// A backslash at the end of before would escape the box.
		got, ok := boxed.Last(before + ` \boxed{` + content + `}`)
		if !ok || got != content {
			t.Errorf("Last() = %q, %v, want %q", got, ok, content)
		}
	})
}

func balanced(s string) bool {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
			if i == len(s) {
				return false
			}
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth < 0 {
			return false
		}
	}
	return depth == 0
}

func ExampleLast() {
	answer, ok := boxed.Last(`Hence $\boxed{\frac{1}{2}}$ of them are red.`)
	fmt.Println(answer, ok)
	// Output: \frac{1}{2} true
}
