package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// node is a JSON Schema in the making.
type node = map[string]any

// Schema returns a JSON Schema (draft 2020-12) of the file, for editors. It is made from
// the fields, tags and comments of [Config]. Editors see a little less than Parse does:
// what spans several keys, such as routes to unknown sinks, is not in it.
func Schema() []byte {
	s := schema{comments: comments()}
	root := s.object(reflect.TypeFor[Config]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "millrace.yaml"
	data, err := json.Marshal(root, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		panic("config: schema: " + err.Error()) // only strings, numbers, lists and maps
	}
	return append(data, '\n')
}

type schema struct{ comments map[string]map[string]string }

// object describes a struct.
func (s schema) object(t reflect.Type) node {
	properties, required := node{}, []string{}
	for _, f := range fieldsOf(t) {
		property := s.value(t.Field(f.index).Type)
		s.constrain(property, t, f)
		properties[f.name] = property
		if f.need != "" && f.sinks == nil {
			required = append(required, f.name)
		}
	}
	object := node{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		object["required"] = required
	}
	if t == reflect.TypeFor[Sink]() {
		object["allOf"] = perSinkType(t)
	}
	return object
}

// value describes a type.
func (s schema) value(t reflect.Type) node {
	switch t {
	case reflect.TypeFor[Duration]():
		return node{"type": "string", "pattern": `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$|^0$`}
	case reflect.TypeFor[Bytes]():
		return node{"type": []string{"integer", "string"}, "pattern": `^[0-9]+ ?([KMG]i)?B?$`}
	case reflect.TypeFor[Status]():
		return node{"type": []string{"integer", "string"}, "pattern": `^([1-5]xx|[1-5][0-9]{2}(-[1-5][0-9]{2})?)$`}
	case reflect.TypeFor[Secret]():
		return node{"type": "string"}
	case reflect.TypeFor[Switch]():
		return node{"enum": []any{On, Off, true, false}}
	case reflect.TypeFor[Value]():
		return node{"type": []string{"string", "number", "boolean"}}
	}
	switch t.Kind() {
	case reflect.Struct:
		return s.object(t)
	case reflect.Map:
		return node{"type": "object", "additionalProperties": s.value(t.Elem())}
	case reflect.Slice:
		return node{"type": "array", "items": s.value(t.Elem())}
	case reflect.Int:
		return node{"type": "integer"}
	}
	return node{"type": "string"}
}

// constrain adds what the tags and the comment of a field say.
func (s schema) constrain(property node, t reflect.Type, f field) {
	property["description"] = s.comments[t.Name()][t.Field(f.index).Name]
	isInt := t.Field(f.index).Type.Kind() == reflect.Int && property["type"] == "integer"
	if f.enum != nil {
		property["enum"] = f.enum
	}
	if f.fallback != "" {
		property["default"] = literal(f.fallback, isInt)
	}
	if isInt && f.max != "" {
		property["minimum"], property["maximum"] = literal(f.min, true), literal(f.max, true)
	}
	switch f.name {
	case "version":
		property["const"] = Version
	case "sha256":
		property["pattern"] = "^[0-9a-f]{64}$"
	case "sinks":
		property["propertyNames"] = node{"pattern": "^[a-z0-9_-]{1," + strconv.Itoa(maxNameBytes) + "}$"}
	case "fields":
		property["maxItems"] = maxDedupFields
	case "receivers":
		property["items"] = node{"type": "string", "enum": Receivers()}
	}
	if f.need == "some" {
		bound := "minItems"
		if property["type"] == "object" {
			bound = "minProperties"
		}
		property[bound] = 1
	}
}

// literal is a number or a text, as a tag writes it.
func literal(text string, isInt bool) any {
	if number, err := strconv.Atoi(text); isInt && err == nil {
		return number
	}
	return text
}

// perSinkType says for each type which keys it needs and which it does not have.
func perSinkType(t reflect.Type) []node {
	var rules []node
	for _, sinkType := range SinkTypes() {
		required, foreign := []string{}, node{}
		for _, f := range fieldsOf(t) {
			switch belongs := f.sinks == nil || slices.Contains(f.sinks, sinkType); {
			case !belongs:
				foreign[f.name] = false
			case f.need != "":
				required = append(required, f.name)
			}
		}
		rules = append(rules, node{
			"if":   node{"properties": node{"type": node{"const": sinkType}}, "required": []string{"type"}},
			"then": node{"required": required, "properties": foreign},
		})
	}
	return rules
}

// typeName names a type for people.
func typeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Duration]():
		return "duration"
	case reflect.TypeFor[Bytes]():
		return "size"
	case reflect.TypeFor[Status]():
		return "status codes"
	case reflect.TypeFor[Secret]():
		return "text with references"
	case reflect.TypeFor[Switch]():
		return "on or off"
	case reflect.TypeFor[Value]():
		return "text, number, true or false"
	}
	switch t.Kind() {
	case reflect.Slice:
		return "list of " + strings.TrimSuffix(typeName(t.Elem()), "s") + "s"
	case reflect.Map:
		return "names to " + typeName(t.Elem())
	case reflect.Struct:
		return "mapping"
	case reflect.Int:
		return "whole number"
	}
	return "text"
}
