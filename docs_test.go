package rcvae_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPromisesNameTheirTests: every test that docs/reliability.md names is there.
func TestPromisesNameTheirTests(t *testing.T) {
	text, err := os.ReadFile("docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	err = filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		code.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 20 {
		t.Fatalf("%d tests are named: the test is void", len(named))
	}
	for _, name := range named {
		if !strings.Contains(code.String(), "\nfunc "+name[1]+"(t *testing.T)") {
			t.Errorf("docs/reliability.md names %s, which is not there", name[1])
		}
	}
}

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
