package config

import (
	"slices"

	eventfield "github.com/millrace-dev/millrace/pkg/event/field"
)

// maxDedupFields bounds the fields of a rule, as pkg/dedup does.
const maxDedupFields = 16

// checkProcessors checks what the tags cannot say of the steps.
func (c *Config) checkProcessors(r *report) {
	for i := range c.Processors {
		filter, path := &c.Processors[i].Filter, join(index("processors", i), "filter")
		c.checkMatch(filter.Match, join(path, "match"), r)
		condition := join(path, "keep_if")
		checkPath(filter.KeepIf.Field, join(condition, "field"), r)
		if equals := filter.KeepIf.Equals; equals != "" && equals.check() != nil {
			r.add(join(condition, "equals"), "%v", errValue)
		}
	}
}

// checkDedup checks what the tags cannot say of the rules.
func (c *Config) checkDedup(r *report) {
	for i := range c.Dedup.Rules {
		rule, path := &c.Dedup.Rules[i], index("dedup.rules", i)
		c.checkMatch(rule.Match, join(path, "match"), r)
		fields := join(path, "fields")
		if n := len(rule.Fields); n > maxDedupFields {
			r.add(fields, "has %d fields; at most %d make a key", n, maxDedupFields)
		}
		for k, text := range rule.Fields {
			checkPath(text, index(fields, k), r)
			if slices.Contains(rule.Fields[:k], text) {
				r.add(index(fields, k), "the field %q is here twice; remove one", text)
			}
		}
	}
}

// checkPath reports a path that leads nowhere. That it is missing is a problem of its own.
func checkPath(text, path string, r *report) {
	if _, set := r.lines[path]; text == "" && !set {
		return
	}
	if _, err := eventfield.Parse(text); err != nil {
		r.add(path, "is no path of a field: %v; write names joined by dots, such as flag.key", err)
	}
}
