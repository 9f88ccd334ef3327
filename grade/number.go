package grade

import (
	"math/big"
	"strconv"
	"strings"
)

// maxDigits is the length of the longest number literal that is read exactly.
const maxDigits = 400

// number is the exact value of a literal.
type number struct{ big.Rat }

// String returns an integer in full, and anything else rounded to 6 decimals, or to
// 6 significant digits below 1.
func (n *number) String() string {
	if n.IsInt() {
		return n.Num().String()
	}
	value, _ := n.Float64()
	if value > -1 && value < 1 {
		rounded, err := strconv.ParseFloat(strconv.FormatFloat(value, 'e', 5, 64), 64)
		if err == nil {
			value = rounded
		}
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	s := strings.TrimRight(n.FloatString(6), "0")
	return strings.TrimSuffix(s, ".")
}

// canonicalNumber returns the number of a short answer such as "\$1,234.50",
// "3 + 4 = 7", "\frac{3}{4}", "2 1/2 hours" or "15\%", as [number.String] does. Of
// an equation, the last side counts; of several numbers, the first.
func canonicalNumber(answer string) (string, bool) {
	if len(answer) > maxAnswer {
		return "", false
	}
	text := plainNumbers(answer)
	for {
		i := strings.LastIndexByte(text, '=')
		if n, ok := firstNumber(text[i+1:]); ok {
			return n.String(), true
		}
		if i < 0 {
			return "", false
		}
		text = text[:i]
	}
}

// plainNumbers rewrites what stands around numbers in LaTeX and in money.
func plainNumbers(s string) string {
	if strings.ContainsAny(s, "\\$%{\u2212") {
		s = numberMarks.Replace(s)
	}
	return s
}

var numberMarks = strings.NewReplacer(`\$`, "", "$", "", `\%`, "", "%", "", `\!`, "", "{,}", ",", `\,`, "", `\ `, " ", "~", " ", "\u2212", "-",
	`\dfrac`, `\frac`, `\tfrac`, `\frac`, `\cfrac`, `\frac`, `\text`, " ", `\mathrm`, " ", `\mathbf`, " ", `\textbf`, " ")

// firstNumber reads the first number, fraction or mixed number of a text. A time of day
// is a number of hours.
func firstNumber(s string) (*number, bool) {
	for i := 0; i < len(s); i++ {
		if n, end, ok := scanNumber(s, i); ok {
			n.Add(&n.Rat, minutes(s, end))
			return n, true
		}
	}
	return nil, false
}

// minutes reads the ":30" of a time of day, in hours.
func minutes(s string, i int) *big.Rat {
	if i+3 > len(s) || s[i] != ':' || s[i+1] > '5' || digitsEnd(s, i+1) != i+3 || i+3 < len(s) && s[i+3] == ':' {
		return new(big.Rat)
	}
	return big.NewRat(int64(s[i+1]-'0')*10+int64(s[i+2]-'0'), 60)
}
