package receiver

import (
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// WriteJSON answers with a JSON body.
func WriteJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone, and there is nobody else to tell
}

// WriteError answers {"error":{"code":"…","message":"…"}}, with Retry-After where the
// error has one. Receivers whose protocol has words of its own do not use it.
func WriteError(w http.ResponseWriter, e *Error) {
	SetRetryAfter(w, e)
	WriteJSON(w, e.Status, append(AppendError(nil, e), '}'))
}

// AppendError appends the members of an error reply, without the closing brace, so
// that the caller can add its own.
func AppendError(dst []byte, e *Error) []byte {
	dst = append(dst, `{"error":{"code":`...)
	dst = AppendQuote(dst, e.Code)
	dst = append(dst, `,"message":`...)
	dst = AppendQuote(dst, e.Message)
	return append(dst, '}')
}

// AppendQuote appends text as a JSON string. Bytes that are no UTF-8 become U+FFFD.
func AppendQuote(dst []byte, text string) []byte {
	dst, _ = jsontext.AppendQuote(dst, text) // the error only tells of replaced bytes
	return dst
}

// SetRetryAfter sets Retry-After, in whole seconds and at least one, if e has a time.
func SetRetryAfter(w http.ResponseWriter, e *Error) {
	if e.RetryAfter <= 0 {
		return
	}
	seconds := max(1, int((e.RetryAfter.Seconds() + 0.999)))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
}
