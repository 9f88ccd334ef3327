package gateway_test

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestFilesUseWhatIsBelow: the order is the one of docs/architecture.md.
func TestFilesUseWhatIsBelow(t *testing.T) {
	page, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	rank := map[string]int{}
	var files []*ast.File
	set := token.NewFileSet()
	for i, line := range regexp.MustCompile(`(?m)^    (\w+\.go) `).FindAllSubmatch(page, -1) {
		name := string(line[1])
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		rank[name], files = i, append(files, file)
	}
	// All but doc.go are in the list.
	if folder, err := build.ImportDir(".", 0); err != nil || len(folder.GoFiles) != 1+len(files) {
		t.Fatalf("docs/architecture.md orders %d of the files %q, %v", len(files), folder.GoFiles, err)
	}
	uses := map[*ast.Ident]types.Object{}
	config := types.Config{Error: func(error) {}} // other packages are not looked at
	pkg, _ := config.Check("gateway", set, files, &types.Info{Uses: uses})
	for name, object := range uses {
		from, to := filepath.Base(set.Position(name.Pos()).Filename), filepath.Base(set.Position(object.Pos()).Filename)
		field, _ := object.(*types.Var)
		ofServer := object.Name() == "Server" || to == "server.go" && field != nil && field.IsField()
		if object.Pkg() == pkg && !ofServer && rank[to] < rank[from] {
			t.Errorf("%s uses %s of %s, which is above it", set.Position(name.Pos()), name.Name, to)
		}
	}
}
