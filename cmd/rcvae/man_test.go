package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manual is where 'make release-files' wants the manual pages. They are made here and
// not by a command, which would bring the generator into every binary.
var manual = flag.String("man", "", "write the manual pages to this `folder`")

func writeManual(t *testing.T, folder string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	root := newRoot()
	root.InitDefaultCompletionCmd()
	eachCommand(root, func(c *cobra.Command) { c.Long, c.DisableAutoGenTag = asMarkdown(c.Long), true })
	if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "rcvae", Manual: "rcvae"}, folder); err != nil {
		t.Fatal(err)
	}
}

// eachCommand visits a command and all below it that help shows.
func eachCommand(c *cobra.Command, visit func(*cobra.Command)) {
	if c.Hidden || c.Name() == "help" {
		return
	}
	visit(c)
	for _, sub := range c.Commands() {
		eachCommand(sub, visit)
	}
}

// asMarkdown makes the indented lines of a help text blocks that keep their line ends.
func asMarkdown(help string) string {
	var b strings.Builder
	block := false
	for line := range strings.Lines(help) {
		indented := strings.HasPrefix(line, "  ")
		if indented != block && line != "\n" {
			b.WriteString("\n")
			block = indented
		}
		if indented {
			b.WriteString("  ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// TestManual: every command that help shows has a page of the day that
// SOURCE_DATE_EPOCH names, with its flags, and equal input gives equal bytes.
func TestManual(t *testing.T) {
	if *manual != "" {
		writeManual(t, *manual)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "86400")
	first, second := t.TempDir(), t.TempDir()
	writeManual(t, first)
	writeManual(t, second)
	eachCommand(newRoot(), func(c *cobra.Command) {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
		page, err := os.ReadFile(filepath.Join(first, name))
		if err != nil {
			t.Error(err)
			return
		}
		again, err := os.ReadFile(filepath.Join(second, name))
		if err != nil || string(again) != string(page) || !strings.Contains(string(page), "Jan 1970") {
			t.Errorf("%s is not the same twice, or not of January 1970; %v", name, err)
		}
		if c.Flags().Lookup("out") != nil && !strings.Contains(string(page), `--out`) {
			t.Errorf("%s has no --out", name)
		}
	})
}

func TestManualKeepsBlocks(t *testing.T) {
	got := asMarkdown("One\ntwo.\n  rcvae demo   see\n  rcvae eval\nThree.\n\nFour.\n")
	want := "One\ntwo.\n\n    rcvae demo   see\n    rcvae eval\n\nThree.\n\nFour.\n"
	if got != want {
		t.Errorf("asMarkdown() = %q, want %q", got, want)
	}
}
