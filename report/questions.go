package report

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// shownQuestion is how many characters of a question stand in the table.
const shownQuestion = 140

// questionTable lists the questions of a part.
type questionTable struct {
	Columns string // names of the signals, separated by commas
	Rule    string
	Filters []filter
	Rows    []questionRow
	Without int // questions whose candidates have no texts on the page
}

// filter shows the rows that have its class.
type filter struct {
	Key, Label string
	Count      int
}

type questionRow struct {
	ID, Place, Question, Gold, Majority, Ours string
	Class, Outcome, Correct                   string
	Payload                                   string
}

// The filters; their keys are classes of rows and ends of ids.
var filters = []filter{
	{Key: "all", Label: "all"},
	{Key: "differ", Label: "rules differ"},
	{Key: "gained", Label: "majority wrong, ours right"},
	{Key: "lost", Label: "majority right, ours wrong"},
	{Key: "missed", Label: "ours wrong, a candidate correct"},
	{Key: "hopeless", Label: "no candidate correct"},
}

func (p *part) table(budget int) *questionTable {
	if !p.hasDetails {
		return nil
	}
	t := &questionTable{Columns: strings.Join(p.columns, ","), Rule: p.focus, Filters: append([]filter(nil), filters...)}
	payloads, without := p.fill(budget)
	t.Without = without
	for i, r := range p.rows {
		classes, outcome := p.classify(r)
		for f := range t.Filters {
			for _, c := range classes {
				if t.Filters[f].Key == c {
					t.Filters[f].Count++
				}
			}
		}
		t.Rows = append(t.Rows, questionRow{
			ID: r.id, Place: fmt.Sprintf("%s-q%d", p.id, i+1), Question: head(r.question), Gold: head(r.gold), Majority: head(r.answer[0]), Ours: head(r.answer[1]),
			Class: strings.Join(classes, " "), Outcome: outcome, Correct: fmt.Sprintf("%d of %d", r.correct, r.graded), Payload: payloads[i],
		})
	}
	return t
}

// right is the expected correctness from which a choice counts as right in the table.
const right = 0.5

// classify returns the filters that show a question, and what became of it in words.
func (p *part) classify(r row) (classes []string, outcome string) {
	classes = []string{"all"}
	if r.differ {
		classes = append(classes, "differ")
	}
	ours := p.rule(p.focus) >= 0 && r.outcomes[p.rule(p.focus)].value > right
	plain := p.rule(majority) >= 0 && r.outcomes[p.rule(majority)].value > right
	switch {
	case ours && plain:
		outcome = "both right"
	case ours:
		classes, outcome = append(classes, "gained"), "ours right"
	case plain:
		classes, outcome = append(classes, "lost"), "majority right"
	default:
		outcome = "both wrong"
	}
	switch {
	case r.correct == 0:
		classes, outcome = append(classes, "hopeless"), "none correct"
	case !ours:
		classes = append(classes, "missed")
	}
	return classes, outcome
}

// head returns the beginning of a text, in one line.
func head(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	if utf8.RuneCountInString(s) <= shownQuestion {
		return s
	}
	return string([]rune(s)[:shownQuestion]) + "…"
}
