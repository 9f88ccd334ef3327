package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"rcvae/eval"
	"rcvae/report"
)

// write returns the page of some sources.
func write(t testing.TB, o report.Options, sources ...report.Source) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, sources, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// parse returns the elements of a page.
func parse(t testing.TB, page string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// elements returns those of a tag that have the attribute, or all for "".
func elements(root *html.Node, tag, attribute string) (found []*html.Node) {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag && (attribute == "" || attr(n, attribute) != "") {
			found = append(found, n)
		}
	}
	return found
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// All figures of the result stand on the page, in the row of their rule.
func TestTheNumbersAreTheResults(t *testing.T) {
	m := makePool("pool", 60, 8, 20, 1.5, 1)
	root := parse(t, write(t, report.Options{}, m.source("r.json")))
	rows := map[string]string{}
	for _, tr := range elements(root, "tr", "") {
		for th := range tr.ChildNodes() {
			if th.Data == "th" && attr(th, "scope") == "row" && rows[text(th)] == "" {
				rows[text(th)] = strings.ReplaceAll(text(tr), "−", "-")
			}
		}
	}
	for _, s := range m.result.Pools[0].Selectors {
		if s.Name == "majority" || s.Name == "oracle" {
			continue
		}
		for _, want := range []string{
			fmt.Sprintf("%.1f", 100*s.Accuracy), fmt.Sprintf("[%.1f, %.1f]", 100*s.CI95[0], 100*s.CI95[1]), fmt.Sprintf("%+.1f", 100*s.VsMajority.Diff), "0.012", "0.679",
		} {
			if !strings.Contains(rows[s.Name], want) {
				t.Errorf("the row of %s reads %q, want %s in it", s.Name, rows[s.Name], want)
			}
		}
	}
	for _, want := range []string{"60 questions", fmt.Sprintf("%.1f", 100*m.result.Pools[0].Majority), fmt.Sprintf("%.1f", 100*m.result.Pools[0].PassAtK), "c0ffee", "rcvae eval --pool made-up"} {
		if !strings.Contains(text(root), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// Every picture has marks of finite places inside a box, and those that are read out
// have a title and a description.
func TestEveryPlotHasMarks(t *testing.T) {
	m := makePool("pool", 60, 8, 20, 1.5, 1)
	root := parse(t, write(t, report.Options{TSNE: true}, m.source("r.json"), makePool("other", 60, 8, 20, 0.5, 2).source("s.json")))
	mark := regexp.MustCompile(`\b(line|dot|band|area|whisker|cloud|bar)\b`)
	classes, plots, read := map[string]int{}, 0, 0
	for _, svg := range elements(root, "svg", "") {
		plots++
		marks, texts := 0, 0
		for _, p := range elements(svg, "path", "") {
			if mark.MatchString(attr(p, "class")) {
				marks++
			}
			if d := attr(p, "d"); strings.Contains(d, "NaN") || strings.Contains(d, "Inf") || d == "" {
				t.Errorf("a path of %q has the places %q", attr(svg, "class"), d)
			}
		}
		for _, x := range elements(svg, "text", "") {
			texts++
			if s := text(x); strings.Contains(s, "NaN") || strings.Contains(s, "Inf") {
				t.Errorf("a plot of class %q says %q", attr(svg, "class"), s)
			}
		}
		switch {
		case attr(svg, "role") == "img":
			read++
			classes[attr(svg, "class")]++
			if len(elements(svg, "title", "id")) != 1 || len(elements(svg, "desc", "id")) != 1 || text(elements(svg, "desc", "id")[0]) == "" {
				t.Errorf("a picture of class %q has no title or no description", attr(svg, "class"))
			}
			if marks == 0 || texts == 0 {
				t.Errorf("the picture %q has %d marks and %d texts", text(elements(svg, "title", "id")[0]), marks, texts)
			}
		case marks == 0 && texts == 0:
			t.Errorf("a plot of class %q is empty", attr(svg, "class"))
		}
	}
	// Per pool: one accuracy plot, a small one for each rule with a score, risk, calibration
	// and two histograms, two maps, and three of the model.
	for class, want := range map[string]int{"plot wide": 2, "plot small": 4, "plot half": 8, "plot map": 4, "plot third": 6} {
		if classes[class] != want {
			t.Errorf("%d pictures of class %q, want %d", classes[class], class, want)
		}
	}
}

// outside finds what a browser would load from elsewhere.
var outside = regexp.MustCompile(`(?i)(https?:)?//[a-z0-9.-]+\.[a-z]{2,}|@import|url\(`)

func TestThePageLoadsNothing(t *testing.T) {
	page := write(t, report.Options{}, makePool("pool", 20, 4, 20, 1, 1).source("r.json"))
	if found := outside.FindString(page); found != "" {
		t.Errorf("the page names %q", found)
	}
	root := parse(t, page)
	for _, tag := range []string{"img", "iframe", "object", "embed", "audio", "video", "base"} {
		if n := len(elements(root, tag, "")); n > 0 {
			t.Errorf("the page has %d elements %s", n, tag)
		}
	}
	for _, n := range append(elements(root, "link", "href"), elements(root, "a", "href")...) {
		if href := attr(n, "href"); href != "data:," && !strings.HasPrefix(href, "#") {
			t.Errorf("a link leads to %q", href)
		}
	}
	if len(elements(root, "script", "src")) > 0 {
		t.Error("a script is loaded")
	}
}

// Differences of two results are those of their values on the questions of both.
func TestCompare(t *testing.T) {
	a, b := makePool("a", 60, 8, 2, 0, 1), makePool("b", 40, 8, 2, 3, 2)
	root := parse(t, write(t, report.Options{}, a.source("a.json"), b.source("b.json")))
	var first, second float64
	for i, d := range b.details {
		first += a.details[i].Chosen[1].Value / 40
		second += d.Chosen[1].Value / 40
	}
	start, found := fmt.Sprintf("entropy%.1f%.1f", 100*first, 100*second), false
	for _, tr := range elements(root, "tr", "") {
		row := strings.ReplaceAll(text(tr), "−", "-")
		found = found || strings.HasPrefix(row, start) && strings.Contains(row, fmt.Sprintf("%+.1f[", 100*(second-first)))
	}
	if !found || !strings.Contains(text(root), "40 questions stand in both") {
		t.Errorf("no row of the comparison begins with %q and has their difference", start)
	}
	if page := write(t, report.Options{}, a.source("a.json")); strings.Contains(page, "Comparison on the same questions") {
		t.Error("one pool is compared with nothing")
	}
}

// Equal input gives equal bytes.
func TestEqualBytes(t *testing.T) {
	m := makePool("pool", 30, 4, 5, 1, 1)
	first := write(t, report.Options{TSNE: true}, m.source("r"))
	if second := write(t, report.Options{TSNE: true}, m.source("r")); first != second {
		t.Error("two pages of one result differ")
	}
}

func TestWithoutDetails(t *testing.T) {
	m := makePool("pool", 30, 4, 5, 1, 1)
	page := write(t, report.Options{}, report.Source{Name: "r.json", Result: m.result})
	root := parse(t, page)
	if !strings.Contains(text(root), "came without details") || len(elements(root, "tr", "data-c")) > 0 || len(elements(root, "svg", "")) < 5 {
		t.Error("the page does not say that details are missing, or lacks the plots of the result")
	}
}

func TestWriteRefuses(t *testing.T) {
	broken := errors.New("details.jsonl.gz:7: unexpected end")
	failing := func(yield func(eval.Details, error) bool) { yield(eval.Details{}, broken) }
	good := makePool("pool", 12, 4, 5, 1, 1)
	wrong := makePool("pool", 12, 4, 5, 1, 1)
	wrong.details[3].Chosen[0].Value = 1 - wrong.details[3].Chosen[0].Value
	renamed := makePool("pool", 12, 4, 5, 1, 1)
	renamed.details[4].Signals = append([]string{"another"}, renamed.details[4].Signals[1:]...)
	few := made{good.result, good.details[1:]}
	other := makePool("another", 12, 4, 5, 1, 1)
	twice := made{&eval.Result{Pools: append(good.result.Pools, good.result.Pools...)}, good.details}
	for name, test := range map[string]struct {
		sources []report.Source
		o       report.Options
		want    string
	}{
		"nothing":           {nil, report.Options{}, "there is no result"},
		"a broken file":     {[]report.Source{{Name: "r", Result: good.result, Details: iter.Seq2[eval.Details, error](failing)}}, report.Options{}, broken.Error()},
		"too few questions": {[]report.Source{few.source("r")}, report.Options{}, "the details have 11 questions, the result 12"},
		"other values":      {[]report.Source{wrong.source("r")}, report.Options{}, "by the details vote:entropy has an accuracy of"},
		"another pool":      {[]report.Source{{Name: "r", Result: good.result, Details: other.all()}}, report.Options{}, `its details are of pool "another"`},
		"another column":    {[]report.Source{renamed.source("r")}, report.Options{}, "question q-0004: its signals are"},
		"pools of one name": {[]report.Source{twice.source("r")}, report.Options{}, `two pools are called "pool"`},
		"an unknown rule":   {[]report.Source{good.source("r")}, report.Options{Rule: "vote:nothing"}, `no pool has the rule "vote:nothing"`},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			err := report.Write(&b, test.sources, test.o)
			if err == nil || !strings.Contains(err.Error(), test.want) || b.Len() > 0 {
				t.Errorf("error %v after %d bytes, want %q and none", err, b.Len(), test.want)
			}
		})
	}
}
