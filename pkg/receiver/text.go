package receiver

import (
	"bytes"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Text returns the text of a JSON string. It reports false for every other value.
func Text(value jsontext.Value) (string, bool) {
	if value.Kind() != '"' {
		return "", false
	}
	if inner := value[1 : len(value)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), true
	}
	text, err := jsontext.AppendUnquote(make([]byte, 0, len(value)), value)
	return string(text), err == nil
}

// TraceID returns the trace id of a W3C traceparent, or the trace id itself, in
// lower-case hex. It returns "" for everything else, the all-zero id included.
//
// Source: https://www.w3.org/TR/trace-context/#traceparent-header
func TraceID(text string) string {
	const idLen, parentLen = 32, 55
	if len(text) >= parentLen && text[2] == '-' && text[35] == '-' && text[52] == '-' {
		if text[:2] == "ff" || !hex(text[:2]) || !hex(text[36:52]) || !hex(text[53:55]) {
			return ""
		}
		text = text[3:35]
	}
	if len(text) != idLen || !hex(text) || strings.Count(text, "0") == idLen {
		return ""
	}
	return strings.ToLower(text)
}

func hex(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f', 'A' <= c && c <= 'F':
		default:
			return false
		}
	}
	return true
}

// Time reads a timestamp as SDKs write it: RFC 3339 with any fraction, a space for the
// T, or without a zone (then UTC). It returns the zero time for everything else.
func Time(text string) time.Time {
	for _, layout := range [...]string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999",
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// Excerpt caps a text that a client chose at 80 bytes, for use in a message or reply.
func Excerpt(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
