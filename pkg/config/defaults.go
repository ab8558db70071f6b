package config

import (
	"encoding"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// setDefaults fills in every key that the file leaves out and that has a default. It is
// the only place where defaults are applied.
func (c *Config) setDefaults() {
	root := reflect.ValueOf(c).Elem()
	c.fill("", root, "")
	for name, sink := range c.Sinks {
		value := reflect.ValueOf(&sink).Elem()
		c.fill(join("sinks", name), value, sink.Type)
		if _, set := c.lines[join(join("sinks", name), "compression_level")]; !set && sink.Compression != "gzip" {
			sink.CompressionLevel = 0 // the other compressions have one level
		}
		c.Sinks[name] = sink
	}
}

// fill sets the fields of one struct, and of the structs inside it, but not of lists and
// maps. sinkType is empty outside of sinks.
func (c *Config) fill(path string, dst reflect.Value, sinkType string) {
	for _, f := range fieldsOf(dst.Type()) {
		fieldPath := join(path, f.name)
		value := dst.Field(f.index)
		_, present := c.lines[fieldPath]
		switch {
		case value.Kind() == reflect.Struct && !isText(value):
			c.fill(fieldPath, value, sinkType)
		case present || len(f.sinks) > 0 && !slices.Contains(f.sinks, sinkType):
		case f.inherit != "":
			value.SetInt(c.lookUp(f.inherit).Int())
		case f.fallback != "":
			setText(value, f.fallback)
		}
	}
}

// lookUp returns the field of c at a path of two keys, "flush.max_events".
func (c *Config) lookUp(path string) reflect.Value {
	value := reflect.ValueOf(c).Elem()
	for key := range strings.SplitSeq(path, ".") {
		for _, f := range fieldsOf(value.Type()) {
			if f.name == key {
				value = value.Field(f.index)
				break
			}
		}
	}
	return value
}

func isText(value reflect.Value) bool {
	_, is := reflect.TypeAssert[encoding.TextUnmarshaler](value.Addr())
	return is
}

// setText sets a field from the text of a tag. A tag that does not fit its field is a
// mistake in this package.
func setText(value reflect.Value, text string) {
	err := error(nil)
	switch target := value.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		err = target.UnmarshalText([]byte(text))
	case *string:
		*target = text
	case *int:
		*target, err = strconv.Atoi(text)
	}
	if err != nil {
		panic("config: tag: " + err.Error())
	}
}
