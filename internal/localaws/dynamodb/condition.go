package dynamodb

import (
	"regexp"
	"slices"
	"strings"
)

// maxExpressionBytes bounds an expression. Source: Amazon DynamoDB Developer Guide, "Quotas": 4 KB.
const maxExpressionBytes = 4096

// condition says whether an item, which may be missing, fulfils a ConditionExpression: all tests of one alternative. An empty one
// always holds. Of DynamoDB's grammar there is
//
//	condition   = alternative { "OR" alternative }
//	alternative = test { "AND" test }
//	test        = "attribute_exists" "(" name ")" | "attribute_not_exists" "(" name ")" | name operator ":value"
//	operator    = "=" | "<>" | "<" | "<=" | ">" | ">="
type condition [][]test

type test func(it item) bool

func (c condition) holds(it item) bool {
	return len(c) == 0 || slices.ContainsFunc(c, func(alternative []test) bool {
		return !slices.ContainsFunc(alternative, func(t test) bool { return !t(it) })
	})
}

var (
	orWord     = regexp.MustCompile(`(?i)\bOR\b`)
	andWord    = regexp.MustCompile(`(?i)\bAND\b`)
	existence  = regexp.MustCompile(`^\s*(attribute_exists|attribute_not_exists)\s*\(\s*(\w+)\s*\)\s*$`)
	comparison = regexp.MustCompile(`^\s*(\w+)\s*(=|<>|<=?|>=?)\s*(:\w+)\s*$`)
)

func parseCondition(text string, values item) (c condition, err error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxExpressionBytes {
		return nil, errValidation("Invalid ConditionExpression: Expression size has exceeded the maximum allowed size")
	}
	for _, part := range orWord.Split(text, -1) {
		var alternative []test
		for _, part := range andWord.Split(part, -1) {
			t, err := parseTest(part, values)
			if err != nil {
				return nil, err
			}
			alternative = append(alternative, t)
		}
		c = append(c, alternative)
	}
	return c, nil
}

func parseTest(text string, values item) (test, error) {
	if words := existence.FindStringSubmatch(text); words != nil {
		wanted, name := words[1] == "attribute_exists", words[2]
		return func(it item) bool { _, there := it[name]; return there == wanted }, nil
	}
	words := comparison.FindStringSubmatch(text)
	if words == nil {
		return nil, errValidation("Invalid ConditionExpression: Syntax error, or not emulated here, near: %q", text)
	}
	name, operator, wanted := words[1], words[2], words[3]
	v, known := values[wanted]
	if !known {
		return nil, errValidation("Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: %s", wanted)
	}
	return func(it item) bool {
		order, ok := it[name].compare(v) // a missing attribute has no type, and compares with nothing
		return decide(operator, order, ok)
	}, nil
}

// decide says what an operator makes of two values in that order, or of two that cannot be compared.
func decide(operator string, order int, ok bool) bool {
	if !ok {
		return operator == "<>"
	}
	return strings.Contains(operator, [...]string{"<", "=", ">"}[order+1])
}
