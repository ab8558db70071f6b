package pattern

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxBytes bounds a pattern. Source: Filter, Lambda API reference.
const MaxBytes = 4096

// Pattern is a parsed filter. It is safe for concurrent use.
type Pattern struct{ body condition }

// condition is what a value must be like. missing is true when there is no value.
type condition interface {
	matches(value jsontext.Value, missing bool) bool
}

type (
	// object wants each of its members to match; alternatives are its $or.
	object struct {
		members      map[string]condition
		alternatives []condition
	}
	// list wants one of its rules to match.
	list []condition
)

// Parse reads a pattern, or says what AWS would refuse, or this package.
func Parse(text string) (Pattern, error) {
	if len(text) > MaxBytes {
		return Pattern{}, fmt.Errorf("filter pattern of %d bytes: at most %d are allowed", len(text), MaxBytes)
	}
	var top map[string]jsontext.Value
	if err := json.Unmarshal([]byte(text), &top); err != nil {
		return Pattern{}, fmt.Errorf("filter pattern: %w", err)
	}
	if len(top) != 1 || top["body"] == nil {
		return Pattern{}, errors.New("filter pattern: body and nothing else can be filtered on in messages of a queue")
	}
	body, err := parse(top["body"])
	if err != nil {
		return Pattern{}, fmt.Errorf("filter pattern: body%w", err)
	}
	return Pattern{body}, nil
}

// Matches says whether a message with that body passes.
func (p Pattern) Matches(body string) bool {
	value := jsontext.Value(body)
	isObject := value.Kind() == '{' && value.IsValid(jsontext.AllowDuplicateNames(true))
	if _, wantsText := p.body.(list); wantsText {
		if isObject {
			return false
		}
		value, _ = jsontext.AppendQuote(nil, body)
		return p.body.matches(value, false)
	}
	return isObject && p.body.matches(value, false)
}

// parse reads an object or a list of rules. Its errors begin with the path to the trouble.
func parse(value jsontext.Value) (condition, error) {
	switch value.Kind() {
	case '{':
		return parseObject(value)
	case '[':
		return parseList(value, parseRule)
	default:
		return nil, fmt.Errorf(": %s is neither an object nor a list of rules", value)
	}
}

func parseObject(value jsontext.Value) (condition, error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(value, &members); err != nil {
		return nil, fmt.Errorf(": %w", err)
	}
	if len(members) == 0 {
		return nil, errors.New(": an empty object would match nothing in particular")
	}
	parsed := object{members: map[string]condition{}}
	for name, member := range members {
		var err error
		if name == "$or" {
			var alternatives list
			alternatives, err = parseList(member, parseObject)
			parsed.alternatives = alternatives
		} else {
			parsed.members[name], err = parse(member)
		}
		if err != nil {
			return nil, fmt.Errorf(".%s%w", name, err)
		}
	}
	return parsed, nil
}

func parseList(value jsontext.Value, parseOne func(jsontext.Value) (condition, error)) (list, error) {
	var elements []jsontext.Value
	if err := json.Unmarshal(value, &elements); err != nil || len(elements) == 0 {
		return nil, fmt.Errorf(": %s is no list with something in it", value)
	}
	parsed := make(list, 0, len(elements))
	for _, element := range elements {
		one, err := parseOne(element)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, one)
	}
	return parsed, nil
}

func (o object) matches(value jsontext.Value, missing bool) bool {
	if value.Kind() == '[' {
		return anyOf(value, func(element jsontext.Value) bool { return o.matches(element, false) })
	}
	var members map[string]jsontext.Value
	if !missing && value.Kind() == '{' {
		if err := json.Unmarshal(value, &members, jsontext.AllowDuplicateNames(true)); err != nil {
			return false
		}
	}
	for name, wanted := range o.members {
		member, there := members[name]
		if !wanted.matches(member, !there) {
			return false
		}
	}
	return len(o.alternatives) == 0 || list(o.alternatives).matches(value, missing)
}

func (l list) matches(value jsontext.Value, missing bool) bool {
	for _, one := range l {
		if one.matches(value, missing) {
			return true
		}
	}
	return false
}

// anyOf says whether one of the elements of a list is as it should be.
func anyOf(value jsontext.Value, matches func(jsontext.Value) bool) bool {
	var elements []jsontext.Value
	if err := json.Unmarshal(value, &elements, jsontext.AllowDuplicateNames(true)); err != nil {
		return false
	}
	return slices.ContainsFunc(elements, matches)
}
