package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"rcvae/eval"
)

const undefined = "–" // stands for a figure that is not there

func percent(x float64) string { return fmt.Sprintf("%.1f", 100*x) }

func wholePercent(x float64) string { return fmt.Sprintf("%.0f", 100*x) }

// points writes a difference in points, with a true minus.
func points(x float64) string { return sign(100*x, 1) }

// sign writes a number with its sign, and 0 without.
func sign(x float64, digits int) string {
	s := fmt.Sprintf("%+.*f", digits, x)
	if strings.Trim(s, "+-0.") == "" {
		return s[1:]
	}
	return minus(s)
}

// minus makes a leading hyphen a minus.
func minus(s string) string {
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		return "−" + rest
	}
	return s
}

func interval(ci *eval.Interval) string {
	if ci == nil {
		return ""
	}
	return fmt.Sprintf("[%.1f, %.1f]", 100*ci[0], 100*ci[1])
}

func pointInterval(ci *eval.Interval) string {
	if ci == nil {
		return ""
	}
	return fmt.Sprintf("[%s, %s]", points(ci[0]), points(ci[1]))
}

func pValue(p *float64) string {
	switch {
	case p == nil:
		return undefined
	case *p < 0.001:
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", *p)
}

func optional(x *float64, unit float64, format string) string {
	if x == nil {
		return undefined
	}
	return fmt.Sprintf(format, unit**x)
}

func three(x float64) string {
	if math.IsNaN(x) {
		return undefined
	}
	return fmt.Sprintf("%.3f", x)
}

// short writes a tick with as many digits as it needs.
func short(x float64) string {
	return minus(strconv.FormatFloat(math.Round(x*1e6)/1e6, 'g', -1, 64))
}
