package config

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of what the parser is given. It recurses and keeps every node, so they stand
// before it.
const (
	// maxDepth bounds nesting; the file's shape needs 5.
	maxDepth = 32
	// maxTokens bounds the tokens of a file; a sink needs about 50.
	maxTokens = 200_000
)

// parseYAML reads the one document of a file. It never returns a nil node without an
// error, and its errors are Problems.
func parseYAML(name string, data []byte) (ast.Node, error) {
	fail := func(line int, format string, args ...any) (ast.Node, error) {
		return nil, Problems{{File: name, Line: line, Message: fmt.Sprintf(format, args...)}}
	}
	if len(data) > MaxFileBytes {
		return fail(0, "the file has more than %s; that is the limit", Bytes(MaxFileBytes))
	}
	tokens := lexer.Tokenize(string(data))
	if len(tokens) > maxTokens {
		return fail(0, "the file has more than %d words and signs; that is the limit", maxTokens)
	}
	if line := tooDeepAt(tokens); line > 0 {
		return fail(line, "nested more than %d levels deep; that is the limit", maxDepth)
	}
	// Duplicate keys are allowed here because the decoder reports all of them.
	file, err := parser.Parse(withoutComments(tokens), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line, message := syntaxError(err)
		return fail(line, "not YAML: %s", message)
	}
	return onlyDocument(file, fail)
}

// onlyDocument returns the root of a file with one document.
func onlyDocument(file *ast.File, fail func(int, string, ...any) (ast.Node, error)) (ast.Node, error) {
	var root ast.Node
	for _, document := range file.Docs {
		switch {
		case document.Body == nil || document.Body.Type() == ast.DirectiveType:
		case root != nil:
			return fail(document.Body.GetToken().Position.Line, "a second document starts here; write one per file")
		default:
			root = document.Body
		}
	}
	if root == nil {
		return fail(0, "the file is empty; start with `version: %d`", Version)
	}
	return root, nil
}

func withoutComments(tokens token.Tokens) token.Tokens {
	kept := make(token.Tokens, 0, len(tokens))
	for _, t := range tokens {
		if t.Type != token.CommentType {
			kept = append(kept, t)
		}
	}
	return kept
}

// tooDeepAt returns the line where the nesting passes maxDepth, 0 when it never does.
// Flow collections nest by brackets, block collections by columns: what opens one to the
// right of another is inside it.
func tooDeepAt(tokens token.Tokens) int {
	flow, columns := 0, []int(nil)
	for _, t := range tokens {
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow = max(0, flow-1)
		default:
			if flow == 0 {
				columns = nest(columns, t)
			}
		}
		if flow+len(columns) > maxDepth {
			return t.Position.Line
		}
	}
	return 0
}

// nest returns the columns of the block collections that are open after t.
func nest(columns []int, t *token.Token) []int {
	column := t.Position.Column
	switch t.Type {
	case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
	case token.MappingValueType:
		if t.Prev != nil && t.Prev.Position.Line == t.Position.Line {
			column = t.Prev.Position.Column
		}
	default:
		return columns
	}
	for len(columns) > 0 && columns[len(columns)-1] >= column {
		columns = columns[:len(columns)-1]
	}
	return append(columns, column)
}

// syntaxError takes line and message out of the parser's error, which otherwise prints
// an excerpt of the file, secrets included.
func syntaxError(err error) (line int, message string) {
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) {
		return 0, err.Error()
	}
	if syntax.Token != nil && syntax.Token.Position != nil {
		line = syntax.Token.Position.Line
	}
	return line, syntax.Message
}
