package config

import (
	"errors"
	"fmt"
	"strings"
)

// The schemes of a reference.
const (
	// SchemeEnv is an environment variable: ${env:NAME}.
	SchemeEnv = "env"
	// SchemeSecret is a secret of AWS Secrets Manager, or one key of its JSON:
	// ${secret:arn} or ${secret:arn#key}.
	SchemeSecret = "secret"
	// SchemeSSM is a parameter of AWS Systems Manager: ${ssm:/path}.
	SchemeSSM = "ssm"
)

// Reference names a secret that is kept elsewhere.
type Reference struct {
	// Scheme says where: env, secret or ssm.
	Scheme string
	// Name of the secret there.
	Name string
}

// String returns the reference as the file writes it.
func (r Reference) String() string { return "${" + r.Scheme + ":" + r.Name + "}" }

// part is a piece of a secret's text: literal text or, when the scheme is set, a
// reference.
type part struct {
	literal   string
	reference Reference
}

func (p part) isReference() bool { return p.reference.Scheme != "" }

// These never quote the text: what is not a reference may be a password.
var (
	errOpen  = errors.New("a ${ has no }; close it, or write $${ for the text ${")
	errPlace = errors.New("a ${…} does not say where the secret is; write ${env:NAME}, ${secret:ARN#KEY} or ${ssm:/PATH}, or $${ for the text ${")
)

// parseParts takes a text apart at its references. $${ stands for the text ${.
func parseParts(text string) ([]part, error) {
	var parts []part
	var literal strings.Builder
	for text != "" {
		switch {
		case strings.HasPrefix(text, "$${"):
			literal.WriteString("${")
			text = text[len("$${"):]
		case strings.HasPrefix(text, "${"):
			inside, rest, closed := strings.Cut(text[len("${"):], "}")
			if !closed {
				return nil, errOpen
			}
			reference, err := parseReference(inside)
			if err != nil {
				return nil, err
			}
			parts = append(parts, part{literal: literal.String()}, part{reference: reference})
			literal.Reset()
			text = rest
		default:
			literal.WriteByte(text[0])
			text = text[1:]
		}
	}
	return append(parts, part{literal: literal.String()}), nil
}

// parseReference reads what stands between ${ and }.
func parseReference(inside string) (Reference, error) {
	scheme, name, hasScheme := strings.Cut(inside, ":")
	if !hasScheme {
		return Reference{}, errPlace
	}
	switch scheme {
	case SchemeEnv, SchemeSecret, SchemeSSM:
	default:
		return Reference{}, errPlace
	}
	switch {
	case name == "":
		return Reference{}, fmt.Errorf("${%s:} names nothing; write a name after the colon", scheme)
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '$' || r == '{' }):
		return Reference{}, fmt.Errorf("the name in ${%s:…} has a character that no name has", scheme)
	case scheme == SchemeSSM && !strings.HasPrefix(name, "/"):
		return Reference{}, fmt.Errorf("${ssm:%s} must be a full path; write ${ssm:/%s}", name, name)
	}
	return Reference{Scheme: scheme, Name: name}, nil
}

// literalOf joins the literal parts.
func literalOf(parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.literal)
	}
	return b.String()
}

// holdsReference reports whether a text looks as if it should hold a reference.
func holdsReference(text string) bool {
	for _, scheme := range []string{SchemeEnv, SchemeSecret, SchemeSSM} {
		if strings.Contains(text, "${"+scheme+":") {
			return true
		}
	}
	return false
}
