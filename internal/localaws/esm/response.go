package esm

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// maxReportedIDBytes is longer than any message id; a longer identifier is unknown anyway.
const maxReportedIDBytes = 256

// Read reads a function's partial batch response, exactly as AWS does. known says whether a message id belongs to the batch.
// It returns the ids that failed; an error means that the whole batch failed.
//
//	response                                                 meaning
//	empty, null, {}, {"batchItemFailures":null}, {…:[]}      all succeeded
//	{"batchItemFailures":[{"itemIdentifier":"known id"}]}    that message comes back, the others are deleted
//	an id twice                                              as once
//	an empty, null, missing or unknown itemIdentifier        the whole batch comes back
//	malformed JSON, or not of this shape                     the whole batch comes back
//
// Other members are ignored. Source: "Reporting batch item failures", Lambda developer guide, and behaviour recorded against AWS.
func Read(response []byte, known func(id string) bool) (failed map[string]struct{}, err error) {
	if len(bytes.TrimSpace(response)) == 0 {
		return map[string]struct{}{}, nil
	}
	d := jsontext.NewDecoder(bytes.NewReader(response), jsontext.AllowDuplicateNames(true))
	failed, err = readResponse(d, known)
	if err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the response goes on after its JSON value")
	}
	return failed, nil
}

func readResponse(d *jsontext.Decoder, known func(string) bool) (map[string]struct{}, error) {
	failed := map[string]struct{}{}
	err := eachMember(d, func(name string) error {
		if name != "batchItemFailures" {
			return d.SkipValue()
		}
		var err error
		failed, err = readFailures(d, known) // of a repeated member the last counts
		return err
	})
	if err != nil {
		return nil, err
	}
	return failed, nil
}

// eachMember calls visit for each member of the next value with the decoder before the member's value.
// Null has none; anything else that is no object is an error.
func eachMember(d *jsontext.Decoder, visit func(name string) error) error {
	token, err := d.ReadToken()
	switch {
	case err != nil:
		return fmt.Errorf("malformed response: %w", err)
	case token.Kind() == 'n':
		return nil
	case token.Kind() != '{':
		return fmt.Errorf("malformed response: %s where an object should be", token.Kind())
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return fmt.Errorf("malformed response: %w", err)
		}
		if err := visit(name.String()); err != nil {
			return err
		}
	}
	_, err = d.ReadToken()
	return err
}

func readFailures(d *jsontext.Decoder, known func(string) bool) (map[string]struct{}, error) {
	token, err := d.ReadToken()
	switch {
	case err != nil:
		return nil, fmt.Errorf("malformed response: %w", err)
	case token.Kind() == 'n':
		return map[string]struct{}{}, nil
	case token.Kind() != '[':
		return nil, fmt.Errorf("malformed response: batchItemFailures is %s, not a list", token.Kind())
	}
	failed := map[string]struct{}{}
	for d.PeekKind() != ']' {
		id, err := readIdentifier(d)
		if err != nil {
			return nil, err
		}
		if id == "" {
			return nil, errors.New("an item failure has no itemIdentifier")
		}
		if len(id) > maxReportedIDBytes || !known(id) {
			return nil, fmt.Errorf("itemIdentifier %.40q is not in the batch", id)
		}
		failed[id] = struct{}{}
	}
	_, err = d.ReadToken()
	return failed, err
}

// readIdentifier returns the itemIdentifier of one item, empty when it is missing or null.
func readIdentifier(d *jsontext.Decoder) (string, error) {
	id := ""
	err := eachMember(d, func(name string) error {
		if name != "itemIdentifier" {
			return d.SkipValue()
		}
		token, err := d.ReadToken()
		switch {
		case err != nil:
			return fmt.Errorf("malformed response: %w", err)
		case token.Kind() == 'n':
			id = ""
		case token.Kind() == '"':
			id = token.String()
		default:
			return fmt.Errorf("malformed response: itemIdentifier is %s, not a string", token.Kind())
		}
		return nil
	})
	return id, err
}
