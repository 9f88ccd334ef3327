package rcvae_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPagesNameTestsThatAreThere: every test, benchmark and example that a page names is
// there, and every file by its path.
func TestPagesNameTestsThatAreThere(t *testing.T) {
	var code strings.Builder
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && slices.Contains([]string{"out", "dist"}, d.Name()) {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		data, err := os.ReadFile(path)
		code.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all, tests, files := code.String(), 0, 0
	for _, page := range pagesOf(t) {
		text := read(t, page)
		for _, name := range regexp.MustCompile("`((?:Test|Benchmark|Example)[A-Z][A-Za-z0-9]*)`").FindAllStringSubmatch(text, -1) {
			tests++
			if !strings.Contains(all, "\nfunc "+name[1]+"(") {
				t.Errorf("%s names %s, which is not there", page, name[1])
			}
		}
		for _, name := range regexp.MustCompile("`((?:[a-z0-9_-]+/)+[a-z0-9_.-]+\\.(?:go|py|sh|md|json|yaml|safetensors|jinja))`").FindAllStringSubmatch(text, -1) {
			files++
			if _, err := os.Stat(name[1]); err != nil && !slices.Contains(goneOrOthers, name[1]) {
				t.Errorf("%s names %s: %v", page, name[1], err)
			}
		}
	}
	if tests < 40 || files < 40 {
		t.Fatalf("%d tests and %d files are named: the test is void", tests, files)
	}
}

// goneOrOthers are files that pages name and say of that they are gone, or another
// project's.
var goneOrOthers = []string{"tools/adapt/lm_score.py", "tests/scorer/math_cases.json"}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile("(?m)^#+ (.+)$")
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinksLeadSomewhere: every file and heading that a page links to is there.
func TestLinksLeadSomewhere(t *testing.T) {
	found := 0
	for _, page := range pagesOf(t) {
		for _, match := range link.FindAllStringSubmatch(read(t, page), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, ":") {
				continue // another host's
			}
			found++
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s: %v", page, match[1], err)
			} else if anchor != "" && !hasHeading(read(t, file), anchor) {
				t.Errorf("%s links to %s, which has no such heading", page, match[1])
			}
		}
	}
	if found < 80 {
		t.Errorf("found %d links, want at least 80: does the pattern still match?", found)
	}
}

// pagesOf returns the paths of all pages.
func pagesOf(t *testing.T) []string {
	t.Helper()
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/adr/*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, names...)
	}
	return pages
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// hasHeading tells whether a page has a heading whose anchor on a forge is this.
func hasHeading(text, anchor string) bool {
	for _, h := range heading.FindAllStringSubmatch(text, -1) {
		if strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-") == anchor {
			return true
		}
	}
	return false
}

// TestTheLibrarySectionIsAProgram: the README's lines of Go are lines of the program that
// TestOutsideModule builds and runs.
func TestTheLibrarySectionIsAProgram(t *testing.T) {
	_, section, _ := strings.Cut(read(t, "README.md"), "## As a library")
	_, block, found := strings.Cut(section, "```go\n")
	block, _, _ = strings.Cut(block, "```")
	if !found || strings.Count(block, "\n") < 5 {
		t.Fatal("the section has no block of Go")
	}
	program := map[string]bool{}
	for line := range strings.Lines(read(t, "testdata/outside/main.go")) {
		program[strings.TrimSpace(line)] = true
	}
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, " // ")
		if line = strings.TrimSpace(line); line != "" && !program[line] {
			t.Errorf("the README shows %q, which the program does not have", line)
		}
	}
}
