package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSettingsThatAreNotUnderstood are errors with their line, and no work is begun.
func TestSettingsThatAreNotUnderstood(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"no value":             {"quiet: true\neval:\n  out:\n", ":3: the value is missing"},
		"null":                 {"sampler: null\n", ":1: the value is missing"},
		"command without keys": {"eval: 5\n", ":1: eval is a command"},
		"list for a command":   {"train: [a]\n", ":1: train is a command"},
		"mapping for a flag":   {"quiet: true\nseed:\n  a: 1\n", ":2: seed is a flag"},
		"list for one value":   {"grade:\n  grader: [math, gsm8k]\n", ":2: --grader takes one value"},
		"wrong type":           {"quiet: perhaps\n", ":1: --quiet"},
		"a second document":    {"quiet: true\n---\nseed: 2\n", ":3: a second document"},
		"octal":                {"seed: 010\n", ":1: write the number 010"},
		"underscore":           {"tau: 1_0\n", ":1: write the number 1_0"},
		"mapping in a command": {"grade:\n  grader:\n    a: b\n", ":3: a mapping inside"},
		"mapping in a list":    {"pool:\n  - {a: b}\n", ":2: a value of the kind mapping"},
		"anchor":               {"seed: &a 1\n", ":1: a value of the kind anchor"},
		"only a text":          {"quiet\n", ":1: this is no mapping"},
		"deep list":            {"a: " + strings.Repeat("[", 60000), ":1: it is nested too deeply"},
		"deep lines":           {"a:\n" + strings.Repeat("[\n", 30000), ":102: it is nested too deeply"},
		"deep markers":         {"a:\n" + strings.Repeat("- ", 30000), ":2: it is nested too deeply"},
		"unknown key":          {"quiet: true\nselectr: majority\n", "selectr in line 2"},
		"unknown in a section": {"grade:\n  knid: math\n", "grade.knid in line 2"},
		"twice":                {"quiet: true\nquiet: false\n", "already defined"},
		"large":                {strings.Repeat("# nothing\n", 10000), "larger than 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "rcvae.yaml", tt.text)
			got := rcvaeRun(t, "", "grade", "--config", path, "--gold", "3", "--answer", "3")
			if got.code != exitUsage || !strings.Contains(got.stderr, "rcvae.yaml") || !strings.Contains(got.stderr, tt.want) {
				t.Errorf("exit code %d, error %q, want %d and %q", got.code, got.stderr, exitUsage, tt.want)
			}
			if got.stdout != "" {
				t.Errorf("output %q, want none", got.stdout)
			}
		})
	}
}

// TestSettingsThatAreUnderstood: texts, numbers, lists, a byte order mark, no settings.
func TestSettingsThatAreUnderstood(t *testing.T) {
	for name, text := range map[string]string{
		"mark":          "\ufeffquiet: true\n",
		"empty":         "",
		"comment":       "# nothing\n",
		"one document":  "---\nquiet: true\n",
		"quoted":        "grade:\n  grader: \"math\"\n",
		"flow":          "grade: {grader: math}\n",
		"list":          "eval:\n  pool: [a.jsonl, b.jsonl]\n  k: [4, 8]\ntau: 0.5\nseed: 0\n",
		"empty text":    "eval:\n  sampler: \"\"\n",
		"windows lines": "quiet: true\r\ngrade:\r\n  grader: math\r\n",
	} {
		got := rcvaeRun(t, "", "grade", "--config", writeFile(t, "rcvae.yaml", text), "--gold", "3", "--answer", "3")
		if got.code != exitOK {
			t.Errorf("%s: exit code %d, error %q", name, got.code, got.stderr)
		}
	}
}

// TestEverySingleByteOfSettingsIsReadOrRefused: truncated and damaged settings end with
// a word, never a crash, and errors name the file.
func TestEverySingleByteOfSettingsIsReadOrRefused(t *testing.T) {
	text := []byte("quiet: true\ngrade:\n  grader: math\neval:\n  pool: [a, b]\n  seed: 12\n")
	path := filepath.Join(t.TempDir(), "rcvae.yaml")
	for at := range text {
		for bit := range 8 {
			damaged := append([]byte(nil), text...)
			damaged[at] ^= 1 << bit
			if err := os.WriteFile(path, damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			got := rcvaeRun(t, "", "grade", "--config", path, "--gold", "3", "--answer", "3")
			if got.code != exitOK && !strings.Contains(got.stderr, "rcvae.yaml") {
				t.Errorf("%q: exit code %d, error %q, want the file named", damaged, got.code, got.stderr)
			}
		}
	}
}
