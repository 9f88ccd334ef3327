package signal_test

import (
	"fmt"
	"strings"
	"testing"

	"rcvae/signal"
)

// verdicts writes equations as "left|right|holds" lines.
func verdicts(text string) string {
	var lines []string
	for _, e := range signal.Equations(text) {
		verdict := "holds"
		if !e.Holds {
			verdict = "want " + e.Want
		}
		lines = append(lines, fmt.Sprintf("%s|%s|%s", e.Left, e.Right, verdict))
	}
	return strings.Join(lines, "\n")
}

func TestEquations(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"plain", "so he has 20 - 3 - 4 = 13 pens left", "20 - 3 - 4|13|holds"},
		{"wrong", "so he has 20 - 3 - 4 = 12 pens left", "20 - 3 - 4|12|want 13"},
		{"precedence", "2 + 3 * 4 = 14", "2 + 3 * 4|14|holds"},
		{"parentheses", "(2 + 3) * 4 = 24", "(2 + 3) * 4|24|want 20"},
		{"cross of typography", "3 × 4 = 13", "3 × 4|13|want 12"},
		{"the letter x", "5 x 3 = 16 and 5x3 = 15", "5 x 3|16|want 15\n5x3|15|holds"},
		{"division sign", "12 ÷ 5 = 2.4", "12 ÷ 5|2.4|holds"},
		{"money", "9 eggs * $2 per egg = $19", "9 eggs * $2|19|want 18"},
		{"thousands", "1,200 + 2,300 = 3,600", "1,200 + 2,300|3,600|want 3500"},
		{"thousands in LaTeX", `1{,}200 + 2{,}300 = 3{,}500`, `1{,}200 + 2{,}300|3{,}500|holds`},
		{"units between", "3 boxes x 12 eggs/box + 2 eggs = 40 eggs", "3 boxes x 12 eggs/box + 2|40|want 38"},
		{"units in LaTeX", `16 \text{ eggs/day} - 3 \text{ eggs/day} = 12 \text{ eggs/day}`, `16 \text{ eggs/day} - 3|12|want 13`},
		{"fractions in LaTeX", `\frac{48}{2} = 25`, `\frac{48}{2}|25|want 24`},
		{"nested fractions", `\frac{1}{2} + \dfrac{1}{3} = \frac{5}{6}`, `\frac{1}{2} + \dfrac{1}{3}|\frac{5}{6}|holds`},
		{"commands", `5 \times 6 = 31 \quad 8 \div 2 = 4`, `5 \times 6|31|want 30` + "\n" + `8 \div 2|4|holds`},
		{"mixed number", "2 1/2 + 1/2 = 3", "2 1/2 + 1/2|3|holds"},
		{"powers", "2^3 + 3² = 18", "2^3 + 3²|18|want 17"},
		{"power of a group", `2^{2+1} = 8`, `2^{2+1}|8|holds`},
		{"roots", `\sqrt{16} + \sqrt[3]{27} = 8`, `\sqrt{16} + \sqrt[3]{27}|8|want 7`},
		{"factors side by side", "2(3 + 4) = 15", "2(3 + 4)|15|want 14"},
		{"percent of", "20% of 50 = 11", "20% of 50|11|want 10"},
		{"percent in LaTeX", `20\% \times 50 = 10`, `20\% \times 50|10|holds`},
		{"percent of in LaTeX", `10\% \text{ of } 40 = 5`, `10\% \text{ of } 40|5|want 4`},
		{"percent as a unit", "5 / 20 * 100 = 25%", "5 / 20 * 100|25%|holds"},
		{"percent left out", "5 / 20 = 25%", "5 / 20|25%|holds"},
		{"half of", "half of 48 = 24, half of 12 is 7", "half of 48|24|holds\nhalf of 12|7|want 6"},
		{"share of", "1/4 of the 60 students = 15", "1/4 of the 60|15|holds"},
		{"in words", "5 plus 3 equals 9. 6 times 7 is equal to 42. 12 divided by 4 equals 3", "5 plus 3|9|want 8\n6 times 7|42|holds\n12 divided by 4|3|holds"},
		{"chain", "2 * 3 = 6 + 1 = 7", "2 * 3|6 + 1|holds\n6 + 1|7|holds"},
		{"chain with a wrong middle", "(2 + 3) * 4 = 5 * 4 = 21", "(2 + 3) * 4|5 * 4|holds\n5 * 4|21|want 20"},
		{"aligned", "\\begin{align*}\nx &= 3 + 4 \\\\\n&= 8\n\\end{align*}", "3 + 4|8|want 7"},
		{"next line", "Total = 3 + 4\n= 7", "3 + 4|7|holds"},
		{"annotation", "50/2 = <<50/2=25>>25 cards", "50/2|25|holds"},
		{"annotation alone", "He pays $<<18-3=14>>14.", "18-3|14|want 15"},
		{"boxed", `3 + 4 = \boxed{8}`, `3 + 4|{8}|want 7`},
		{"table", "| 1 | 3 * 4 = 12 | 5 + 5 = 11 |", "3 * 4|12|holds\n5 + 5|11|want 10"},
		{"list marks", "1. 3 + 4 = 7\n2) 3 + 5 = 9\n- 8 - 5 = 3", "3 + 4|7|holds\n3 + 5|9|want 8\n8 - 5|3|holds"},
		{"bold", "**Total**: **3 + 4 = 7**", "3 + 4|7|holds"},
		{"rounded", "10 / 3 = 3.33, 10 / 3 = 3.3, 10 / 3 = 3, 10 / 3 ≈ 3.4", "10 / 3|3.33|holds\n10 / 3|3.3|holds\n10 / 3|3|holds\n10 / 3|3.4|holds"},
		{"rounded wrongly", "10 / 3 = 3.63", "10 / 3|3.63|want 3.3333"},
		{"nothing to round", "10 / 4 = 2.51", "10 / 4|2.51|want 2.5"},
		{"rounded operand", "33.33 * 3 = 100 and 0.67 * 300 = 200", "33.33 * 3|100|holds\n0.67 * 300|200|holds"},
		{"negative", "(-3) * 4 = -12; 3 - 8 = -4", "(-3) * 4|-12|holds\n3 - 8|-4|want -5"},
		{"degrees", `180^\circ - 50^\circ = 120^{\circ}`, `180^\circ - 50^\circ|120^{\circ}|want 130`},
		{"identity", `2(x + 3) = 2x + 6`, `2(x + 3)|2x + 6|holds`},
		{"terms collected wrongly", `M + 2M + 19M = 38M.`, `M + 2M + 19M|38M|want 22M`},
		{"constants collected wrongly", `12 + 24 + (24 + x) = 76 + x.`, `12 + 24 + (24 + x)|76 + x|want x + 60`},
		{"floats that cancel", `(\sqrt[3]{7})^3 - 7 = 0`, `(\sqrt[3]{7})^3 - 7|0|holds`},
		{"quotient of quantities", `\frac{72 \text{ people}}{576 \text{ people/week}} = 1.2`, `\frac{72 \text{ people}}{576 \text{ people/week}}|1.2|want 0.125`},
		{"product of measures", "35 hours/day * 5 days * $10/hour = $1775", "35 hours/day * 5 days * $10|1775|want 1750"},
		{"ordinals", `7 \text{ (first)} + 9 \text{ (the third)} = 17`, `7 \text{ (first)} + 9|17|want 16`},
		{"whole annotation", "<<20*5=1>>1", "20*5|1|want 100"},
		{"fence in a program", "```python\nx = 3 + 4 # = 8\n```", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := verdicts(c.text); got != c.want {
				t.Errorf("Equations(%q) =\n%s\nwant\n%s", c.text, got, c.want)
			}
		})
	}
}

