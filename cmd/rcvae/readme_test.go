package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// page is a page for people.
type page struct{ name, text string }

// pages returns the README and everything in docs, without the decisions.
func pages(t *testing.T) []page {
	t.Helper()
	var out []page
	for _, pattern := range []string{"../../*.md", "../../docs/*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, page{filepath.Base(name), string(text)})
		}
	}
	if len(out) < 20 {
		t.Fatalf("found %d pages, want at least 20", len(out))
	}
	return out
}

// quoted matches a command line in an indented block or a help example; a line that ends
// in a backslash goes on.
var quoted = regexp.MustCompile(`(?m)^ +(?:[A-Z_]+=\S+ )?(rcvae [a-z](?:.*\\\n)*.*)$`)

// fenced matches a fenced block: the spaces before it, its language and annotation, its lines.
var fenced = regexp.MustCompile("(?ms)^( *)```([a-z ]*)\n(.*?)^ *```")

// commandsOf returns the command lines that a text shows, each on one line.
func commandsOf(text string) []string {
	var out []string
	text = fenced.ReplaceAllStringFunc(text, func(block string) string { return strings.ReplaceAll(block, "\n", "\n    ") })
	for _, match := range quoted.FindAllStringSubmatch(text, -1) {
		line, _, _ := strings.Cut(match[1], " | ")
		line = regexp.MustCompile(`\s*\\\n\s*`).ReplaceAllString(line, " ")
		line, _, _ = strings.Cut(line, "  ") // a description follows in columns
		out = append(out, line)
	}
	return out
}

// wordsOf splits a command line as a shell does, quotes and all.
func wordsOf(line string) []string {
	words := regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`).FindAllString(line, -1)
	for i, w := range words {
		words[i] = strings.Trim(w, `"'`)
	}
	return words
}

// TestQuotedCommandsParse checks that every command that a page or a help text shows
// exists, with the flags that they give it.
func TestQuotedCommandsParse(t *testing.T) {
	texts := pages(t)
	for _, c := range newRoot().Commands() {
		texts = append(texts, page{"rcvae " + c.Name() + " --help", c.Example})
	}
	texts = append(texts, page{"rcvae --help", newRoot().Long})
	lines := 0
	for _, p := range texts {
		for _, line := range commandsOf(p.text) {
			lines++
			checkCommand(t, p.name, line)
		}
	}
	if lines < 50 {
		t.Errorf("found %d quoted commands, want at least 50: does the pattern still match?", lines)
	}
}

func checkCommand(t *testing.T, source, line string) {
	t.Helper()
	words := wordsOf(line)
	if words[len(words)-1] == "…" { // and so on
		words = words[:len(words)-1]
	}
	command, rest, err := newRoot().Find(words[1:])
	if err != nil || command.Name() == "rcvae" {
		t.Errorf("%s quotes %q: %v", source, line, err)
		return
	}
	if err := command.ParseFlags(rest); err != nil {
		t.Errorf("%s quotes %q: %v", source, line, err)
		return
	}
	if err := command.ValidateArgs(command.Flags().Args()); err != nil {
		t.Errorf("%s quotes %q: %v", source, line, err)
	}
}
