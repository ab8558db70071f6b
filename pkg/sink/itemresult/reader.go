package itemresult

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// reader walks a JSON body token by token, so that what stands before a break or a limit
// can be used, and so that nothing nests deeper than MaxDepth.
type reader struct {
	decoder *jsontext.Decoder
	cut     bool
}

var (
	errTooDeep = fmt.Errorf("nested deeper than %d levels", MaxDepth)
	errTooLong = fmt.Errorf("longer than %d bytes", MaxBodyBytes)
	errTrailer = errors.New("text after the JSON value")
)

func newReader(body []byte) *reader {
	cut := len(body) > MaxBodyBytes
	// Lenient where strictness would cost results: a message that is no UTF-8, an id
	// that comes twice.
	return &reader{cut: cut, decoder: jsontext.NewDecoder(
		bytes.NewReader(body[:min(len(body), MaxBodyBytes)]), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true),
	)}
}

// end checks that nothing follows the value.
func (r *reader) end() error {
	switch _, err := r.decoder.ReadToken(); {
	case errors.Is(err, io.EOF) && r.cut:
		return errTooLong
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return errTrailer
}

// object reads an object and calls member with each name; member must read the value.
// Anything else than an object is skipped.
func (r *reader) object(member func(name string) error) error {
	if r.decoder.PeekKind() != '{' {
		return r.skip()
	}
	if _, err := r.decoder.ReadToken(); err != nil {
		return err
	}
	for r.decoder.PeekKind() == '"' {
		name, err := r.decoder.ReadToken()
		if err != nil {
			return err
		}
		if err := member(name.String()); err != nil {
			return err
		}
	}
	_, err := r.decoder.ReadToken()
	return err
}

// array reads an array and calls item at each of its values; item must read it.
// Anything else than an array is skipped.
func (r *reader) array(item func() error) error {
	if r.decoder.PeekKind() != '[' {
		return r.skip()
	}
	if _, err := r.decoder.ReadToken(); err != nil {
		return err
	}
	for kind := r.decoder.PeekKind(); kind != ']' && kind != jsontext.KindInvalid; kind = r.decoder.PeekKind() {
		if err := item(); err != nil {
			return err
		}
	}
	_, err := r.decoder.ReadToken() // the end, or what is wrong
	return err
}

// skip reads a value of any kind.
func (r *reader) skip() error {
	for depth := r.decoder.StackDepth(); ; {
		if _, err := r.decoder.ReadToken(); err != nil {
			return err
		}
		switch now := r.decoder.StackDepth(); {
		case now > MaxDepth:
			return errTooDeep
		case now <= depth:
			return nil
		}
	}
}

// text reads a text or a number into dst. Any other value leaves it as it was.
func (r *reader) text(dst *string) error {
	if kind := r.decoder.PeekKind(); kind != '"' && kind != '0' {
		return r.skip()
	}
	token, err := r.decoder.ReadToken()
	if err == nil {
		*dst = token.String()
	}
	return err
}

// whole reads a whole number, bare or as a text. Any other value leaves dst as it was.
func (r *reader) whole(dst *int) error {
	var text string
	if err := r.text(&text); err != nil {
		return err
	}
	if n, err := strconv.Atoi(text); err == nil {
		*dst = n
	}
	return nil
}
