package config

import (
	"bytes"
	"encoding"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Effective returns the configuration as YAML with every default filled in. A comment
// beside each value says where it comes from: a line of the file, the default, or the
// top-level key that a sink inherits. Secrets are printed as their references. Parse
// reads the result back into the same configuration.
func (c *Config) Effective() []byte {
	p := printer{config: c}
	p.object("", "", reflect.ValueOf(c).Elem(), "")
	return p.aligned()
}

// printer collects lines with their comments, to align the comments in the end.
type printer struct {
	config *Config
	lines  []printedLine
}

type printedLine struct{ text, comment string }

// maxAlignedColumns keeps one long line from pushing all comments out of sight.
const maxAlignedColumns = 60

func (p *printer) aligned() []byte {
	column := 0
	for _, line := range p.lines {
		if width := utf8.RuneCountInString(line.text); width <= maxAlignedColumns && line.comment != "" {
			column = max(column, width)
		}
	}
	var b bytes.Buffer
	for _, line := range p.lines {
		b.WriteString(line.text)
		if line.comment != "" {
			padding := max(0, column-utf8.RuneCountInString(line.text))
			fmt.Fprintf(&b, "%s  # %s", strings.Repeat(" ", padding), line.comment)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// object prints the keys of a struct that are set, each line after the indentation.
func (p *printer) object(path, indent string, value reflect.Value, sinkType string) {
	for _, f := range fieldsOf(value.Type()) {
		if f.sinks != nil && !slices.Contains(f.sinks, sinkType) {
			continue
		}
		p.field(join(path, f.name), indent, f, value.Field(f.index), sinkType)
	}
}

func (p *printer) field(path, indent string, f field, value reflect.Value, sinkType string) {
	_, present := p.config.lines[path]
	hasValue := present || f.inherit != "" || !isEmpty(value)
	kind := value.Kind()
	switch {
	case kind == reflect.Map:
		p.dictionary(path, indent, f.name, value)
	case kind == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct:
		p.list(path, indent, f.name, value)
	case kind == reflect.Struct && !isText(value):
		p.nested(indent+f.name+":", func() { p.object(path, indent+"  ", value, sinkType) })
	case hasValue:
		p.lines = append(p.lines, printedLine{indent + f.name + ": " + scalar(value), p.origin(path, f)})
	}
}

// nested prints a line with what is below it, or nothing when nothing is.
func (p *printer) nested(heading string, body func()) {
	start := len(p.lines)
	p.lines = append(p.lines, printedLine{text: heading})
	body()
	if len(p.lines) == start+1 {
		p.lines = p.lines[:start]
	}
}

func (p *printer) list(path, indent, name string, value reflect.Value) {
	p.nested(indent+name+":", func() {
		for i := range value.Len() {
			start := len(p.lines)
			p.object(index(path, i), indent+"    ", value.Index(i), "")
			first := &p.lines[start]
			first.text = indent + "  - " + strings.TrimPrefix(first.text, indent+"    ")
		}
	})
}

func (p *printer) dictionary(path, indent, name string, value reflect.Value) {
	p.nested(indent+name+":", func() {
		for _, key := range keysOf(value) {
			element := reflect.New(value.Type().Elem()).Elem()
			element.Set(value.MapIndex(reflect.ValueOf(key)))
			heading, elementPath := indent+"  "+quoted(key)+":", join(path, key)
			if sink, is := reflect.TypeAssert[Sink](element); is {
				p.nested(heading, func() { p.object(elementPath, indent+"    ", element, sink.Type) })
				continue
			}
			p.lines = append(p.lines, printedLine{heading + " " + scalar(element), p.origin(elementPath, field{})})
		}
	})
}

// keysOf returns the keys of a map, sorted.
func keysOf(value reflect.Value) []string {
	keys := make([]string, 0, value.Len())
	for _, key := range value.MapKeys() {
		keys = append(keys, key.String())
	}
	slices.Sort(keys)
	return keys
}

// origin says where the value at path comes from.
func (p *printer) origin(path string, f field) string {
	line, present := p.config.lines[path]
	switch {
	case present:
		return fmt.Sprintf("%s:%d", filepath.Base(p.config.file), line)
	case f.inherit != "":
		return "from " + f.inherit
	case f.fallback != "":
		return "default"
	}
	return "set in code"
}

// scalar writes a value on one line.
func scalar(value reflect.Value) string {
	switch v := value.Interface().(type) {
	case []string:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = quoted(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case Secret:
		return quoted(v.String())
	case Value: // JSON is YAML
		return string(v)
	case encoding.TextMarshaler: // durations and sizes, which need no quotes
		return fmt.Sprint(v)
	case int:
		return strconv.Itoa(v)
	}
	return quoted(value.String())
}

// quoted writes a text so that YAML reads it as that text, without quotes where it is
// plain for certain.
func quoted(text string) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	plain := text != "" && consistsOf(text[:1], letters+"/") && consistsOf(text, letters+"0123456789_-./")
	if plain && !slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(text)) {
		return text
	}
	return strconv.Quote(text)
}
