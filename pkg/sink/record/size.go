package record

import (
	"time"
	"unicode/utf8"

	"github.com/millrace-dev/millrace/pkg/event"
)

// Lengths of the parts of a record that do not depend on the event.
const (
	fixedBytes   = len(`{"id":,"source":,"type":,"tenant":,"data":}`) + len("\n")
	timeBytes    = len(`,"time":""`) + len(time.RFC3339Nano)
	subjectBytes = len(`,"subject":`)
	nullBytes    = len("null")
	uEscapeBytes = len(`\u0000`)
)

// Size is the most bytes that the record of e takes up, its line end or comma included,
// for use as batch.Limits.Size. It is exact but for the decimals of the time and for
// Data that holds line breaks. It does not allocate.
func Size(e *event.Event) int {
	n := fixedBytes + quotedBytes(e.ID) + quotedBytes(e.Source) + quotedBytes(e.Type) + quotedBytes(e.Tenant)
	if !e.Time.IsZero() {
		n += timeBytes
	}
	if e.Subject != "" {
		n += subjectBytes + quotedBytes(e.Subject)
	}
	return n + max(len(e.Data), nullBytes)
}

// quotedBytes is the length of s as a JSON string, as jsontext.AppendQuote writes it.
func quotedBytes(s string) int {
	n := len(`""`) + len(s)
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, width := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && width == 1 {
				n += utf8.RuneLen(utf8.RuneError) - width
			}
			i += width
			continue
		}
		n += escapeBytes(c)
		i++
	}
	return n
}

// escapeBytes is how much longer an ASCII character gets by escaping.
func escapeBytes(c byte) int {
	switch {
	case c == '"', c == '\\', c == '\b', c == '\f', c == '\n', c == '\r', c == '\t':
		return 1
	case c < ' ':
		return uEscapeBytes - 1
	}
	return 0
}
