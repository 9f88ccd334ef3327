package rcvae_test

import (
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// allowed is a statement of policy: which packages of this module each package may
// import besides the root package and internal/…. Imports point one way, from the
// commands down; a new line here wants a reason.
var allowed = map[string][]string{
	"rcvae": {}, // the vocabulary stands alone

	"rcvae/cvae":    {},             // the model
	"rcvae/builtin": {"rcvae/cvae"}, // model files in the binary

	"rcvae/dataset":         {},                // pools
	"rcvae/dataset/foreign": {"rcvae/dataset"}, // reads records as pools

	"rcvae/embed":                          {}, // the cache, and the border of embedders
	"rcvae/embed/encoder":                  {"rcvae/embed/encoder/internal/block"},
	"rcvae/embed/encoder/internal/block":   {},
	"rcvae/embed/encoder/internal/vectors": {"rcvae/embed/encoder"}, // embeds for comparisons with others
	"rcvae/embed/hub":                      {},
	"rcvae/embed/remote":                   {"rcvae/embed"},                   // refuses long texts as embed defines it
	"rcvae/embed/minilm":                   {"rcvae/embed/encoder"},           // two of its models, as data
	"rcvae/embed/minilm/internal/quantize": {},                                // a generator
	"rcvae/embed/lm":                       {"rcvae/embed/encoder"},           // adapters, as data
	"rcvae/embed/lm/internal/fill":         {"rcvae/embed", "rcvae/embed/lm"}, // a generator of caches

	"rcvae/signal":     {},                                                                            // reads texts
	"rcvae/selector":   {"rcvae/signal"},                                                              // rules, some by signals
	"rcvae/eval":       {"rcvae/eval/stats", "rcvae/selector", "rcvae/signal"},                        // measures rules, and shows signals in its details
	"rcvae/eval/stats": {},                                                                            // numbers alone
	"rcvae/report":     {"rcvae/eval", "rcvae/eval/stats", "rcvae/signal"},                            // draws what eval measured, and marks wrong equations
	"rcvae/train":      {"rcvae/cvae", "rcvae/embed", "rcvae/eval", "rcvae/selector", "rcvae/signal"}, // the pipeline that joins them

	"rcvae/grade":                  {"rcvae/grade/internal/algebra", "rcvae/grade/internal/latex"},
	"rcvae/grade/internal/latex":   {},                             // reads answers
	"rcvae/grade/internal/algebra": {"rcvae/grade/internal/latex"}, // compares them

	"rcvae/llm":          {},                                                                    // draws candidates from servers
	"rcvae/bestof":       {"rcvae/selector"},                                                    // the engine: knows no HTTP, stops as votes do
	"rcvae/gateway":      {"rcvae/bestof", "rcvae/gateway/edge", "rcvae/llm", "rcvae/selector"}, // serves the best of what an upstream gives
	"rcvae/gateway/edge": {},                                                                    // the border of an HTTP service, which knows nothing of it

	"rcvae/reproduce":                   {"rcvae/builtin", "rcvae/cvae", "rcvae/dataset", "rcvae/eval", "rcvae/grade", "rcvae/llm", "rcvae/selector", "rcvae/signal", "rcvae/train"}, // the protocol of the paper, over all of these
	"rcvae/rcvaetest":                   {},
	"rcvae/rcvaetest/internal/scripted": {"rcvae/rcvaetest"},                     // the scripted server as a program
	"rcvae/internal/demo/generate":      {"rcvae/dataset", "rcvae/embed/minilm"}, // a generator
	"rcvae/cmd/rcvae":                   {"*"},                                   // wires everything
}

func TestImportsPointOneWay(t *testing.T) {
	module := moduleOf(t)
	for _, dir := range packageDirs(t) {
		path := "rcvae"
		if dir != "." {
			path += "/" + filepath.ToSlash(dir)
		}
		pkg, err := build.ImportDir(dir, 0)
		if err != nil {
			continue // no Go files for this platform
		}
		var imports []string
		for _, imp := range pkg.Imports {
			if rest, inside := strings.CutPrefix(imp, module); inside && (rest == "" || rest[0] == '/') {
				imp = "rcvae" + rest // the table's name of it, whatever the module's path
			}
			imports = append(imports, imp)
		}
		t.Run(path, func(t *testing.T) { checkImports(t, path, imports) })
	}
}

// moduleOf reads the path of the module, which 'make rename' moves.
func moduleOf(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimPrefix(first, "module ")
}

func checkImports(t *testing.T, path string, imports []string) {
	internal := strings.HasPrefix(path, "rcvae/internal/")
	may, listed := allowed[path]
	if !listed && !internal {
		t.Fatalf("package %s is not in the table of deps_test.go: add it with what it may import", path)
	}
	for _, imp := range imports {
		switch {
		case path == "rcvae" && strings.Contains(strings.Split(imp, "/")[0], "."):
			t.Errorf("the root package imports %s; it may import the standard library only", imp)
		case path == "rcvae" && strings.HasPrefix(imp, "rcvae/"):
			t.Errorf("the root package imports %s", imp)
		case !strings.HasPrefix(imp, "rcvae/"), strings.HasPrefix(imp, "rcvae/internal/"):
		case !slices.Contains(may, imp) && !slices.Contains(may, "*"):
			t.Errorf("%s imports %s, which deps_test.go does not allow", path, imp)
		}
	}
}

func packageDirs(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); path != "." && (strings.HasPrefix(name, ".") || slices.Contains([]string{"testdata", "tools", "docs", "out", "dist"}, name)) {
			return filepath.SkipDir
		}
		dirs = append(dirs, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}
