package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// code matches what a page shows as code: spans, and lines of indented or fenced blocks.
var code = regexp.MustCompile("`[^`\n]+`|(?m:^ {4,}.*$)|(?s:\n *```.*?\n *```)")

func codeOf(text string) string { return strings.Join(code.FindAllString(text, -1), "\n") }

// ofOthers are flags and targets of other programs that pages name.
var ofOthers = []string{"--logprobs-mode", "--embeddings", "--log_samples", "--help"}

// TestPagesNameWhatExists: flags are those of a command or of a script in tools,
// variables are read somewhere, targets are in the Makefile.
func TestPagesNameWhatExists(t *testing.T) {
	flags := allFlags(newRoot())
	sources := readAll(t, "../..", ".go", ".sh", ".py", "Makefile")
	scripts := readAll(t, "../../tools", ".go", ".sh", ".py")
	makefile := readAll(t, "../..", "Makefile")
	checks := []struct {
		what    string
		pattern *regexp.Regexp
		exists  func(name string) bool
		least   int
	}{
		{"flag", regexp.MustCompile(`(--[a-z][a-z0-9_-]+)`), func(name string) bool {
			return flags[strings.TrimPrefix(name, "--")] != nil || slices.Contains(ofOthers, name) || strings.Contains(scripts, `"`+name+`"`) || strings.Contains(scripts, `"`+name[2:]+`"`)
		}, 150},
		{"variable", regexp.MustCompile(`\b((?:RCVAE|HF|OTEL)_[A-Z0-9_]+)`), func(name string) bool {
			flag := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "RCVAE_")), "_", "-")
			return flags[flag] != nil || strings.Contains(sources, name)
		}, 10},
		{"target", regexp.MustCompile("(?:^|[` ]|=\\S+ )make ([a-z0-9][a-z0-9-]+)"), func(name string) bool {
			return strings.Contains(makefile, "\n"+name+":")
		}, 20},
		{"variable of make", regexp.MustCompile(`make [a-z0-9-]+ (?:\S+=\S+ )*([A-Z_]+)=`), func(name string) bool {
			return regexp.MustCompile(`\$\(` + name + `\)|\n` + name + ` `).MatchString(makefile)
		}, 4},
	}
	for _, c := range checks {
		found := 0
		for _, p := range pages(t) {
			if p.name == "CHANGELOG.md" {
				continue // it names what is gone too
			}
			for _, match := range c.pattern.FindAllStringSubmatch(codeOf(p.text), -1) {
				found++
				if !c.exists(match[1]) {
					t.Errorf("%s names the %s %s, which is not there", p.name, c.what, match[1])
				}
			}
		}
		if found < c.least {
			t.Errorf("found %d names of a %s, want at least %d: does the pattern still match?", found, c.what, c.least)
		}
	}
}

// allFlags returns the flags of a command and of all below it; of equal names one.
func allFlags(c *cobra.Command) map[string]*pflag.Flag {
	out := map[string]*pflag.Flag{}
	c.Flags().VisitAll(func(f *pflag.Flag) { out[f.Name] = f })
	c.PersistentFlags().VisitAll(func(f *pflag.Flag) { out[f.Name] = f })
	for _, sub := range c.Commands() {
		for name, f := range allFlags(sub) {
			out[name] = f
		}
	}
	return out
}

// readAll joins the files below a folder whose names have one of the endings.
func readAll(t *testing.T, root string, endings ...string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "out" || d.Name() == "dist") {
			return fs.SkipDir
		}
		if !slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(path, e) }) {
			return nil
		}
		data, err := os.ReadFile(path)
		b.WriteByte('\n')
		b.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// inProse matches "`--cache-size` (4,096 MiB unless given)", inTables a row of a table
// of flags and their defaults.
var (
	inProse  = regexp.MustCompile("`--([a-z-]+)` \\((?:default )?([0-9][^();]*?)(?: unless given)?[;)]")
	inTables = regexp.MustCompile("(?m)^\\| (`--[^|]*) \\| ([^|]*) \\|")
)

// TestPagesNameTheDefaults compares the defaults that pages name with the flags'. A page
// speaks of one command.
func TestPagesNameTheDefaults(t *testing.T) {
	for name, command := range map[string]string{"gateway.md": "serve", "sampling.md": "sample", "reliability.md": "serve"} {
		text, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		c, _, err := newRoot().Find([]string{command})
		if err != nil {
			t.Fatal(err)
		}
		found := inProse.FindAllStringSubmatch(string(text), -1)
		if _, table, isThere := strings.Cut(string(text), "| flag | default |"); isThere {
			table, _, _ = strings.Cut(table, "\n\n")
			for _, row := range inTables.FindAllStringSubmatch(table, -1) {
				values := strings.Split(row[2], ", ")
				for i, flag := range regexp.MustCompile("--([a-z-]+)").FindAllStringSubmatch(row[1], -1) {
					found = append(found, []string{row[0], flag[1], values[min(i, len(values)-1)]})
				}
			}
		}
		if len(found) == 0 {
			t.Errorf("%s names no default: does the pattern still match?", name)
		}
		for _, match := range found {
			flag := c.Flags().Lookup(match[1])
			if flag == nil {
				t.Errorf("%s: rcvae %s has no --%s", name, command, match[1])
				continue
			}
			if got, want := canonical(match[2]), canonical(flag.DefValue+unitOf(flag)); got != want {
				t.Errorf("%s says that --%s is %s (%s), the default is %s", name, match[1], match[2], got, flag.DefValue)
			}
		}
	}
}

// unitOf returns the unit that a flag's help says its number has.
func unitOf(f *pflag.Flag) string {
	if strings.Contains(strings.ToUpper(f.Usage), "MIB") {
		return " MiB"
	}
	return ""
}

// canonical makes "1 min" and "1m0s", "32 MiB" and "33554432", "off" and "false" the same.
func canonical(value string) string {
	value = strings.ReplaceAll(strings.TrimSpace(value), ",", "")
	if value == "off" {
		return "false"
	}
	number, unit, _ := strings.Cut(value, " ")
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		if d, err := time.ParseDuration(value); err == nil {
			return fmt.Sprint(d.Seconds())
		}
		return value
	}
	return fmt.Sprint(n * map[string]float64{"": 1, "s": 1, "min": 60, "minutes": 60, "MiB": 1 << 20, "GiB": 1 << 30}[unit])
}

func TestCanonical(t *testing.T) {
	for _, pair := range [][2]string{{"1 min", "1m0s"}, {"32 MiB", "33554432"}, {"off", "false"}, {"0", "0s"}, {"5 minutes", "5m0s"}, {"1,024", "1024"}} {
		if canonical(pair[0]) != canonical(pair[1]) {
			t.Errorf("%s is %s, %s is %s", pair[0], canonical(pair[0]), pair[1], canonical(pair[1]))
		}
	}
	if canonical("30 s") == canonical("30m0s") {
		t.Error("30 s is 30 minutes")
	}
}
