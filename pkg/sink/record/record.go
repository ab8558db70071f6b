package record

import (
	"bytes"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/event"
)

// Append appends the record of e, without a line end, and returns the extended buffer.
// It allocates only to grow dst. Data must be JSON, as receivers ensure; a text field
// with invalid UTF-8 has U+FFFD in its place. The result holds no line break, whatever
// the event.
func Append(dst []byte, e *event.Event) []byte {
	dst = appendText(dst, `{"id":`, e.ID)
	dst = appendText(dst, `,"source":`, e.Source)
	dst = appendText(dst, `,"type":`, e.Type)
	if !e.Time.IsZero() {
		dst = append(dst, `,"time":"`...)
		dst = e.Time.UTC().AppendFormat(dst, time.RFC3339Nano)
		dst = append(dst, '"')
	}
	if e.Subject != "" {
		dst = appendText(dst, `,"subject":`, e.Subject)
	}
	dst = appendText(dst, `,"tenant":`, e.Tenant)
	dst = append(dst, `,"data":`...)
	dst = appendData(dst, e.Data)
	return append(dst, '}')
}

// AppendLines appends the events as NDJSON: every record ends in a newline, the last
// one too.
func AppendLines(dst []byte, events []event.Event) []byte {
	dst = slices.Grow(dst, room(events))
	for i := range events {
		dst = append(Append(dst, &events[i]), '\n')
	}
	return dst
}

// AppendArray appends the events as one JSON array.
func AppendArray(dst []byte, events []event.Event) []byte {
	dst = append(slices.Grow(dst, room(events)), '[')
	for i := range events {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = Append(dst, &events[i])
	}
	return append(dst, ']')
}

// room is about what the events take up, so that a buffer grows once. Names and time
// are about a hundred bytes; texts that need escaping are rare.
func room(events []event.Event) int {
	const names = 100
	n := 0
	for i := range events {
		e := &events[i]
		n += names + len(e.ID) + len(e.Source) + len(e.Type) + len(e.Subject) + len(e.Tenant) + len(e.Data)
	}
	return n
}

func appendText(dst []byte, member, value string) []byte {
	dst = append(dst, member...)
	// The only error says that invalid UTF-8 was replaced, which is what we want here:
	// an event must not be undeliverable because of one byte of its subject.
	dst, _ = jsontext.AppendQuote(dst, value)
	return dst
}

func appendData(dst, data []byte) []byte {
	if len(data) == 0 {
		return append(dst, "null"...)
	}
	if bytes.IndexByte(data, '\n') < 0 && bytes.IndexByte(data, '\r') < 0 {
		return append(dst, data...)
	}
	return appendCompact(dst, data)
}

// appendCompact appends data without the white space between its tokens. No two tokens
// of a JSON value need any: they are always parted by punctuation. Line breaks go even
// inside a string, where JSON forbids them: a record must stay one line for any input.
func appendCompact(dst, data []byte) []byte {
	var inString, escaped bool
	for _, c := range data {
		switch {
		case c == '\n', c == '\r':
			continue
		case escaped:
			escaped = false
		case inString:
			escaped = c == '\\'
			inString = c != '"'
		case c == ' ', c == '\t':
			continue
		default:
			inString = c == '"'
		}
		dst = append(dst, c)
	}
	return dst
}