// TestDeclined lists what must not be judged: a side that is not read as a whole, an
// equation to be solved, or one that is right in another sense.
func TestDeclined(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"variable left", "x + 40 = 300 + 40"},
		{"left end cut", "… + 200 + 250 = 750"},
		{"variable before a product", "2y + 60 * 2 = 300"},
		{"name in the sum", `\text{price} + 5 \times 2 = 40`},
		{"function", "f(5) + 3 = 20, gcd(12, 4 + 4) = 4"},
		{"label", "Step 2 = 5 + 4 and Day 3 = 12"},
		{"conversion", "3 feet = 36 inches; 2 hours + 30 minutes = 150 minutes"},
		{"cents", "20 * 25 cents = $5"},
		{"dozen", "3 dozen + 6 = 42"},
		{"to be solved", "2x + 3 = 11, 3x = x + 8, y + 8 = y + 3"},
		{"congruence", `2^{10} = 4 \pmod{6}`},
		{"denied", `9 + 9 = 20 is not true`},
		{"difference in the wrong order", "70 - 80 = 10"},
		{"from left to right", "100 - 4 / 6 = 16"},
		{"fraction as divisor", "7.5 / 1/2 = 15"},
		{"terms worked out one by one", "8 + 95 * 0.10 = 9.50 + 120 * 0.05 = 6"},
		{"ellipsis", "1 + 2 + ... + 100 = 5050"},
		{"time of day", "3:30 + 2 = 5"},
		{"number in a base", "11_2 + 1_2 = 100_2"},
		{"matrix", `\begin{pmatrix} 1 \\ 3 \cdot 2 \end{pmatrix} = \begin{pmatrix} 1 \\ 7 \end{pmatrix}`},
		{"two measures", "2*2 + 40 = 4 hours and 40 minutes"},
		{"operation of the question", "3 * 2 = 3^2 + 3 * 2 - 2^2"},
		{"comparison", "3 + 4 == 8, 3 + 4 != 8, x += 3"},
		{"cut at the limit", "so 30 * 5 = 15"},
		{"floors", "300/5 + 300/25 + 300/125 = 60 + 12 + 2"},
		{"cents without their name", "20 × 45 = $9.00"},
		{"rate per hundred", "1600 calories / 200 calories/100 ml = 800 ml"},
		{"range", "aged 45-54 is 145"},
		{"measures of wood", "each 2x4 = $4 / 200"},
		{"variable with an index", "3x1^2 - 5x1 + 3x2^2 = 6"},
		{"share of what is not read", "150% of the length + 20 = 140"},
		{"half of what is not read", "half their speed - 5 = 20"},
		{"half of a possession", "half of Ann’s 2009 = 24 / 2"},
		{"segments as factors", `\frac{1}{2}(AB)(BC)=\frac{1}{2}(7)(5)`},
		{"a segment behind a fraction", `MN = \frac{5}{4}OM = \frac{5}{4} \cdot 8, \sqrt{3}AC = \sqrt{3}(3 + 4)`},
		{"a segment as divisor", "AQ = 2 \\cdot 66/BC = 2 \\cdot 66/20"},
		{"an area in brackets", `K = \frac{1}{2} [APC] = \frac{3}{20} ac`},
		{"two letters", `\frac{4}{3} ab = 4`},
		{"factors in words", `\frac{1}{3}(\text{base area})(\text{height})=\frac{1}{3}(32)(3)`},
		{"a number of something", "42 plus 24 times number of weeks equals 282"},
		{"a factor behind the right side", `30 \times 3 = \frac{2}{3} (H + 5) \times 3`},
		{"terms on the next line", "80 + 79 + 81 &= 80 + (80 - 1) \\\\\n&\\quad + (80 + 1)"},
		{"the argument on the next line", "\\log_{20}\n\\frac{1}{20} = -1"},
		{"percent behind the formula", `$\frac{15}{25} = 60$ percent and $30.96 - 29.97 = 99$ cents`},
		{"a share is a sum of money", "3/8 is equal to $375"},
		{"factor of conversion", `\frac{7 \text{ knicks}}{2 \text{ knacks}} = 1`},
		{"a product is converted", "5 hours * 2 tasks/minute = 600"},
		{"millilitres", `2 \text{ liters} + 750 \text{ milliliters} = 2.75`},
		{"times of day", "0900 - 0130 = 0730"},
		{"a last digit", `the units digit of 7 \cdot 3 = 1`},
		{"behind a bar", "|x - 7| - 3 + 3 = -2 + 3"},
		{"an open parenthesis", "$100 + ($100 * 2 = $300"},
		{"a case that is rejected", `if a = 0, then 1 + 0 = 3. This is a contradiction`},
		{"a word with a number in it", "17 pounds because20 - 3 = 5"},
		{"enumeration with results", "3/(3+2) = 3/5 of $100"},
		{"sum of two halves", "with 5 and 3 + 4 = 12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, e := range signal.Equations(c.text) {
				if !e.Holds {
					t.Errorf("Equations(%q) calls %q wrong, want it declined", c.text, e.Text)
				}
			}
		})
	}
}

// TestOffsets: the words of an equation stand where it says.
func TestOffsets(t *testing.T) {
	const text = "Müller’s 3 – 1 = 2 and «4 + 4 = 9»"
	got := signal.Equations(text)
	if len(got) != 2 {
		t.Fatalf("Equations(%q) = %d equations, want 2", text, len(got))
	}
	for i, want := range []string{"3 – 1 = 2", "4 + 4 = 9"} {
		if e := got[i]; text[e.Start:e.End] != want || e.Text != want {
			t.Errorf("equation %d = %q at %q, want %q", i, e.Text, text[e.Start:e.End], want)
		}
	}
}
