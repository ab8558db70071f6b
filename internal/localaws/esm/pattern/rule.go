package pattern

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type (
	// leaf wants a value that is no object and no list, and itself or an element to pass a test.
	leaf func(jsontext.Value) bool
	// exists wants a value to be there, or not to be.
	exists bool
)

func (l leaf) matches(value jsontext.Value, missing bool) bool {
	switch {
	case missing || value.Kind() == '{':
		return false
	case value.Kind() == '[':
		return anyOf(value, func(element jsontext.Value) bool { return l.matches(element, false) })
	default:
		return l(value)
	}
}

// matches looks at leaves only: an object counts as missing.
func (e exists) matches(value jsontext.Value, missing bool) bool {
	return bool(e) == (!missing && value.Kind() != '{')
}

// parseRule reads one element of a list.
func parseRule(value jsontext.Value) (condition, error) {
	if value.Kind() != '{' {
		return parseEqual(value)
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(value, &members); err != nil || len(members) != 1 {
		return nil, fmt.Errorf(": a rule is a value or an object with one operator, not %s", value)
	}
	for operator, operand := range members {
		rule, err := parseOperator(operator, operand)
		if err != nil {
			return nil, fmt.Errorf(": %s: %w", operator, err)
		}
		return rule, nil
	}
	panic("unreachable: one member")
}

// parseEqual wants the same text, or the same number in the same digits.
func parseEqual(wanted jsontext.Value) (condition, error) {
	if kind := wanted.Kind(); kind == '{' || kind == '[' {
		return nil, fmt.Errorf(": %s is no value", wanted)
	}
	if text, ok := textOf(wanted); ok {
		return texts(func(got string) bool { return got == text }), nil
	}
	literal := string(wanted)
	return leaf(func(got jsontext.Value) bool { return string(got) == literal }), nil
}

func parseOperator(operator string, operand jsontext.Value) (condition, error) {
	switch operator {
	case "exists":
		var wanted bool
		err := json.Unmarshal(operand, &wanted)
		return exists(wanted), err
	case "numeric":
		return parseNumeric(operand)
	case "anything-but":
		return parseAnythingBut(operand)
	case "prefix", "suffix", "equals-ignore-case":
		return parseText(operator, operand)
	default:
		return nil, errors.New("is no operator of event-source mappings")
	}
}

func parseText(operator string, operand jsontext.Value) (condition, error) {
	wanted, ok := textOf(operand)
	if !ok {
		return nil, fmt.Errorf("%s is no text", operand)
	}
	compare := map[string]func(got, wanted string) bool{
		"prefix": strings.HasPrefix, "suffix": strings.HasSuffix, "equals-ignore-case": strings.EqualFold,
	}[operator]
	return texts(func(got string) bool { return compare(got, wanted) }), nil
}

// parseAnythingBut wants a value that none of the given ones equals.
func parseAnythingBut(operand jsontext.Value) (condition, error) {
	if operand.Kind() != '[' {
		operand = append(append(jsontext.Value{'['}, operand...), ']')
	}
	but, err := parseList(operand, parseEqual)
	if err != nil {
		return nil, fmt.Errorf("wants a value or a list of them%w", err)
	}
	return leaf(func(got jsontext.Value) bool { return !but.matches(got, false) }), nil
}

// bound is one comparison with a number.
type bound struct {
	operator string
	limit    float64
}

func (b bound) holds(number float64) bool {
	switch b.operator {
	case "=":
		return number == b.limit
	case "<":
		return number < b.limit
	case "<=":
		return number <= b.limit
	case ">":
		return number > b.limit
	default:
		return number >= b.limit
	}
}

// parseNumeric reads ["=", 5], or one bound, or a lower and an upper one.
func parseNumeric(operand jsontext.Value) (condition, error) {
	var parts []jsontext.Value
	if err := json.Unmarshal(operand, &parts); err != nil || len(parts) != 2 && len(parts) != 4 {
		return nil, fmt.Errorf(`%s is not like [">", 1] or [">", 1, "<=", 2]`, operand)
	}
	var bounds []bound
	for i := 0; i < len(parts); i += 2 {
		operator, _ := textOf(parts[i])
		limit, isNumber := numberOf(parts[i+1])
		if !slices.Contains([]string{"=", "<", "<=", ">", ">="}, operator) || !isNumber {
			return nil, fmt.Errorf("%s %s is no comparison with a number", parts[i], parts[i+1])
		}
		bounds = append(bounds, bound{operator, limit})
	}
	if len(bounds) == 2 && (bounds[0].operator[0] != '>' || bounds[1].operator[0] != '<' || bounds[0].limit >= bounds[1].limit) {
		return nil, fmt.Errorf("%s is no lower bound with an upper one above it", operand)
	}
	return leaf(func(got jsontext.Value) bool {
		number, isNumber := numberOf(got)
		for _, b := range bounds {
			isNumber = isNumber && b.holds(number)
		}
		return isNumber
	}), nil
}

// texts wants a text that passes a test.
func texts(test func(string) bool) leaf {
	return func(got jsontext.Value) bool {
		text, ok := textOf(got)
		return ok && test(text)
	}
}

func textOf(value jsontext.Value) (string, bool) {
	if value.Kind() != '"' {
		return "", false
	}
	text, err := jsontext.AppendUnquote(nil, value)
	return string(text), err == nil
}

func numberOf(value jsontext.Value) (float64, bool) {
	if value.Kind() != '0' {
		return 0, false
	}
	number, err := strconv.ParseFloat(string(value), 64)
	return number, err == nil
}
