package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rcvae/builtin"
	"rcvae/embed/lm"
)

// TestTheBaseIsAsked: a model on the adapters, and the adapters alone, say which base is
// missing and how to get it.
func TestTheBaseIsAsked(t *testing.T) {
	t.Setenv("HF_HUB_CACHE", t.TempDir())
	model := modelOn(t, filepath.Join(t.TempDir(), "lm.rcvae"), lm.Fingerprint())
	candidates := writeFile(t, "candidates.txt", "It is 7.\nIt is 8.\n")
	chosen := []string{"select", "--question", "q", "--candidates", candidates, "--model", model, "--cache", "none"}
	text := writeFile(t, "texts.txt", "It is 7.\n")
	alone := []string{"embed", "--in", text, "--out", "-", "--cache", "none", "--embedder"}
	how := []string{lm.Base, "491 MB", "rcvae embedders get " + lm.Repository, "--embedder"}
	absent := filepath.Join(t.TempDir(), "absent.gguf")
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"a model without its base", chosen, exitUsage, append([]string{"lm.rcvae"}, how...)},
		{"a model and a file that is not there", append(chosen, "--embedder", absent), exitFailure, []string{absent}},
		{"a model and a name that is not in the cache", append(chosen, "--embedder", lm.Repository), exitFailure, []string{"rcvae embedders get " + lm.Repository}},
		{"a model and another embedder", append(chosen, "--embedder", "minilm"), exitFailure, []string{"lm.rcvae", lm.Name, "minilm"}},
		{"the adapters alone", append(alone, lm.Name), exitUsage, how},
		{"another model as the base", append(alone, lmPrefix+"../../embed/encoder/testdata/tiny/qwen2"), exitFailure, []string{"tiny/qwen2", lm.Base, "no other"}},
		{"a server that is not there", append(chosen, "--embedder", "llamacpp+http://127.0.0.1:1"), exitFailure, []string{"127.0.0.1:1"}},
		{"a flag that it does not take", append(alone, lmPrefix+absent, "--pooling", "cls"), exitUsage, []string{"--pooling"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := rcvaeRun(t, "", c.args...)
			if got.code != c.code {
				t.Errorf("exit code %d, want %d", got.code, c.code)
			}
			for _, part := range c.want {
				if !strings.Contains(got.stderr, part) {
					t.Errorf("error %q, want %q in it", got.stderr, part)
				}
			}
		})
	}
}

func TestFileStampTellsFilesApart(t *testing.T) {
	path := writeFile(t, "base.gguf", "weights")
	before, err := fileStamp(path)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := fileStamp(path); again != before {
		t.Errorf("the same file is %q and %q", before, again)
	}
	folder, err := fileStamp(filepath.Dir(path))
	if err != nil || folder != before {
		t.Errorf("the folder of that file alone is %q, %v, want %q", folder, err, before)
	}
	if err := os.WriteFile(path, []byte("other weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	if after, err := fileStamp(path); err != nil || after == before {
		t.Errorf("another file is %q, %v, and was %q", after, err, before)
	}
}

// TestMathLMOnItsBase chooses with the built-in model and the real base, twice: the second
// time everything comes from the cache.
func TestMathLMOnItsBase(t *testing.T) {
	base := os.Getenv("RCVAE_QWEN_GGUF")
	if base == "" || !slices.Contains(builtin.Names(), builtin.MathLM) {
		t.Skipf("RCVAE_QWEN_GGUF is %q and the built-in models are %q: want the GGUF file of %s and %s", base, builtin.Names(), lm.Base, builtin.MathLM)
	}
	candidates := writeFile(t, "candidates.txt", "She has 3 + 4 = 7 apples. The answer is \\boxed{7}.\nShe has 3 - 4 = 1 apples. The answer is \\boxed{1}.\n")
	cache := filepath.Join(t.TempDir(), "cache.sqlite")
	for range 2 {
		got := rcvaeRun(t, "", "select", "--question", "Ann has 3 apples and buys 4 more. How many apples does she have?", "--candidates", candidates,
			"--model", builtin.MathLM, "--embedder", base, "--cache", cache)
		if got.code != exitOK || !strings.Contains(got.stdout, "7 apples") {
			t.Errorf("exit code %d, %q %q, want the right candidate", got.code, got.stdout, got.stderr)
		}
	}
}
