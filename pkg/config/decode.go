package config

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// maxValues bounds the values that are decoded, so that aliases of aliases end early.
const maxValues = 100_000

// decoder walks a document into structs and reports everything that does not fit.
type decoder struct {
	report *report
	// anchors has the node of every anchor that was passed, by name.
	anchors map[string]ast.Node
	values  int
	depth   int
}

// decode fills c from the document and notes the line of every key path.
func decode(root ast.Node, c *Config, r *report) {
	d := &decoder{report: r, anchors: map[string]ast.Node{}}
	d.value("", root, reflect.ValueOf(c).Elem())
}

// value decodes one node into dst, whose type says what the node must be.
func (d *decoder) value(path string, node ast.Node, dst reflect.Value) {
	d.depth++
	defer func() { d.depth-- }()
	d.values++
	if d.values > maxValues || d.depth > maxDepth {
		d.report.add("", "aliases (*name) unfold to more than %d values or %d levels; write them out", maxValues, maxDepth)
		return
	}
	node = d.resolve(path, node)
	if node == nil {
		return
	}
	if _, isNull := node.(*ast.NullNode); isNull {
		d.wrong(path, node, "has no value; write one or remove the key")
		return
	}
	if text, ok := reflect.TypeAssert[encoding.TextUnmarshaler](dst.Addr()); ok {
		d.text(path, node, text)
		return
	}
	if value, ok := reflect.TypeAssert[*Value](dst.Addr()); ok {
		d.scalar(path, node, value)
		return
	}
	switch dst.Kind() {
	case reflect.Struct:
		d.object(path, node, dst)
	case reflect.Map:
		d.dictionary(path, node, dst)
	case reflect.Slice:
		d.list(path, node, dst)
	case reflect.String:
		d.string(path, node, dst)
	case reflect.Int:
		d.integer(path, node, dst)
	default:
		panic(fmt.Sprintf("config: a field of type %s cannot be read", dst.Type()))
	}
}

// wrong reports a value that cannot be read, at its own line.
func (d *decoder) wrong(path string, node ast.Node, format string, args ...any) {
	d.report.addAt(node.GetToken().Position.Line, path, format, args...)
	d.report.close(path)
}

// resolve follows anchors and aliases. It returns nil after reporting what cannot be
// followed.
func (d *decoder) resolve(path string, node ast.Node) ast.Node {
	switch n := node.(type) {
	case *ast.AnchorNode:
		d.anchors[n.Name.GetToken().Value] = n.Value
		return d.resolve(path, n.Value)
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		target, known := d.anchors[name]
		if !known {
			d.wrong(path, node, "no anchor &%s stands before this alias", name)
			return nil
		}
		return target
	case *ast.TagNode:
		d.wrong(path, node, "tags such as %s are not supported; remove it", n.GetToken().Value)
		return nil
	case nil:
		return nil
	}
	return node
}

// object decodes a mapping whose keys are the fields of a struct.
func (d *decoder) object(path string, node ast.Node, dst reflect.Value) {
	fields := fieldsOf(dst.Type())
	names := make([]string, len(fields))
	byName := make(map[string]field, len(fields))
	for i, f := range fields {
		names[i] = f.name
		byName[f.name] = f
	}
	for _, e := range d.entries(path, node) {
		f, known := byName[e.key]
		if !known {
			d.unknown(path, e, names)
			continue
		}
		d.value(join(path, e.key), e.value, dst.Field(f.index))
	}
}

// unknown reports a key that does not exist here. The key that was probably meant is not
// reported as missing too.
func (d *decoder) unknown(path string, e entry, names []string) {
	if meant := closest(e.key, names); meant != "" {
		d.report.addAt(e.line, join(path, e.key), "unknown key; did you mean %q?", meant)
		d.report.excuse(join(path, meant))
		return
	}
	d.report.addAt(e.line, join(path, e.key), "unknown key; the keys here are %s", enumerate(names))
}

// dictionary decodes a mapping whose keys are free.
func (d *decoder) dictionary(path string, node ast.Node, dst reflect.Value) {
	entries := d.entries(path, node)
	dst.Set(reflect.MakeMapWithSize(dst.Type(), len(entries)))
	for _, e := range entries {
		element := reflect.New(dst.Type().Elem()).Elem()
		d.value(join(path, e.key), e.value, element)
		dst.SetMapIndex(reflect.ValueOf(e.key), element)
	}
}

func (d *decoder) list(path string, node ast.Node, dst reflect.Value) {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		d.wrong(path, node, "must be a list, not %s", describe(node))
		return
	}
	dst.Set(reflect.MakeSlice(dst.Type(), len(sequence.Values), len(sequence.Values)))
	for i, item := range sequence.Values {
		itemPath := fmt.Sprintf("%s[%d]", path, i)
		d.report.lines[itemPath] = item.GetToken().Position.Line
		d.value(itemPath, item, dst.Index(i))
	}
}

func (d *decoder) string(path string, node ast.Node, dst reflect.Value) {
	text, ok := stringOf(node)
	if !ok {
		d.wrong(path, node, "must be a text, not %s; put it in quotes", describe(node))
		return
	}
	if holdsReference(text) {
		d.wrong(path, node, "references to secrets work in the url and the headers of a sink only")
		return
	}
	dst.SetString(text)
}

// scalar decodes a text, a number, true or false, and keeps which of them it is.
func (d *decoder) scalar(path string, node ast.Node, dst *Value) {
	switch node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		var text string
		d.string(path, node, reflect.ValueOf(&text).Elem())
		*dst = textValue(text)
		return
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode:
		*dst = Value(node.GetToken().Value)
		if err := dst.check(); err != nil {
			d.wrong(path, node, "%v", err)
		}
		return
	}
	d.wrong(path, node, "must be a text, a number, true or false, not %s", describe(node))
}

func (d *decoder) integer(path string, node ast.Node, dst reflect.Value) {
	number, ok := node.(*ast.IntegerNode)
	if !ok {
		d.wrong(path, node, "must be a whole number, not %s", describe(node))
		return
	}
	value, err := strconv.ParseInt(fmt.Sprint(number.Value), 10, 64)
	if err != nil || value > math.MaxInt32 || value < math.MinInt32 {
		d.wrong(path, node, "the number is too large")
		return
	}
	dst.SetInt(value)
}

// text decodes a scalar that has a notation of its own, such as a duration.
func (d *decoder) text(path string, node ast.Node, dst encoding.TextUnmarshaler) {
	text, ok := stringOf(node)
	if _, isSecret := dst.(*Secret); !ok && !isSecret {
		// A bare number can be a size; what it cannot be, the notation says best itself.
		if _, isScalar := node.(ast.ScalarNode); isScalar {
			text, ok = node.GetToken().Value, true
		}
	}
	if !ok {
		d.wrong(path, node, "must be a text, not %s; put it in quotes", describe(node))
		return
	}
	if err := dst.UnmarshalText([]byte(text)); err != nil {
		d.wrong(path, node, "%v", err)
	}
}

func stringOf(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	return "", false
}

// describe names what a node is, for people.
func describe(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "a text"
	case *ast.IntegerNode:
		return "a whole number"
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a fraction"
	case *ast.BoolNode:
		return "true or false"
	}
	return "this"
}
