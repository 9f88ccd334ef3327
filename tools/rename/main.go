// Command rename moves the module path of the repository in the working folder:
//
//	go run ./tools/rename MODULE
//
// It changes go.mod and tools/go.mod, the import declarations of every Go file, and in
// Markdown the lines of commands that fetch the module. Package names stay.
package main

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: rename MODULE")
		os.Exit(2)
	}
	if err := rename(".", os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "rename: %v\n", err)
		os.Exit(1)
	}
}

func rename(root, to string) error {
	if err := module.CheckPath(to); err != nil {
		return fmt.Errorf("%w; want a path such as example.org/x/rcvae", err)
	}
	from, err := modulePath(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipped(root, path, d.Name())
		}
		change := changeOf(path)
		if change == nil {
			return nil
		}
		return edit(path, func(data []byte) ([]byte, error) { return change(path, data, from, to) })
	})
}

// skipped leaves out the folders of Git, of builds and of other programs' packages.
func skipped(root, path, name string) error {
	hidden := strings.HasPrefix(name, ".") && path != root
	if hidden || name == "node_modules" || name == "bin" || name == "out" {
		return fs.SkipDir
	}
	return nil
}

// change rewrites the text of a file.
type change func(path string, data []byte, from, to string) ([]byte, error)

func changeOf(path string) change {
	switch {
	case filepath.Base(path) == "go.mod":
		return moveModule
	case strings.HasSuffix(path, ".go"):
		return moveImports
	case strings.HasSuffix(path, ".md"):
		return moveCommands
	}
	return nil
}

func edit(path string, change func([]byte) ([]byte, error)) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data, err := change(old)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if string(data) == string(old) {
		return nil
	}
	return os.WriteFile(path, data, 0o644)
}

func modulePath(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%w; run this in the root of the repository", err)
	}
	if name := modfile.ModulePath(data); name != "" {
		return name, nil
	}
	return "", errors.New(path + " names no module")
}

func moveModule(path string, data []byte, from, to string) ([]byte, error) {
	f, err := modfile.Parse(path, data, nil)
	if err != nil {
		return nil, err
	}
	name, inside := moved(f.Module.Mod.Path, from, to)
	if !inside {
		return data, nil
	}
	if err := f.AddModuleStmt(name); err != nil {
		return nil, err
	}
	return f.Format()
}

// moved returns the new path of a package of the module.
func moved(path, from, to string) (string, bool) {
	rest, inside := strings.CutPrefix(path, from)
	if !inside || rest != "" && rest[0] != '/' {
		return path, false
	}
	return to + rest, true
}

func moveImports(path string, data []byte, from, to string) ([]byte, error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, data, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var out []byte
	done := 0
	for _, spec := range f.Imports {
		old, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		name, inside := moved(old, from, to)
		if !inside {
			continue
		}
		start, end := set.Position(spec.Path.Pos()).Offset, set.Position(spec.Path.End()).Offset
		out = append(append(out, data[done:start]...), strconv.Quote(name)...)
		done = end
	}
	return append(out, data[done:]...), nil
}

// fetching matches a line of a page that names the module to the Go tool.
var fetching = regexp.MustCompile(`(?m)^.*\bgo (?:get|install|mod edit)\b.*$`)

func moveCommands(_ string, data []byte, from, to string) ([]byte, error) {
	name := regexp.MustCompile(`(^|[\s"'=])` + regexp.QuoteMeta(from) + `([/@=])`)
	return fetching.ReplaceAllFunc(data, func(line []byte) []byte {
		return name.ReplaceAll(line, []byte("${1}"+to+"${2}"))
	}), nil
}
