package config

import (
	_ "embed" // reads this package's own source
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// source is config.go. The comments on its fields are the descriptions that schema and
// documentation show, so they are written once.
//
//go:embed config.go
var source string

// comments returns the comments on the fields of every struct in config.go, on one line
// each: comments()["Sink"]["URL"].
func comments() map[string]map[string]string {
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", source, parser.ParseComments)
	if err != nil {
		panic("config: own source: " + err.Error())
	}
	all := map[string]map[string]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, isType := node.(*ast.TypeSpec)
		if !isType {
			return true
		}
		if structure, isStruct := spec.Type.(*ast.StructType); isStruct {
			all[spec.Name.Name] = fieldComments(structure)
		}
		return false
	})
	return all
}

func fieldComments(structure *ast.StructType) map[string]string {
	texts := map[string]string{}
	for _, f := range structure.Fields.List {
		for _, name := range f.Names {
			texts[name.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
		}
	}
	return texts
}
