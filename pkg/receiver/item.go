package receiver

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json/jsontext"
)

// Item is one entry of a request: an object that may become an event, or the reason
// why it cannot.
type Item struct {
	// Position among the items of the request, from 0.
	Position int
	// Data is the item as it came. It aliases the body.
	Data []byte
	// Values are the members that were asked for, nil where there is none. They are
	// overwritten by the next item.
	Values []jsontext.Value
	// Err says why the item is not an object within the limits, nil when it is.
	Err *Error
	// expected is how many items the request may hold.
	expected int
}

// Expected estimates how many items are still to come, this one included, from the size
// of this one and of the body. It is for sizing a slice; no item is promised.
func (i *Item) Expected() int { return max(1, i.expected) }

// Refusal refuses the item for a cause.
func (i *Item) Refusal(id, cause string) Refusal {
	return Refusal{Position: i.Position, ID: id, Cause: cause, Data: i.Data}
}

// Array reads an array of objects and hands each to take. An item that is broken by
// itself is handed over with its error; the array goes on after it. The error of Array
// means that the items cannot be told apart, or are too many.
func (s *Scanner) Array(fields Fields, take func(*Item)) error {
	if !s.accept('[') {
		return s.expected("[")
	}
	item := Item{Values: make([]jsontext.Value, len(fields))}
	if s.accept(']') {
		return nil
	}
	for ; ; item.Position++ {
		if err := s.item(fields, &item); err != nil {
			return err
		}
		take(&item)
		switch {
		case s.accept(','):
		case s.accept(']'):
			return nil
		default:
			return s.expected(", or ]")
		}
	}
}

// One reads a body that is a single object. An error refuses the request.
func (s *Scanner) One(fields Fields, take func(*Item)) error {
	item := Item{Values: make([]jsontext.Value, len(fields))}
	var err error
	if item.Data, err = s.Object(fields, item.Values); err != nil {
		return err
	}
	if err := s.End(); err != nil {
		return err
	}
	if oversize := s.Oversize(item.Data); oversize != nil {
		return oversize
	}
	take(&item)
	return nil
}

// item reads one item, stepping over one that is broken.
func (s *Scanner) item(fields Fields, item *Item) error {
	if item.Position >= s.limits.Events {
		return TooLarge("more than %d events in one request (limit events)", s.limits.Events)
	}
	s.Kind()
	start := s.at
	item.Data, item.Err = nil, nil
	object, err := s.Object(fields, item.Values)
	if err == nil {
		item.Data = object
		item.Err = s.Oversize(object)
		item.expected = s.expect(len(object))
		return nil
	}
	end, ok := extent(s.body, start)
	if !ok {
		return err
	}
	s.at = end
	item.Data = bytes.TrimRight(s.body[start:end:end], " \t\r\n")
	item.Err = asError(err)
	return nil
}

// Lines reads NDJSON: one object a line, empty lines aside. A broken line is handed
// over with its error.
func Lines(body []byte, fields Fields, limits Limits, take func(*Item)) error {
	item := Item{Values: make([]jsontext.Value, len(fields))}
	s := NewScanner(body, limits)
	for start := 0; start < len(body); {
		end := len(body)
		if n := bytes.IndexByte(body[start:], '\n'); n >= 0 {
			end = start + n
		}
		// The scanner sees the body up to the end of the line only, so that byte
		// offsets are those of the body and a broken line cannot reach into the next.
		s.body, s.at = body[:end:end], start
		start = end + 1
		if s.Kind(); s.done() {
			continue
		}
		if item.Position >= limits.Events {
			return TooLarge("more than %d events in one request (limit events)", limits.Events)
		}
		s.line(fields, &item)
		item.expected = min((len(body)-end)/(len(item.Data)+1)+1, limits.Events)
		take(&item)
		item.Position++
	}
	return nil
}

// line reads the one object of a line.
func (s *Scanner) line(fields Fields, item *Item) {
	start := s.at
	_, err := s.Object(fields, item.Values)
	if err == nil {
		err = s.End()
	}
	item.Data = bytes.TrimRight(s.body[start:], " \t\r\n")
	item.Err = nil
	if err != nil {
		item.Err = asError(err)
		return
	}
	item.Err = s.Oversize(item.Data)
}

// expect estimates how many items of a size are left, bounded by the limit.
func (s *Scanner) expect(size int) int {
	return min((len(s.body)-s.at)/(size+1)+1, s.limits.Events)
}

// Oversize refuses an object over the limit for one event; nil means it is not.
func (s *Scanner) Oversize(data []byte) *Error {
	if len(data) <= s.limits.EventBytes {
		return nil
	}
	return TooLarge("event has %d bytes, over the limit of %d bytes for one event (limit event_bytes)", len(data), s.limits.EventBytes)
}

func (s *Scanner) expected(what string) *Error {
	if c := s.Kind(); !s.done() {
		return Malformed("expected %s at byte %d, found %q", what, s.at, c)
	}
	return Malformed("unexpected end of JSON at byte %d", s.at)
}

// asError returns the *Error that every error of a Scanner is.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return Malformed("%v", err)
}
