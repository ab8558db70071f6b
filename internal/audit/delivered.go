package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Delivered is an event that a sink has, Count times.
type Delivered struct {
	Tenant string `json:"tenant"`
	Source string `json:"source"`
	ID     string `json:"id"`
	Count  int    `json:"-"`
}

// errUnreadable says that a line tells no event; the reader counts it and goes on.
var errUnreadable = errors.New("a line tells no event")

// ReadDelivered yields the events in a sink's output: a line for each, which is a record with the members id, source and
// tenant as the file and http sinks write them, any other JSON object with an id, or the id itself, quoted or not.
// Errors in single lines are errUnreadable.
func ReadDelivered(r io.Reader) iter.Seq2[Delivered, error] {
	return func(yield func(Delivered, error) bool) {
		for line, err := range lines(r) {
			if err != nil {
				yield(Delivered{}, fmt.Errorf("output of a sink: %w", err))
				return
			}
			if !yield(deliveredOf(line)) {
				return
			}
		}
	}
}

// deliveredOf reads one line.
func deliveredOf(line []byte) (Delivered, error) {
	d := Delivered{Count: 1}
	line = bytes.TrimSpace(line)
	var err error
	switch {
	case len(line) == 0: // of a line that is too long, only this is left
		return d, errUnreadable
	case line[0] == '{':
		// The data is the sender's: what is odd about it does not matter here.
		err = json.Unmarshal(line, &d, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	case line[0] == '"':
		err = json.Unmarshal(line, &d.ID)
	default:
		d.ID = string(line)
	}
	if err != nil || d.ID == "" {
		return d, errUnreadable
	}
	return d, nil
}

// ErrNoCounts says that an answer is not one of the demo sink.
var ErrNoCounts = errors.New("no counts of a demo sink")

// ReadCounts yields the ids in what the demo sink answers to GET /_sink?ids=1: {"ids":{"ID":times},…}. The error is
// ErrNoCounts when there are no ids in the answer.
func ReadCounts(r io.Reader) iter.Seq2[Delivered, error] {
	return func(yield func(Delivered, error) bool) {
		decoder := jsontext.NewDecoder(r)
		if err := toMember(decoder, "ids"); err != nil {
			yield(Delivered{}, fmt.Errorf("%w: %w", ErrNoCounts, err))
			return
		}
		for decoder.PeekKind() == '"' {
			var d Delivered
			err := errors.Join(json.UnmarshalDecode(decoder, &d.ID), json.UnmarshalDecode(decoder, &d.Count))
			if err != nil {
				yield(Delivered{}, fmt.Errorf("counts of a sink: %w", err))
				return
			}
			if !yield(d, nil) {
				return
			}
		}
		// Anything but the end of the object is an answer that broke off.
		if _, err := decoder.ReadToken(); err != nil {
			yield(Delivered{}, fmt.Errorf("counts of a sink: %w", err))
		}
	}
}

// toMember reads an object up to the object that is the value of one of its members.
func toMember(decoder *jsontext.Decoder, name string) error {
	if token, err := decoder.ReadToken(); err != nil || token.Kind() != '{' {
		return errors.Join(errors.New("no object"), err)
	}
	for decoder.PeekKind() == '"' {
		token, err := decoder.ReadToken()
		switch {
		case err != nil:
			return err //nolint:wrapcheck // the caller says what it reads
		case token.String() == name && decoder.PeekKind() == '{':
			_, err = decoder.ReadToken()
			return err //nolint:wrapcheck // the caller says what it reads
		}
		if err := decoder.SkipValue(); err != nil {
			return err //nolint:wrapcheck // the caller says what it reads
		}
	}
	return fmt.Errorf("no member %q", name)
}
