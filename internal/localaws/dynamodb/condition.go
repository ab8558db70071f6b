package dynamodb

import (
	"strings"
)

// maxExpressionBytes bounds an expression, and with it how deep one can nest. Source:
// Amazon DynamoDB Developer Guide, "Quotas": 4 KB.
const maxExpressionBytes = 4096

// condition is a parsed ConditionExpression: it says whether an item, which may be missing,
// fulfils it.
type condition func(it item) bool

// expression is what a request says in words, names and values.
type expression struct {
	Text   string
	Names  map[string]string
	Values map[string]value
}

// parser reads
//
//	or       = and { "OR" and }
//	and      = not { "AND" not }
//	not      = [ "NOT" ] primary
//	primary  = "(" or ")" | function "(" name ")" | operand operator operand
//	function = "attribute_exists" | "attribute_not_exists"
//	operator = "=" | "<>" | "<" | "<=" | ">" | ">="
//	operand  = name | ":value"
//
// Of DynamoDB's grammar it lacks BETWEEN, IN, further functions and paths into documents.
type parser struct {
	expression
	tokens []string
	err    error
}

func parseCondition(e expression) (condition, error) {
	if e.Text == "" {
		return func(item) bool { return true }, nil
	}
	if len(e.Text) > maxExpressionBytes {
		return nil, errValidation("Invalid ConditionExpression: Expression size has exceeded the maximum allowed size")
	}
	p := &parser{expression: e, tokens: tokens(e.Text)}
	c := p.or()
	if p.err == nil && len(p.tokens) > 0 {
		p.wrong(p.tokens[0])
	}
	return c, p.err
}

// tokens cuts at spaces and around the marks of the grammar.
func tokens(text string) []string {
	marks := strings.NewReplacer("(", " ( ", ")", " ) ", "<>", " <> ", "<=", " <= ", ">=", " >= ", "=", " = ", "<", " < ", ">", " > ", ",", " , ")
	return strings.Fields(marks.Replace(text))
}

func (p *parser) wrong(token string) {
	if p.err == nil {
		p.err = errValidation("Invalid ConditionExpression: Syntax error, or not emulated here; token: %q", token)
	}
}

func (p *parser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *parser) next() string {
	token := p.peek()
	if token == "" {
		p.wrong("<EOF>")
		return ""
	}
	p.tokens = p.tokens[1:]
	return token
}

func (p *parser) expect(token string) {
	if got := p.next(); got != token {
		p.wrong(got)
	}
}

func (p *parser) or() condition {
	c := p.and()
	for p.err == nil && strings.EqualFold(p.peek(), "OR") {
		p.next()
		left, right := c, p.and()
		c = func(it item) bool { return left(it) || right(it) }
	}
	return c
}

func (p *parser) and() condition {
	c := p.not()
	for p.err == nil && strings.EqualFold(p.peek(), "AND") {
		p.next()
		left, right := c, p.not()
		c = func(it item) bool { return left(it) && right(it) }
	}
	return c
}

func (p *parser) not() condition {
	if strings.EqualFold(p.peek(), "NOT") {
		p.next()
		inner := p.not()
		return func(it item) bool { return !inner(it) }
	}
	return p.primary()
}

func (p *parser) primary() condition {
	switch p.peek() {
	case "(":
		p.next()
		c := p.or()
		p.expect(")")
		return c
	case "attribute_exists", "attribute_not_exists":
		wanted := p.next() == "attribute_exists"
		p.expect("(")
		name := p.name(p.next())
		p.expect(")")
		return func(it item) bool { _, there := it.attributes[name]; return there == wanted }
	}
	left, operator, right := p.operand(), p.next(), p.operand()
	decide := operators[operator]
	if decide == nil {
		p.wrong(operator)
		return nil
	}
	return func(it item) bool {
		a, thereA := left(it)
		b, thereB := right(it)
		if !thereA || !thereB {
			return operator == "<>" && thereA != thereB
		}
		order, ok := compare(a, b)
		return decide(order, ok)
	}
}

//nolint:gochecknoglobals // a constant table
var operators = map[string]func(order int, ok bool) bool{
	"=":  func(order int, ok bool) bool { return ok && order == 0 },
	"<>": func(order int, ok bool) bool { return !ok || order != 0 },
	"<":  func(order int, ok bool) bool { return ok && order < 0 },
	"<=": func(order int, ok bool) bool { return ok && order <= 0 },
	">":  func(order int, ok bool) bool { return ok && order > 0 },
	">=": func(order int, ok bool) bool { return ok && order >= 0 },
}

// operand is an attribute or a value of the request.
func (p *parser) operand() func(it item) (value, bool) {
	token := p.next()
	if strings.HasPrefix(token, ":") {
		v, known := p.Values[token]
		if !known && p.err == nil {
			p.err = errValidation("Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: %s", token)
		}
		return func(item) (value, bool) { return v, true }
	}
	name := p.name(token)
	return func(it item) (value, bool) { v, there := it.attributes[name]; return v, there }
}

// name resolves a placeholder and refuses what is no attribute's name.
func (p *parser) name(token string) string {
	if strings.HasPrefix(token, "#") {
		name, known := p.Names[token]
		if !known && p.err == nil {
			p.err = errValidation("Invalid ConditionExpression: An expression attribute name used in the document path is not defined; "+
				"attribute name: %s", token)
		}
		return name
	}
	for _, r := range token {
		if r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			p.wrong(token)
		}
	}
	return token
}
