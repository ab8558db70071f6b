package lambdahttp

import (
	"cmp"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// response is the http.ResponseWriter of one invocation.
type response struct {
	header http.Header
	status int
	body   []byte
}

// Header returns the headers that will be sent.
func (w *response) Header() http.Header { return w.header }

// WriteHeader sets the status; the first one counts.
func (w *response) WriteHeader(status int) { w.status = cmp.Or(w.status, status) }

// Write appends to the body.
func (w *response) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, p...)
	return len(p), nil
}

// appendReply appends the reply that API Gateway expects for the shape.
func appendReply(dst []byte, s shape, w *response) []byte {
	dst = append(dst, `{"statusCode":`...)
	dst = strconv.AppendInt(dst, int64(cmp.Or(w.status, http.StatusOK)), 10)
	if s == shapeV2 {
		dst = appendHeaders(dst, w.header)
	} else {
		dst = append(dst, `,"multiValueHeaders":{`...)
		for i, name := range slices.Sorted(maps.Keys(w.header)) {
			dst = appendName(dst, i, name)
			dst = appendList(dst, w.header[name])
		}
		dst = append(dst, '}')
	}
	return append(appendBody(dst, w), '}')
}

// appendHeaders writes headers as v2 has them: one text each, cookies apart.
func appendHeaders(dst []byte, header http.Header) []byte {
	const setCookie = "Set-Cookie"
	dst = append(dst, `,"headers":{`...)
	n := 0
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if name == setCookie {
			continue
		}
		dst = appendName(dst, n, name)
		dst = appendString(dst, strings.Join(header[name], ", "))
		n++
	}
	dst = append(dst, '}')
	if cookies := header[setCookie]; len(cookies) > 0 {
		dst = appendList(append(dst, `,"cookies":`...), cookies)
	}
	return dst
}

func appendName(dst []byte, index int, name string) []byte {
	if index > 0 {
		dst = append(dst, ',')
	}
	return append(appendString(dst, name), ':')
}

func appendList(dst []byte, values []string) []byte {
	dst = append(dst, '[')
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, v)
	}
	return append(dst, ']')
}

// appendBody writes text as it is and everything else in base64.
func appendBody(dst []byte, w *response) []byte {
	dst = append(dst, `,"body":`...)
	if utf8.Valid(w.body) && w.header.Get("Content-Encoding") == "" {
		dst = appendString(dst, string(w.body))
		return append(dst, `,"isBase64Encoded":false`...)
	}
	dst = base64.StdEncoding.AppendEncode(append(dst, '"'), w.body)
	return append(dst, `","isBase64Encoded":true`...)
}

func appendString(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s) // the error only tells of replaced bytes
	return dst
}
