package filter

import (
	"fmt"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/event/field"
)

// Cause is why an event is dropped.
type Cause string

// Causes.
const (
	// None: the event is kept.
	None Cause = ""
	// Unequal: the field has another value.
	Unequal Cause = "unequal"
	// Missing: the field is not there, or null.
	Missing Cause = "missing"
	// Unreadable: the data is no JSON.
	Unreadable Cause = "unreadable"
)

// Options say what to look at, and what to keep of it.
type Options struct {
	// Match says which events the filter looks at; all others are kept. Nil is all.
	Match func(*event.Event) bool
	// Field is a path into the event's data, see package field. Required.
	Field string
	// Equals is the value that the field must have, as JSON: `true`, `5` or `"dark"`.
	// Numbers are compared as they are written: 1.0 is not 1. Required.
	Equals string
}

// Filter is immutable and safe for concurrent use.
type Filter struct {
	match func(*event.Event) bool
	paths field.Paths // one
	wants field.Value
}

// New checks the options and returns a Filter.
func New(o Options) (*Filter, error) {
	paths, err := field.ParseAll(o.Field)
	if err != nil {
		return nil, fmt.Errorf("filter: field: %w", err)
	}
	wants, err := field.ValueOf(o.Equals)
	if err != nil {
		return nil, fmt.Errorf("filter: equals: %w", err)
	}
	return &Filter{match: o.Match, paths: paths, wants: wants}, nil
}

// Drop says why an event is dropped, or None if it is kept. Only the data of an event
// that matches is read.
func (f *Filter) Drop(e *event.Event) Cause {
	if f.match != nil && !f.match(e) {
		return None
	}
	values, _, err := f.paths.Read(e.Data)
	switch {
	case err != nil:
		return Unreadable
	case values[0] == f.wants:
		return None
	case values[0] == field.Missing:
		return Missing
	}
	return Unequal
}
