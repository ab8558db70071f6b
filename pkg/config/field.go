package config

import (
	"reflect"
	"strconv"
	"strings"
	"unicode"
)

// field is one key of the file: a struct field and what its tags say (see the package
// documentation).
type field struct {
	name     string
	index    int
	fallback string
	inherit  string
	enum     []string
	min, max string
	sinks    []string
	need     string
}

// fieldsOf returns the keys of a struct type in order.
func fieldsOf(t reflect.Type) []field {
	fields := make([]field, 0, t.NumField())
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		name, tagged := tag.Lookup("yaml")
		if !tagged {
			continue
		}
		fields = append(fields, field{
			name: name, index: i,
			fallback: tag.Get("default"), inherit: tag.Get("inherit"),
			enum: words(tag.Get("enum")), min: tag.Get("min"), max: tag.Get("max"),
			sinks: words(tag.Get("sinks")), need: tag.Get("need"),
		})
	}
	return fields
}

func words(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, "|")
}

// join appends a key to a path. A key that could be mistaken for something else is quoted.
func join(path, key string) string {
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || !unicode.IsPrint(r) }) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
