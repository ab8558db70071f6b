package apigateway

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

// reply is what goes back to the client.
type reply struct {
	status  int
	header  []field
	cookies []string
	body    []byte
	// isBase64 says that body is still base64; the decoders clear it.
	isBase64 bool
	// hasStatus says that a function's reply had a statusCode.
	hasStatus bool
}

type field struct{ name, value string }

// write sends the reply. Connection headers of the function's are not passed on, as on AWS.
func (p reply) write(w http.ResponseWriter) {
	header := w.Header()
	for _, f := range p.header {
		if name := http.CanonicalHeaderKey(f.name); !isHopHeader(name) {
			header[name] = append(header[name], f.value)
		}
	}
	if len(p.cookies) > 0 {
		header["Set-Cookie"] = append(header["Set-Cookie"], p.cookies...)
	}
	header["Content-Length"] = []string{strconv.Itoa(len(p.body))}
	if p.status == http.StatusNoContent || p.status == http.StatusNotModified {
		delete(header, "Content-Length")
		w.WriteHeader(p.status)
		return
	}
	w.WriteHeader(p.status)
	_, _ = w.Write(p.body) // the client may be gone
}

func (p reply) has(name string) bool {
	for _, f := range p.header {
		if http.CanonicalHeaderKey(f.name) == name {
			return true
		}
	}
	return false
}

// decodeReply2 reads a reply in format 2.0. One that has no statusCode, or is no JSON at all, is the body itself: AWS's
// documentation promises that for JSON only, but it was observed for anything.
func decodeReply2(result lambda.Result, _ *http.Request, _ Options) (reply, error) {
	p, err := parseReply(result.Payload)
	if !p.hasStatus {
		return reply{status: http.StatusOK, header: []field{{"Content-Type", "application/json"}}, body: result.Payload}, nil
	}
	if err != nil {
		return reply{}, err
	}
	if !p.has("Content-Type") {
		p.header = append(p.header, field{"Content-Type", "text/plain; charset=utf-8"})
	}
	return p, p.decodeBody()
}

// decodeReply1 reads a reply in format 1.0. Base64 is decoded when the client accepts a binary media type, else passed on as text.
func decodeReply1(result lambda.Result, r *http.Request, options Options) (reply, error) {
	p, err := parseReply(result.Payload)
	if err != nil {
		return reply{}, err
	}
	if !p.hasStatus {
		return reply{}, errors.New("reply without a statusCode")
	}
	if !p.has("Content-Type") {
		p.header = append(p.header, field{"Content-Type", "application/json"})
	}
	if !matchesBinary(r.Header.Get("Accept"), options.BinaryMediaTypes) {
		return p, nil
	}
	return p, p.decodeBody()
}

func (p *reply) decodeBody() error {
	if !p.isBase64 {
		return nil
	}
	n, err := base64.StdEncoding.Decode(p.body, p.body) // in place: the result is shorter
	if err != nil {
		return fmt.Errorf("reply body: %w", err)
	}
	p.body, p.isBase64 = p.body[:n], false
	return nil
}

// parseReply reads a proxy reply of either format in one pass. Its size is bounded by Lambda, its depth by the decoder.
// hasStatus is valid even when there is an error.
func parseReply(payload []byte) (reply, error) {
	var p reply
	d := jsontext.NewDecoder(bytes.NewBuffer(payload), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	err := eachMember(d, func(name string) error { return p.readMember(d, name) })
	if err != nil {
		return p, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return p, errors.New("the reply goes on after its JSON value")
	}
	return p, nil
}

func (p *reply) readMember(d *jsontext.Decoder, name string) (err error) {
	switch name {
	case "statusCode":
		p.hasStatus = true
		p.status, err = readStatus(d)
	case "headers", "multiValueHeaders":
		err = eachMember(d, func(header string) error { return p.readHeader(d, header) })
	case "cookies":
		p.cookies, err = readStrings(d)
	case "body":
		p.body, err = readBytes(d)
	case "isBase64Encoded":
		var token jsontext.Token
		token, err = d.ReadToken()
		p.isBase64 = err == nil && token.Kind() == 't'
	default:
		err = d.SkipValue()
	}
	return err
}

// readStatus reads 200 or "200".
func readStatus(d *jsontext.Decoder) (int, error) {
	token, err := d.ReadToken()
	if err != nil {
		return 0, err
	}
	status, err := strconv.Atoi(token.String())
	if err != nil || status < 200 || status > 599 {
		return 0, fmt.Errorf("statusCode %s is not an HTTP status", token.String())
	}
	return status, nil
}

// readHeader reads one value or, in multiValueHeaders, a list. A header that is in both maps counts once, from the list.
func (p *reply) readHeader(d *jsontext.Decoder, name string) error {
	if d.PeekKind() == '[' {
		values, err := readStrings(d)
		kept := p.header[:0]
		for _, f := range p.header {
			if f.name != name {
				kept = append(kept, f)
			}
		}
		p.header = kept
		for _, value := range values {
			p.header = append(p.header, field{name, value})
		}
		return err
	}
	value, err := readScalar(d)
	if err != nil {
		return err
	}
	for _, f := range p.header {
		if f.name == name {
			return nil
		}
	}
	p.header = append(p.header, field{name, value})
	return nil
}

// eachMember visits the members of an object, with the decoder before each value; null has none.
func eachMember(d *jsontext.Decoder, visit func(name string) error) error {
	token, err := d.ReadToken()
	if err != nil || token.Kind() == 'n' {
		return err
	}
	if token.Kind() != '{' {
		return fmt.Errorf("%s where an object should be", token.Kind())
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := visit(name.String()); err != nil {
			return err
		}
	}
	_, err = d.ReadToken()
	return err
}

// readStrings reads a list of scalars; null is an empty one.
func readStrings(d *jsontext.Decoder) ([]string, error) {
	token, err := d.ReadToken()
	if err != nil || token.Kind() == 'n' {
		return nil, err
	}
	if token.Kind() != '[' {
		return nil, fmt.Errorf("%s where a list should be", token.Kind())
	}
	var list []string
	for d.PeekKind() != ']' {
		value, err := readScalar(d)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err = d.ReadToken()
	return list, err
}

// readScalar reads a string, a number or a boolean as text.
func readScalar(d *jsontext.Decoder) (string, error) {
	token, err := d.ReadToken()
	if err != nil {
		return "", err
	}
	switch token.Kind() {
	case '"', '0', 't', 'f':
		return token.String(), nil
	default:
		return "", fmt.Errorf("%s where a header value should be", token.Kind())
	}
}

// readBytes reads a string into memory of its own; null is empty. AWS refuses any other body.
func readBytes(d *jsontext.Decoder) ([]byte, error) {
	value, err := d.ReadValue()
	if err != nil {
		return nil, err
	}
	switch value.Kind() {
	case 'n':
		return nil, nil
	case '"':
		text, _ := jsontext.AppendUnquote(make([]byte, 0, len(value)), value) // invalid UTF-8 has been replaced
		return text, nil
	default:
		return nil, fmt.Errorf("body is %s, not a string", value.Kind())
	}
}
