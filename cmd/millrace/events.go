package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// events returns what to send, and a function to call when done with it.
func (s *sendCommand) events(c *console, p protocol) (events iter.Seq2[[]byte, error], done func(), err error) {
	switch s.File {
	case "":
		return sampleEvents(p, cmp.Or(s.Count, defaultSamples)), func() {}, nil
	case "-":
		return first(s.Count, readEvents(c.in)), func() {}, nil
	}
	file, err := os.Open(s.File)
	if err != nil {
		return nil, nil, usageError("send --file: %w", err)
	}
	return first(s.Count, readEvents(file)), func() { _ = file.Close() }, nil
}

func sampleEvents(p protocol, count int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for n := range count {
			event, err := p.sample(n, time.Now())
			if !yield(event.JSON, err) || err != nil {
				return
			}
		}
	}
}

// readEvents reads NDJSON, or the items of one JSON array, without looking into the events: what is wrong with one is
// for the API to say. A value that is no JSON ends it with an error that names its place.
func readEvents(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		// Duplicate names and invalid UTF-8 pass: refusing them is what the API is there for.
		decoder := jsontext.NewDecoder(r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		inArray := decoder.PeekKind() == '['
		if inArray {
			_, _ = decoder.ReadToken() // just peeked
		}
		for n := 1; !inArray || decoder.PeekKind() != ']'; n++ {
			value, err := decoder.ReadValue()
			if errors.Is(err, io.EOF) && !inArray {
				return
			}
			if err != nil {
				yield(nil, fmt.Errorf("event %d of the input: %w", n, err))
				return
			}
			line := value.Clone()
			if err := line.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
				yield(nil, fmt.Errorf("event %d of the input: %w", n, err))
				return
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}

// first ends a sequence after n events; 0 means never.
func first(n int, events iter.Seq2[[]byte, error]) iter.Seq2[[]byte, error] {
	if n == 0 {
		return events
	}
	return func(yield func([]byte, error) bool) {
		left := n
		for event, err := range events {
			if !yield(event, err) {
				return
			}
			if left--; left == 0 {
				return
			}
		}
	}
}
