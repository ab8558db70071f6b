package config

import (
	"github.com/goccy/go-yaml/ast"
)

// entry is one key of a mapping with its value.
type entry struct {
	key   string
	line  int
	value ast.Node
}

// entries returns the keys of a mapping in order, and notes their lines. Merge keys
// (<<) are unfolded; a key that stands in the mapping itself wins. Duplicates are
// reported, and the first counts.
func (d *decoder) entries(path string, node ast.Node) []entry {
	mapping, ok := node.(ast.MapNode)
	if !ok {
		d.wrong(path, node, "must be a mapping of keys to values, not %s", describe(node))
		return nil
	}
	var own, merged []entry
	seen := map[string]int{}
	for iter := mapping.MapRange(); iter.Next(); {
		if _, isMerge := iter.Key().(*ast.MergeKeyNode); isMerge {
			merged = append(merged, d.merged(path, iter.Value())...)
			continue
		}
		e, ok := d.entry(path, iter.KeyValue())
		if !ok {
			continue
		}
		if first, duplicate := seen[e.key]; duplicate {
			d.report.addAt(e.line, join(path, e.key), "the key is here twice, first on line %d; remove one", first)
			continue
		}
		seen[e.key] = e.line
		own = append(own, e)
	}
	for _, e := range merged {
		if _, overridden := seen[e.key]; !overridden {
			seen[e.key] = e.line
			own = append(own, e)
		}
	}
	for _, e := range own {
		d.report.lines[join(path, e.key)] = e.line
	}
	return own
}

// entry reads one key.
func (d *decoder) entry(path string, pair *ast.MappingValueNode) (entry, bool) {
	line := pair.Key.GetToken().Position.Line
	switch key := pair.Key.(type) {
	case *ast.StringNode:
		return entry{key: key.Value, line: line, value: pair.Value}, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return entry{key: key.GetToken().Value, line: line, value: pair.Value}, true
	}
	d.report.addAt(line, path, "a key must be a plain text")
	return entry{}, false
}

// merged returns the keys that a merge key brings in.
func (d *decoder) merged(path string, value ast.Node) []entry {
	d.depth++
	defer func() { d.depth-- }()
	d.values++
	if d.values > maxValues || d.depth > maxDepth {
		d.report.add("", "merge keys (<<) unfold to more than %d values or %d levels; write them out", maxValues, maxDepth)
		return nil
	}
	node := d.resolve(path, value)
	if node == nil {
		return nil
	}
	if sequence, isList := node.(*ast.SequenceNode); isList {
		var all []entry
		for _, item := range sequence.Values {
			all = append(all, d.merged(path, item)...)
		}
		return all
	}
	return d.entries(path, node)
}
