package pattern

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// parseRule reads one element of a list.
func parseRule(value any) (condition, error) {
	rule, isObject := value.(map[string]any)
	if !isObject {
		return parseEqual(value)
	}
	if len(rule) != 1 {
		return nil, fmt.Errorf(": a rule is a value or an object with one operator, not %v", value)
	}
	var wanted condition
	for operator, operand := range rule {
		var err error
		if wanted, err = parseOperator(operator, operand); err != nil {
			return nil, fmt.Errorf(": %s: %w", operator, err)
		}
	}
	return wanted, nil
}

// parseEqual wants the same text, or the same number in the same digits.
func parseEqual(wanted any) (condition, error) {
	switch wanted.(type) {
	case map[string]any, []any:
		return nil, fmt.Errorf(": %v is no value", wanted)
	}
	return leaf(func(got any) bool { return got == wanted }), nil
}

func parseOperator(operator string, operand any) (condition, error) {
	switch operator {
	case "exists":
		return parseExists(operand)
	case "numeric":
		return parseNumeric(operand)
	case "anything-but":
		return parseAnythingBut(operand)
	case "prefix":
		return parseText(operand, strings.HasPrefix)
	case "suffix":
		return parseText(operand, strings.HasSuffix)
	case "equals-ignore-case":
		return parseText(operand, strings.EqualFold)
	default:
		return nil, errors.New("is no operator of event-source mappings")
	}
}

func parseText(operand any, compare func(got, wanted string) bool) (condition, error) {
	wanted, isText := operand.(string)
	if !isText {
		return nil, fmt.Errorf("%v is no text", operand)
	}
	return leaf(func(got any) bool {
		text, isText := got.(string)
		return isText && compare(text, wanted)
	}), nil
}

// parseExists wants a leaf or a list to be there, or not to be: an object counts as missing.
func parseExists(operand any) (condition, error) {
	wanted, isBool := operand.(bool)
	if !isBool {
		return nil, fmt.Errorf("%v is neither true nor false", operand)
	}
	return func(got any) bool { return isThere(got) == wanted }, nil
}

// parseAnythingBut wants a value that none of the given ones equals.
func parseAnythingBut(operand any) (condition, error) {
	if _, isList := operand.([]any); !isList {
		operand = []any{operand}
	}
	but, err := parseList(operand, parseEqual)
	if err != nil {
		return nil, fmt.Errorf("wants a value or a list of them%w", err)
	}
	return leaf(func(got any) bool { return !but(got) }), nil
}

// bound is one comparison with a number.
type bound struct {
	operator string
	limit    float64
}

// parseNumeric reads ["=", 5], or one bound, or a lower and an upper one.
func parseNumeric(operand any) (condition, error) {
	parts, _ := operand.([]any)
	var bounds []bound
	for i := 0; i+1 < len(parts); i += 2 {
		operator, _ := parts[i].(string)
		limit, isNumber := numberOf(parts[i+1])
		if isNumber && slices.Contains([]string{"=", "<", "<=", ">", ">="}, operator) {
			bounds = append(bounds, bound{operator, limit})
		}
	}
	isOne := len(parts) == 2 && len(bounds) == 1
	isRange := len(parts) == 4 && len(bounds) == 2 &&
		bounds[0].operator[0] == '>' && bounds[1].operator[0] == '<' && bounds[0].limit < bounds[1].limit
	if !isOne && !isRange {
		return nil, fmt.Errorf(`%v is not like [">=", 1] or [">", 1, "<", 2]`, operand)
	}
	return leaf(func(got any) bool {
		number, isNumber := numberOf(got)
		return isNumber && !slices.ContainsFunc(bounds, func(b bound) bool { return !b.holds(number) })
	}), nil
}

// holds says whether the operator has the sign of the comparison in it.
func (b bound) holds(number float64) bool {
	sign := "<=>"[1+cmp.Compare(number, b.limit)]
	return strings.IndexByte(b.operator, sign) >= 0
}

// leaf wants a value that is no object, and itself or an element to pass a test.
func leaf(test func(any) bool) condition {
	return anyElement(func(value any) bool { return isThere(value) && test(value) })
}

func isThere(value any) bool {
	switch value.(type) {
	case missing, map[string]any:
		return false
	}
	return true
}

func numberOf(value any) (float64, bool) {
	literal, isNumber := value.(number)
	parsed, err := strconv.ParseFloat(string(literal), 64)
	return parsed, isNumber && err == nil
}
