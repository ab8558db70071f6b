package config

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
)

// Manual returns the description of every key as Markdown tables, one per mapping of
// the file. It is made from the fields, tags and comments of [Config].
func Manual() []byte {
	m := manual{comments: comments()}
	m.section("", "Top level", reflect.TypeFor[Config]())
	return m.Bytes()
}

// manual writes one section after the other.
type manual struct {
	bytes.Buffer
	comments map[string]map[string]string
}

// section writes the table of one struct, and after it the sections of those inside it.
func (m *manual) section(path, title string, t reflect.Type) {
	fmt.Fprintf(m, "\n### %s\n\n| key | type | default | values | effect |\n|---|---|---|---|---|\n", title)
	fields := fieldsOf(t)
	for _, f := range fields {
		structField := t.Field(f.index)
		effect := m.comments[t.Name()][structField.Name]
		if f.sinks != nil {
			effect = "(" + alternatives(f.sinks) + ") " + effect
		}
		fmt.Fprintf(m, "| `%s` | %s | %s | %s | %s |\n", f.name, typeName(structField.Type), defaultOf(f), valuesOf(f), strings.ReplaceAll(effect, "|", `\|`))
	}
	for _, f := range fields {
		m.below(join(path, f.name), t.Field(f.index).Type)
	}
}

// below writes the section of what a key holds, if that has keys of its own.
func (m *manual) below(path string, t reflect.Type) {
	switch t.Kind() {
	case reflect.Slice:
		path, t = path+"[]", t.Elem()
	case reflect.Map:
		path, t = path+".NAME", t.Elem()
	}
	if t.Kind() == reflect.Struct && len(fieldsOf(t)) > 0 {
		m.section(path, "`"+path+"`", t)
	}
}

func defaultOf(f field) string {
	switch {
	case f.need != "":
		return "required"
	case f.inherit != "":
		return "that of `" + f.inherit + "`"
	case f.fallback != "":
		return "`" + f.fallback + "`"
	}
	return ""
}

func valuesOf(f field) string {
	switch {
	case f.enum != nil:
		return "`" + strings.Join(f.enum, "`, `") + "`"
	case f.max != "":
		return "`" + f.min + "` to `" + f.max + "`"
	}
	return ""
}
