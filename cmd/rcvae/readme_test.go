package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// quoted matches a command line in an indented block or a help example.
var quoted = regexp.MustCompile(`(?m)^ +(rcvae [a-z].*)$`)

// TestQuotedCommandsParse checks that every command that the README and the help
// texts show exists, with the flags that they give it.
func TestQuotedCommandsParse(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"README.md": string(readme)}
	for _, c := range newRoot().Commands() {
		texts["rcvae "+c.Name()+" --help"] = c.Example
	}
	texts["rcvae --help"] = newRoot().Long
	lines := 0
	for source, text := range texts {
		for _, match := range quoted.FindAllStringSubmatch(text, -1) {
			lines++
			checkCommand(t, source, match[1])
		}
	}
	if lines < 12 {
		t.Errorf("found %d quoted commands, want at least 12: does the pattern still match?", lines)
	}
}

func checkCommand(t *testing.T, source, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, "   ") // a description follows in columns
	line, _, _ = strings.Cut(line, " | ")
	words := regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`).FindAllString(line, -1)
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
