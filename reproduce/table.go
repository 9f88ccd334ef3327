package reproduce

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"rcvae/eval"
)

// Cell is what a rule is worth on a suite in one way of grading, as a fraction.
type Cell struct {
	Accuracy float64        `json:"accuracy"`
	CI95     *eval.Interval `json:"ci95"`
	N        int            `json:"n"`
	Seeds    []float64      `json:"seeds,omitempty"` // of each of several models alone
}

// Row is one line of the long table: a rule, and its cells by suite and way of grading.
type Row struct {
	Name  string                     `json:"name"`
	Cells map[string]map[string]Cell `json:"cells"`
}

// Table is the outcome of a run.
type Table struct {
	LLM         string   `json:"llm"`
	Embedder    string   `json:"embedder"`
	Suites      []string `json:"suites"`
	Rows        []Row    `json:"rows"`
	Differences []string `json:"differences"`
	Warnings    []string `json:"warnings,omitempty"`
}

// place is where the result has a row's figure.
type place struct{ row, arm, group, rule string }

// places are the rows of the table, in order.
var places = []place{
	{"greedy, T = 0", Greedy, none, "random"},
	{"greedy of the released code, T = 1", AuthorsGreedy, none, "random"},
	{"top-k 32, one sample", TopK, none, "random"},
	{"top-k 32, majority", TopK, none, "majority"},
	{"top-p 0.9, one sample", TopP, Ours, "random"},
	{"top-p 0.9, majority", TopP, Ours, "majority"},
	{"R-CVAE of the text: lowest entropy", TopP, AsPublished, "entropy"},
	{"R-CVAE of the code: smallest ‖μ‖", TopP, AsReleased, "norm"},
	{"ours: `entropy`, contrastive", TopP, Ours, "entropy"},
	{"ours: `vote:entropy`", TopP, Ours, "vote:entropy"},
	{"ours: `tiebreak:entropy`", TopP, Ours, "tiebreak:entropy"},
	{"ours: `vote:signals`", TopP, Ours, "vote:signals"},
	{"ours: `vote:arithmetic`", TopP, Ours, "vote:arithmetic"},
	{"oracle (pass@k)", TopP, Ours, "oracle"},
}

// NewTable makes the table of a result of [Measure]. Rows without a figure are left out.
func NewTable(s Setting, r *eval.Result, warnings []string) Table {
	t := Table{LLM: s.LLM, Embedder: s.Embedder, Suites: s.Suites, Differences: Differences(s), Warnings: warnings}
	for _, p := range places {
		row := Row{p.row, map[string]map[string]Cell{}}
		for _, suite := range s.Suites {
			for _, match := range Matches() {
				if cell, ok := find(r, PoolName(suite, p.arm, p.group, match), p.rule); ok {
					if row.Cells[suite] == nil {
						row.Cells[suite] = map[string]Cell{}
					}
					row.Cells[suite][match] = cell
				}
			}
		}
		if len(row.Cells) > 0 {
			t.Rows = append(t.Rows, row)
		}
	}
	t.Warnings = append(t.Warnings, warningsOf(r)...)
	return t
}

// warningsOf returns the warnings of the pools with the honest grader, one that several
// groups have of the same samples once.
func warningsOf(r *eval.Result) (all []string) {
	for _, pool := range r.Pools {
		samples, ok := strings.CutSuffix(pool.Pool, " "+Honest)
		if !ok {
			continue
		}
		suite, rest, _ := strings.Cut(samples, " ")
		arm, _, _ := strings.Cut(rest, " ")
		for _, w := range pool.Warnings {
			if text := suite + ", " + arm + ": " + w; !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	return all
}

// find returns what the result says of a rule on a pool.
func find(r *eval.Result, pool, rule string) (Cell, bool) {
	named := func(s eval.Selector) bool { return s.Name == rule }
	for _, p := range r.Pools {
		if p.Pool != pool {
			continue
		}
		i := slices.IndexFunc(p.Selectors, named)
		if i < 0 {
			return Cell{}, false
		}
		cell := Cell{Accuracy: p.Selectors[i].Accuracy, CI95: p.Selectors[i].CI95, N: p.Questions}
		for _, seed := range p.Seeds {
			if j := slices.IndexFunc(seed.Selectors, named); j >= 0 {
				cell.Seeds = append(cell.Seeds, seed.Selectors[j].Accuracy)
			}
		}
		return cell, true
	}
	return Cell{}, false
}

// cell returns a row's figure, written for people.
func (t Table) cell(row, suite, match string) string {
	for _, r := range t.Rows {
		if c, ok := r.Cells[suite][match]; ok && r.Name == row {
			return c.String()
		}
	}
	return "–"
}

// String writes percent with the interval, and the range over seeds.
func (c Cell) String() string {
	text := fmt.Sprintf("%.1f", 100*c.Accuracy)
	if c.CI95 != nil {
		text += fmt.Sprintf(" [%.1f, %.1f]", 100*c.CI95[0], 100*c.CI95[1])
	}
	if len(c.Seeds) > 1 {
		text += fmt.Sprintf(" (seeds %.1f to %.1f)", 100*slices.Min(c.Seeds), 100*slices.Max(c.Seeds))
	}
	return text
}

// columns are the columns of the paper's table and the rows of ours that they show, by
// what the paper's text says and by what the released code does.
var columns = map[string][]string{
	"text": {places[0].row, places[2].row, places[4].row, places[6].row},
	"code": {places[1].row, places[2].row, places[4].row, places[7].row},
}

// WriteMarkdown writes the table in the paper's shape beside the paper's own figures,
// the table of all rules, and where the protocols differ.
func (t Table) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| language model, questions | greedy | top-k | top-p | R-CVAE |\n| --- | --- | --- | --- | --- |\n")
	for _, suite := range t.Suites {
		for _, p := range PaperTable() {
			if p.Suite == suite {
				fmt.Fprintf(&b, "| the paper: %s, %s | %.1f | %.1f | %.1f | %.1f |\n", p.LLM, title(suite), p.Greedy, p.TopK, p.TopP, p.RCVAE)
			}
		}
		for _, match := range Matches() {
			for _, source := range []string{"text", "code"} {
				fmt.Fprintf(&b, "| %s, %s, %s, as the %s says |", t.LLM, title(suite), match, source)
				for _, row := range columns[source] {
					fmt.Fprintf(&b, " %s |", t.cell(row, suite, match))
				}
				b.WriteString("\n")
			}
		}
	}
	t.writeRules(&b)
	b.WriteString("\nWhere the protocols differ:\n\n")
	for _, d := range t.Differences {
		fmt.Fprintf(&b, "- %s\n", d)
	}
	for i, warning := range t.Warnings {
		if i == 0 {
			b.WriteString("\nWarnings:\n\n")
		}
		fmt.Fprintf(&b, "- %s\n", warning)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeRules writes a line per rule.
func (t Table) writeRules(b *strings.Builder) {
	b.WriteString("\nAll rules, percent [95 % bootstrap interval over questions]:\n\n| rule |")
	line := "\n| --- |"
	for _, suite := range t.Suites {
		for _, match := range Matches() {
			fmt.Fprintf(b, " %s, %s |", title(suite), match)
			line += " --- |"
		}
	}
	b.WriteString(line + "\n")
	for _, row := range t.Rows {
		fmt.Fprintf(b, "| %s |", row.Name)
		for _, suite := range t.Suites {
			for _, match := range Matches() {
				fmt.Fprintf(b, " %s |", t.cell(row.Name, suite, match))
			}
		}
		b.WriteString("\n")
	}
}
