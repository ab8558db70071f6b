package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// checkFields checks what the tags say of a struct, of the structs inside it and of its
// lists. The map of sinks is left to checkSinks, which knows the type of each.
func checkFields(path string, value reflect.Value, sinkType string, r *report) {
	for _, f := range fieldsOf(value.Type()) {
		checkField(join(path, f.name), value.Field(f.index), f, sinkType, r)
	}
}

func checkField(path string, value reflect.Value, f field, sinkType string, r *report) {
	if f.sinks != nil && !slices.Contains(f.sinks, sinkType) {
		checkForeign(path, value, f, sinkType, r)
		return
	}
	_, present := r.lines[path]
	switch {
	case f.need != "" && isEmpty(value):
		if message := missing(value, f, present); message != "" {
			r.add(path, "%s", message)
			r.close(path) // what is missing lacks all its keys; say so once
		}
	case f.enum != nil && (present || !value.IsZero()):
		checkName(value.String(), f.enum, "value", path, r)
	case f.max != "" && (present || r.lines == nil && !value.IsZero()):
		// What a sink inherits is reported where it is written.
		checkBounds(path, value, f, r)
	}
	switch {
	case value.Kind() == reflect.Struct && !isText(value):
		checkFields(path, value, sinkType, r)
	case value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct:
		for i := range value.Len() {
			checkFields(index(path, i), value.Index(i), sinkType, r)
		}
	}
}

// checkForeign reports a key that belongs to other types of sink.
func checkForeign(path string, value reflect.Value, f field, sinkType string, r *report) {
	_, present := r.lines[path]
	knownType := slices.Contains(SinkTypes(), sinkType)
	if knownType && (present || !isEmpty(value)) {
		r.add(path, "a sink of type %s has no %s, only %s has; remove it", sinkType, f.name, alternatives(f.sinks))
	}
}

// missing says what an empty value lacks, nothing when it may be empty.
func missing(value reflect.Value, f field, present bool) string {
	isCollection := value.Kind() == reflect.Slice || value.Kind() == reflect.Map
	switch {
	case f.need == "some" && present:
		return "is empty; at least one is needed"
	case f.need == "some":
		return "is missing; at least one is needed"
	case value.Kind() == reflect.Struct && present && !isText(value):
		return "" // its own keys are checked, and tell more
	case !isCollection && present:
		return "is empty; write a value"
	case isCollection && !value.IsNil():
		return ""
	case f.enum != nil:
		return "is missing; write " + alternatives(f.enum)
	case f.name == "version":
		return fmt.Sprintf("is missing; write `version: %d`", Version)
	}
	return "is missing; add it"
}

// checkBounds compares a number, a duration or a size with the bounds in its tags.
func checkBounds(path string, value reflect.Value, f field, r *report) {
	least, most := reflect.New(value.Type()).Elem(), reflect.New(value.Type()).Elem()
	setText(least, f.min)
	setText(most, f.max)
	if value.Int() < least.Int() || value.Int() > most.Int() {
		r.add(path, "must be %s to %s, not %v", f.min, f.max, value.Interface())
	}
}

// isEmpty reports whether a value holds nothing.
func isEmpty(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.Slice, reflect.Map:
		return value.Len() == 0
	case reflect.String:
		return strings.TrimSpace(value.String()) == ""
	}
	return value.IsZero()
}
