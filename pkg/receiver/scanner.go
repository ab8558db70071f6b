package receiver

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Fields names the members that a receiver reads of an object, by position.
type Fields []string

// index finds a quoted member name, -1 when it is not wanted.
func (f Fields) index(quoted []byte) int {
	name := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		unquoted, err := jsontext.AppendUnquote(nil, quoted)
		if err != nil {
			return -1
		}
		name = unquoted
	}
	for i, want := range f {
		if string(name) == want {
			return i
		}
	}
	return -1
}

// Scanner walks a request body, one JSON value after the other, in a single pass. What
// it returns are slices of the body, never copies.
//
// Values are read strictly: duplicate member names, invalid UTF-8 and lone surrogates
// are errors, as RFC 7493 asks. The structure around the values of a request is the
// Scanner's own, so that it can go on after a value that is broken.
//
// A Scanner is for one goroutine.
type Scanner struct {
	body    []byte
	at      int
	limits  Limits
	input   bytes.Buffer
	decoder *jsontext.Decoder
}

// NewScanner returns a Scanner at the start of body. It keeps to the limits
// EventBytes, Events and Depth.
func NewScanner(body []byte, limits Limits) *Scanner {
	return &Scanner{body: body, limits: limits, decoder: jsontext.NewDecoder(new(bytes.Buffer))}
}

// Offset is the position in the body, in bytes.
func (s *Scanner) Offset() int { return s.at }

// Kind returns the byte that starts the next value, 0 at the end of the body (or for a
// zero byte, which starts no value).
func (s *Scanner) Kind() byte {
	for ; s.at < len(s.body); s.at++ {
		switch c := s.body[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// accept steps over a structural byte if it comes next.
func (s *Scanner) accept(c byte) bool {
	if s.Kind() != c {
		return false
	}
	s.at++
	return true
}

// End reports what follows the last value, which must be nothing.
func (s *Scanner) End() error {
	if c := s.Kind(); !s.done() {
		return Malformed("unexpected %q after the JSON value at byte %d", c, s.at)
	}
	return nil
}

// done says whether Kind has come to the end of the body.
func (s *Scanner) done() bool { return s.at == len(s.body) }

// open points the decoder at the next value. A bytes.Buffer is read without copying,
// so what the decoder returns are slices of the body.
func (s *Scanner) open() {
	s.input = *bytes.NewBuffer(s.body[s.at:])
	s.decoder.Reset(&s.input)
}

// Value reads the next value of any kind.
func (s *Scanner) Value() (jsontext.Value, error) {
	s.Kind()
	s.open()
	value, err := s.decoder.ReadValue()
	if err != nil {
		return nil, s.explain(err)
	}
	s.at += int(s.decoder.InputOffset())
	if depth := deeper(value, s.limits.Depth); depth {
		return nil, s.tooDeep(s.at - len(value))
	}
	return value, nil
}

// Object reads the next value, which must be an object, and puts the members that
// fields names into values; members that are missing leave nil. values must be as long
// as fields.
func (s *Scanner) Object(fields Fields, values []jsontext.Value) (jsontext.Value, error) {
	clear(values)
	if c := s.Kind(); c != '{' {
		return nil, s.notObject(c)
	}
	s.open()
	if err := readMembers(s.decoder, fields, values); err != nil {
		return nil, s.explain(err)
	}
	start := s.at
	s.at += int(s.decoder.InputOffset())
	object := s.body[start:s.at:s.at]
	if deeper(object, s.limits.Depth) {
		return nil, s.tooDeep(start)
	}
	return object, nil
}

func readMembers(d *jsontext.Decoder, fields Fields, values []jsontext.Value) error {
	if _, err := d.ReadToken(); err != nil { // {
		return err
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadValue()
		if err != nil {
			return err
		}
		i := fields.index(name)
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		if i >= 0 {
			values[i] = value
		}
	}
	_, err := d.ReadToken() // }
	return err
}

// Pick reads members of an object that was read before, such as one inside an event.
// It reports false when the value is no object.
func Pick(object jsontext.Value, fields Fields, values []jsontext.Value) bool {
	clear(values)
	if object.Kind() != '{' {
		return false
	}
	return readMembers(jsontext.NewDecoder(bytes.NewBuffer(object)), fields, values) == nil
}

// explain words a decoder's error with its place in the body.
func (s *Scanner) explain(err error) *Error {
	syntactic, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok {
		if errors.Is(err, io.EOF) {
			return Malformed("unexpected end of JSON at byte %d", len(s.body))
		}
		return Malformed("broken JSON after byte %d: %v", s.at, err)
	}
	at := s.at + int(syntactic.ByteOffset)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return Malformed("unexpected end of JSON at byte %d", at)
	}
	// Some causes quote the bytes at fault, which may be half a character.
	cause := strings.ToValidUTF8(strings.TrimPrefix(syntactic.Err.Error(), "jsontext: "), "\uFFFD")
	if syntactic.JSONPointer != "" {
		return Malformed("%s at byte %d (%s)", cause, at, Excerpt(string(syntactic.JSONPointer)))
	}
	return Malformed("%s at byte %d", cause, at)
}

func (s *Scanner) notObject(c byte) *Error {
	if s.done() {
		return Malformed("unexpected end of JSON at byte %d", s.at)
	}
	return Malformed("not a JSON object at byte %d: it starts with %q", s.at, c)
}

func (s *Scanner) tooDeep(at int) *Error {
	return Malformed("nested too deep at byte %d: more than %d levels (limit depth)", at, s.limits.Depth)
}
