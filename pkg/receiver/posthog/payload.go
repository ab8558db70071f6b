package posthog

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/millrace-dev/millrace/pkg/receiver"
)

// ownEncodings are the words that PostHog clients use beside those of HTTP.
func ownEncodings() []string {
	return []string{"gzip-js", "lz64", "lz-string", "base64", "b64"}
}

// maxSniffs bounds how many undeclared encodings are undone: base64 of gzip is the
// deepest that clients send.
const maxSniffs = 3

// payload returns the JSON of a request.
func payload(req *receiver.Request) ([]byte, error) {
	body, hint, err := unwrap(req)
	if err != nil {
		return nil, err
	}
	if hint = strings.ToLower(hint); hint == "" {
		hint = declared(req.Header)
	}
	if body, err = undo(body, hint, req.Limits); err != nil {
		return nil, err
	}
	for range maxSniffs {
		switch {
		case receiver.IsGzip(body):
			if body, err = receiver.Gunzip(body, req.Limits); err != nil {
				return nil, err
			}
		case looksBase64(body):
			decoded, err := unbase64(body)
			if err != nil {
				return body, nil //nolint:nilerr // it only looked so: the JSON reader names the byte
			}
			body = decoded
		default:
			return body, nil
		}
	}
	return body, nil
}

// unwrap takes the payload out of a query or a form, with the encoding named there.
func unwrap(req *receiver.Request) (body []byte, hint string, err error) {
	hint = req.Query.Get("compression")
	if len(req.Body) == 0 && req.Method == http.MethodGet {
		return []byte(req.Query.Get("data")), hint, nil
	}
	if !isForm(req) {
		return req.Body, hint, nil
	}
	data, found := formValue(req.Body, "data")
	if !found {
		return nil, "", receiver.Malformed("form body has no data= field")
	}
	if compression, _ := formValue(req.Body, "compression"); hint == "" {
		hint = string(compression)
	}
	return data, hint, nil
}

// isForm tells a form from JSON. Content types alone prove nothing: SDKs label JSON
// and gzip as forms.
func isForm(req *receiver.Request) bool {
	if bytes.HasPrefix(req.Body, []byte("data=")) {
		return true
	}
	body := bytes.TrimLeft(req.Body, " \t\r\n")
	if len(body) == 0 || body[0] == '{' || body[0] == '[' || receiver.IsGzip(body) || looksBase64(body) {
		return false
	}
	return strings.HasPrefix(strings.ToLower(req.Header.Get("Content-Type")), "application/x-www-form-urlencoded")
}

// formValue returns the first field of that name. Unlike a strict parser it leaves
// alone what is not well escaped: that is found later, with its place.
func formValue(form []byte, name string) ([]byte, bool) {
	for field := range bytes.SplitSeq(form, []byte("&")) {
		key, value, found := bytes.Cut(field, []byte("="))
		if !found || string(key) != name {
			continue
		}
		if text, err := url.QueryUnescape(string(value)); err == nil {
			return []byte(text), true
		}
		return value, true
	}
	return nil, false
}

// declared returns the first of our own encodings that Content-Encoding names.
func declared(header http.Header) string {
	for _, field := range header.Values("Content-Encoding") {
		for name := range strings.SplitSeq(strings.ToLower(field), ",") {
			if name = strings.TrimSpace(name); slices.Contains(ownEncodings(), name) {
				return name
			}
		}
	}
	return ""
}

// undo undoes the encoding that the client named. Gzip is not insisted upon: a proxy or
// Content-Encoding may have undone it already.
func undo(body []byte, hint string, limits receiver.Limits) ([]byte, error) {
	switch hint {
	case "", "none", "identity":
		return body, nil
	case "gzip", "gzip-js":
		return body, nil // recognised by its first bytes, as is gzip that nobody named
	case "base64", "b64":
		if looksJSON(body) {
			return body, nil
		}
		decoded, err := unbase64(body)
		if err != nil {
			return nil, receiver.Malformed("body is not base64 as declared: %v", err)
		}
		return decoded, nil
	case "lz64", "lz-string":
		return unlz64(body, limits.DecodedBytes)
	}
	return nil, receiver.Malformed("compression %.40q is not supported; accepted are gzip, gzip-js, base64, lz64", hint)
}

func looksJSON(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && (body[0] == '{' || body[0] == '[')
}

// looksBase64 says whether a whole body may be base64: a length divisible by four and
// nothing but its alphabet in the first 128 bytes. JSON objects and arrays never are.
func looksBase64(body []byte) bool {
	const look = 128
	body = bytes.TrimSpace(body)
	if len(body) == 0 || len(body)%4 != 0 {
		return false
	}
	for _, c := range body[:min(look, len(body))] {
		if lz64Value(c) < 0 && c != '=' {
			return false
		}
	}
	return true
}

// unbase64 decodes base64 in which a form may have turned plus into space, of either
// alphabet, padded or not.
func unbase64(body []byte) ([]byte, error) {
	text := bytes.TrimRight(bytes.TrimSpace(body), "=")
	if bytes.ContainsAny(text, " -_") {
		text = bytes.Map(func(r rune) rune {
			switch r {
			case ' ', '-':
				return '+'
			case '_':
				return '/'
			}
			return r
		}, text)
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(text)))
	n, err := base64.RawStdEncoding.Decode(out, text)
	return out[:n], err
}
