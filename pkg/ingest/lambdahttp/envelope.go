package lambdahttp

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// shape is how an event is laid out, and its reply.
type shape int

const (
	shapeUnknown shape = iota
	shapeV1
	shapeV2
)

// errNotHTTP means that the function was invoked by something else.
var errNotHTTP = errors.New("payload is not an HTTP event of API Gateway or a function URL")

// envelope is what matters of an event. Values are slices of the payload, still as
// JSON: most are looked at once or never.
type envelope struct {
	shape  shape
	method jsontext.Value
	path   jsontext.Value
	stage  jsontext.Value
	// contextPath is the path with the stage in front (v1).
	contextPath jsontext.Value
	sourceIP    jsontext.Value

	rawQuery    jsontext.Value // v2
	query       jsontext.Value // v1
	multiQuery  jsontext.Value // v1
	headers     jsontext.Value
	multiHeader jsontext.Value // v1
	cookies     jsontext.Value // v2
	body        jsontext.Value
	base64      bool
}

// scan reads the event in one pass.
func (e *envelope) scan(payload []byte) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(payload), jsontext.AllowDuplicateNames(true))
	if d.PeekKind() != '{' {
		return errNotHTTP
	}
	if err := members(d, e.member); err != nil {
		return fmt.Errorf("scan event: %w", err)
	}
	if e.shape == shapeUnknown || e.method.Kind() != '"' {
		return errNotHTTP
	}
	return nil
}

// members calls visit for each member of the object that comes next. visit must read
// the value.
func members(d *jsontext.Decoder, visit func(name string, d *jsontext.Decoder) error) error {
	if _, err := d.ReadToken(); err != nil { // {
		return err
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := visit(name.String(), d); err != nil {
			return err
		}
	}
	_, err := d.ReadToken() // }
	return err
}

func (e *envelope) member(name string, d *jsontext.Decoder) error {
	if name == "requestContext" && d.PeekKind() == '{' {
		return members(d, e.contextMember)
	}
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	switch name {
	case "httpMethod":
		e.shape, e.method = shapeV1, value
	case "path", "rawPath":
		e.path = value
	case "rawQueryString":
		e.rawQuery = value
	case "queryStringParameters":
		e.query = value
	case "multiValueQueryStringParameters":
		e.multiQuery = value
	case "headers":
		e.headers = value
	case "multiValueHeaders":
		e.multiHeader = value
	case "cookies":
		e.cookies = value
	case "body":
		e.body = value
	case "isBase64Encoded":
		e.base64 = value.Kind() == 't'
	}
	return nil
}

func (e *envelope) contextMember(name string, d *jsontext.Decoder) error {
	if (name == "http" || name == "identity") && d.PeekKind() == '{' {
		if name == "http" {
			e.shape = shapeV2
		}
		return members(d, e.callerMember)
	}
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	switch name {
	case "stage":
		e.stage = value
	case "path":
		e.contextPath = value
	}
	return nil
}

// callerMember reads what requestContext says of the caller: in http (v2) or identity
// (v1).
func (e *envelope) callerMember(name string, d *jsontext.Decoder) error {
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	switch {
	case name == "sourceIp":
		e.sourceIP = value
	case name == "method" && e.shape == shapeV2:
		e.method = value
	}
	return nil
}
