package train

import (
	"strings"
	"testing"

	"rcvae/eval"
)

func TestHeldOutWarnings(t *testing.T) {
	const negative, few = "majority was better", "too few for the interval"
	for _, tt := range []struct {
		name       string
		mixed      int
		diff       float64
		ci         eval.Interval
		want, lack []string
	}{
		{"a gain", 200, 0.03, eval.Interval{0.01, 0.05}, nil, []string{negative, few}},
		{"a gain that may be chance", 200, 0.01, eval.Interval{-0.01, 0.03}, nil, []string{negative, few}},
		{"a loss that may be chance", 200, -0.01, eval.Interval{-0.03, 0.01}, []string{negative, "-1.0 points", "may be chance"}, []string{few}},
		{"a loss", 200, -0.03, eval.Interval{-0.05, -0.01}, []string{negative, "more than chance", "--selector majority"}, []string{few}},
		{"few questions", 8, 0.1, eval.Interval{-0.1, 0.3}, []string{few, "only 8"}, []string{negative}},
		{"a loss on few questions", 8, -0.1, eval.Interval{-0.3, 0.1}, []string{few, negative}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &HeldOut{Questions: 300, Mixed: tt.mixed, Selectors: []eval.Selector{{Measured: eval.Measured{Name: "vote:entropy", VsMajority: eval.Comparison{Diff: tt.diff, CI95: &tt.ci}}}}}
			got := strings.Join(h.warnings(), "\n")
			for _, part := range tt.want {
				if !strings.Contains(got, part) {
					t.Errorf("warnings %q, want %q in them", got, part)
				}
			}
			for _, part := range tt.lack {
				if strings.Contains(got, part) {
					t.Errorf("warnings %q, want no %q in them", got, part)
				}
			}
		})
	}
}
