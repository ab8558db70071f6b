package arch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestTests_SleepInVirtualTimeOnly lets time.Sleep stand only in files whose tests run in
// synctest bubbles, where it takes no time and cannot be too short.
func TestTests_SleepInVirtualTimeOnly(t *testing.T) {
	t.Parallel()
	for _, path := range testFiles(t) {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if importsSynctest(file) {
			continue
		}
		for _, at := range sleeps(file) {
			t.Errorf("%s: time.Sleep outside a synctest bubble: wait for a condition", files.Position(at))
		}
	}
}

func testFiles(t *testing.T) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(root(t), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata"):
			return filepath.SkipDir
		case strings.HasSuffix(path, "_test.go"):
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func sleeps(file *ast.File) []token.Pos {
	var found []token.Pos
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && isCall(call, "time", "Sleep") {
			found = append(found, call.Pos())
		}
		return true
	})
	return found
}

func importsSynctest(file *ast.File) bool {
	for _, spec := range file.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil && path == "testing/synctest" {
			return true
		}
	}
	return false
}

func isCall(call *ast.CallExpr, packageName, function string) bool {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	name, ok := selector.X.(*ast.Ident)
	return ok && name.Name == packageName && selector.Sel.Name == function
}

func TestSleeps_FindsEveryCall(t *testing.T) {
	t.Parallel()
	const source = `package p

import "time"

func helper() { time.Sleep(time.Second) }

func TestX(t *testing.T) {
	go func() { time.Sleep(1) }()
	sleep := other.Sleep
	sleep(1)
}
`
	file, err := parser.ParseFile(token.NewFileSet(), "x_test.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(sleeps(file)); got != 2 {
		t.Errorf("sleeps() found %d calls, want 2", got)
	}
	if importsSynctest(file) {
		t.Error("importsSynctest() = true for a file that does not")
	}
}
