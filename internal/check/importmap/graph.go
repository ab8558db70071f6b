package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace-dev/millrace/internal/check/repo"
)

// graph maps a package to those of ours that it imports, both relative to the module.
type graph map[string][]string

// load asks the Go tool for the imports of everything that is part of the product. Test
// files are left out: they may look wherever they like.
func load(ctx context.Context, root string) (graph, error) {
	lines, err := repo.List(ctx, root, "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...")
	if err != nil {
		return nil, err
	}
	return parse(lines), nil
}

// isProduct reports whether a package is part of what users get; the rest checks it.
func isProduct(name string) bool {
	top, _, _ := strings.Cut(name, "/")
	switch top {
	case "cmd", "functions", "pkg":
		return true
	case "internal":
		return !strings.HasPrefix(name, "internal/check/")
	}
	return false
}

func parse(lines []string) graph {
	g := make(graph)
	for _, line := range lines {
		paths := strings.Fields(line)
		name := relative(paths[0])
		if !isProduct(name) {
			continue
		}
		g[name] = []string{}
		for _, path := range paths[1:] {
			if strings.HasPrefix(path, repo.Module+"/") {
				g[name] = append(g[name], relative(path))
			}
		}
		slices.Sort(g[name])
	}
	return g
}

func relative(path string) string { return strings.TrimPrefix(path, repo.Module+"/") }

// String draws one package a line, importers above what they import, so that the map
// reads in the direction in which an event is followed.
func (g graph) String() string {
	names := make([]string, 0, len(g))
	for name := range g {
		names = append(names, name)
	}
	heights := g.heights()
	slices.SortFunc(names, func(a, b string) int {
		if heights[a] != heights[b] {
			return heights[b] - heights[a]
		}
		return strings.Compare(a, b)
	})
	var b strings.Builder
	for _, name := range names {
		if imports := g[name]; len(imports) > 0 {
			fmt.Fprintf(&b, "%s -> %s\n", name, strings.Join(imports, ", "))
			continue
		}
		fmt.Fprintf(&b, "%s\n", name)
	}
	return b.String()
}

// heights tells for each package the length of its longest way down to one that imports
// nothing of ours. The compiler rejects cycles, so every way ends.
func (g graph) heights() map[string]int {
	heights := make(map[string]int, len(g))
	var measure func(string) int
	measure = func(name string) int {
		if height, done := heights[name]; done {
			return height
		}
		height := 0
		for _, imported := range g[name] {
			height = max(height, 1+measure(imported))
		}
		heights[name] = height
		return height
	}
	for name := range g {
		measure(name)
	}
	return heights
}
