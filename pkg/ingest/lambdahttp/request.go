package lambdahttp

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// defaultStage has no name in paths. Source: API Gateway, HTTP API stages.
const defaultStage = "$default"

// request builds the HTTP request that the event tells of.
func (e *envelope) request(ctx context.Context) (*http.Request, error) {
	body, err := e.bytes()
	if err != nil {
		return nil, err
	}
	path := e.requestPath()
	u := &url.URL{Path: path, RawQuery: e.queryString()}
	if decoded, err := url.PathUnescape(path); err == nil && decoded != path {
		u.Path, u.RawPath = decoded, path
	}
	header := e.header()
	r := &http.Request{
		Method: text(e.method), URL: u, RequestURI: u.RequestURI(), Header: header, Host: header.Get("Host"),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: newMemoryBody(body), ContentLength: int64(len(body)), RemoteAddr: text(e.sourceIP),
	}
	return r.WithContext(ctx), nil
}

// bytes returns the body as the client sent it.
func (e *envelope) bytes() ([]byte, error) {
	if e.body.Kind() != '"' {
		return nil, nil // null: none
	}
	raw := []byte(e.body[1 : len(e.body)-1])
	if bytes.IndexByte(raw, '\\') >= 0 {
		var err error
		if raw, err = jsontext.AppendUnquote(make([]byte, 0, len(raw)), e.body); err != nil {
			return nil, fmt.Errorf("body of the event: %w", err)
		}
	}
	if !e.base64 {
		return raw, nil
	}
	body, err := base64.StdEncoding.AppendDecode(nil, raw)
	if err != nil {
		return nil, fmt.Errorf("body of the event is not base64: %w", err)
	}
	return body, nil
}

// requestPath returns the path without the stage. HTTP APIs put the stage in front; REST
// APIs do so in requestContext.path only.
func (e *envelope) requestPath() string {
	path, stage := text(e.path), text(e.stage)
	if stage == "" || stage == defaultStage {
		return path
	}
	if e.shape == shapeV1 && path != text(e.contextPath) {
		return path
	}
	if rest, found := strings.CutPrefix(path, "/"+stage); found && (rest == "" || rest[0] == '/') {
		return rest
	}
	return path
}

// queryString returns the query as one encoded string. In v1 it comes decoded, with the
// last of repeated values only in the single-value map.
func (e *envelope) queryString() string {
	if e.shape == shapeV2 {
		return text(e.rawQuery)
	}
	query := make(url.Values)
	if !pairs(e.multiQuery, query.Add) {
		pairs(e.query, query.Add)
	}
	return query.Encode()
}

func (e *envelope) header() http.Header {
	header := make(http.Header)
	if !pairs(e.multiHeader, header.Add) {
		pairs(e.headers, header.Add)
	}
	if cookies := list(e.cookies); len(cookies) > 0 {
		header.Set("Cookie", strings.Join(cookies, "; "))
	}
	return header
}

// pairs calls add for every name and value of an object whose values are strings or
// arrays of strings. It reports false when there are none.
func pairs(object jsontext.Value, add func(name, value string)) bool {
	if object.Kind() != '{' {
		return false
	}
	some := false
	// The scan of the payload has checked the JSON.
	_ = members(decode(object), func(name string, d *jsontext.Decoder) error {
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		if value.Kind() == '"' {
			add(name, text(value))
			some = true
		}
		for _, v := range list(value) {
			add(name, v)
			some = true
		}
		return nil
	})
	return some
}

// list returns the strings of an array.
func list(array jsontext.Value) []string {
	if array.Kind() != '[' {
		return nil
	}
	var all []string
	d := decode(array)
	_, _ = d.ReadToken() // [, as the kind says
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			break
		}
		all = append(all, token.String())
	}
	return all
}

func decode(value jsontext.Value) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(value), jsontext.AllowDuplicateNames(true))
}

// text returns the text of a JSON string, "" for anything else.
func text(value jsontext.Value) string {
	if value.Kind() != '"' {
		return ""
	}
	if inner := value[1 : len(value)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	out, _ := jsontext.AppendUnquote(nil, value) // the scan of the payload has checked it
	return string(out)
}

// memoryBody is a request body that can be had as a whole without copying.
type memoryBody struct {
	io.Reader
	data []byte
}

func newMemoryBody(data []byte) *memoryBody { return &memoryBody{bytes.NewReader(data), data} }

// Bytes returns the whole body, whatever was read of it.
func (b *memoryBody) Bytes() []byte { return b.data }

// Close does nothing.
func (*memoryBody) Close() error { return nil }
