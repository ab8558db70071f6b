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
type Pattern struct {
	body condition
	// plainText tells a pattern for bodies of plain text, which begins with a list, from one for objects.
	plainText bool
}

type (
	// condition is what a value must be like: a map, a list, a string, a number, a bool, nil, or missing.
	condition func(value any) bool
	// number is as it was written.
	number string
	// missing stands for a value that is not there.
	missing struct{}
)

// Parse reads a pattern, or says what AWS would refuse, or this package.
func Parse(text string) (Pattern, error) {
	if len(text) > MaxBytes {
		return Pattern{}, fmt.Errorf("filter pattern of %d bytes: at most %d are allowed", len(text), MaxBytes)
	}
	value, err := decode(text)
	if err != nil {
		return Pattern{}, fmt.Errorf("filter pattern: %w", err)
	}
	top, _ := value.(map[string]any)
	body, hasBody := top["body"]
	if !hasBody || len(top) > 1 {
		return Pattern{}, errors.New("filter pattern: body and nothing else can be filtered on in messages of a queue")
	}
	wanted, err := parse(body)
	if err != nil {
		return Pattern{}, fmt.Errorf("filter pattern: body%w", err)
	}
	_, plainText := body.([]any)
	return Pattern{wanted, plainText}, nil
}

// Matches says whether a message with that body passes.
func (p Pattern) Matches(body string) bool {
	value, _ := decode(body, jsontext.AllowDuplicateNames(true))
	object, isObject := value.(map[string]any)
	if p.plainText {
		return !isObject && p.body(body)
	}
	return isObject && p.body(object)
}

// decode reads JSON into what conditions look at.
func decode(text string, options ...json.Options) (any, error) {
	var value any
	asWritten := json.UnmarshalFromFunc(func(d *jsontext.Decoder, value *any) error {
		if *value = nil; d.PeekKind() != '0' { // of a repeated member the last counts, not both merged
			return errors.ErrUnsupported // go on as usual
		}
		token, err := d.ReadToken()
		*value = number(token.String())
		return err
	})
	if err := json.Unmarshal([]byte(text), &value, append(options, json.WithUnmarshalers(asWritten))...); err != nil {
		return nil, err //nolint:wrapcheck // says what it is about
	}
	return value, nil
}

// parse reads an object or a list of rules. Its errors begin with the path to the trouble.
func parse(value any) (condition, error) {
	switch value.(type) {
	case map[string]any:
		return parseObject(value)
	case []any:
		return parseList(value, parseRule)
	default:
		return nil, fmt.Errorf(": %v is neither an object nor a list of rules", value)
	}
}

// parseObject reads an object whose members must all match.
func parseObject(value any) (condition, error) {
	wanted, _ := value.(map[string]any)
	if len(wanted) == 0 {
		return nil, fmt.Errorf(": %v is no object with something in it", value)
	}
	var members []condition
	for name, rules := range wanted {
		one, err := parseMember(name, rules)
		if err != nil {
			return nil, fmt.Errorf(".%s%w", name, err)
		}
		members = append(members, one)
	}
	return anyElement(func(value any) bool {
		return !slices.ContainsFunc(members, func(one condition) bool { return !one(value) })
	}), nil
}

// parseMember reads what an object must be like in one of its members. What is no object has none.
func parseMember(name string, rules any) (condition, error) {
	if name == "$or" {
		return parseList(rules, parseObject)
	}
	wanted, err := parse(rules)
	return func(value any) bool {
		object, _ := value.(map[string]any)
		if member, there := object[name]; there {
			return wanted(member)
		}
		return wanted(missing{})
	}, err
}

// parseList reads a list of which one element must match.
func parseList(value any, parseOne func(any) (condition, error)) (condition, error) {
	list, _ := value.([]any)
	if len(list) == 0 {
		return nil, fmt.Errorf(": %v is no list with something in it", value)
	}
	wanted := make([]condition, len(list))
	for i, element := range list {
		var err error
		if wanted[i], err = parseOne(element); err != nil {
			return nil, err
		}
	}
	return func(value any) bool {
		return slices.ContainsFunc(wanted, func(one condition) bool { return one(value) })
	}, nil
}

// anyElement is what a list matches when one of its elements does.
func anyElement(matches condition) condition {
	var itself condition
	itself = func(value any) bool {
		if list, isList := value.([]any); isList {
			return slices.ContainsFunc(list, itself)
		}
		return matches(value)
	}
	return itself
}
