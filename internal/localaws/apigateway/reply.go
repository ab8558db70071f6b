package apigateway

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

// reply is what goes back to the client.
type reply struct {
	status int
	header http.Header
	body   []byte
	// isBase64 says that body is still base64; the decoders clear it.
	isBase64 bool
	// hasStatus says that a function's reply had a statusCode.
	hasStatus bool
}

// write sends the reply. Connection headers of the function's are not passed on, as on AWS.
func (p reply) write(w http.ResponseWriter) {
	header := w.Header()
	for name, values := range p.header {
		if !isHopHeader(name) {
			header[name] = values
		}
	}
	if p.status == http.StatusNoContent || p.status == http.StatusNotModified {
		w.WriteHeader(p.status)
		return
	}
	header["Content-Length"] = []string{strconv.Itoa(len(p.body))}
	w.WriteHeader(p.status)
	_, _ = w.Write(p.body) // the client may be gone
}

func (p reply) withDefaultType(contentType string) reply {
	if p.header.Get("Content-Type") == "" {
		p.header.Set("Content-Type", contentType)
	}
	return p
}

// decodeReply2 reads a reply in format 2.0. One that has no statusCode, or is no JSON at all, is the body itself: AWS's
// documentation promises that for JSON only, but it was observed for anything.
func decodeReply2(result lambda.Result, _ *http.Request, _ Options) (reply, error) {
	p, err := parseReply(result.Payload)
	if !p.hasStatus {
		return reply{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}, body: result.Payload}, nil
	}
	if err != nil {
		return reply{}, err
	}
	return p.withDefaultType("text/plain; charset=utf-8").decodeBody()
}

// decodeReply1 reads a reply in format 1.0. Base64 is decoded when the client accepts a binary media type, else passed on as text.
func decodeReply1(result lambda.Result, r *http.Request, options Options) (reply, error) {
	p, err := parseReply(result.Payload)
	if err != nil {
		return reply{}, err
	}
	if !p.hasStatus {
		return reply{}, errors.New("reply without a statusCode")
	}
	p = p.withDefaultType("application/json")
	if !matchesBinary(r.Header.Get("Accept"), options.BinaryMediaTypes) {
		return p, nil
	}
	return p.decodeBody()
}

func (p reply) decodeBody() (reply, error) {
	if !p.isBase64 {
		return p, nil
	}
	n, err := base64.StdEncoding.Decode(p.body, p.body) // in place: the result is shorter
	if err != nil {
		return reply{}, fmt.Errorf("reply body: %w", err)
	}
	p.body, p.isBase64 = p.body[:n], false
	return p, nil
}

// functionReply is a proxy reply of either format, as functions write it: numbers may be texts, and texts numbers.
type functionReply struct {
	StatusCode        *scalar             `json:"statusCode"`
	Headers           map[string]scalar   `json:"headers"`
	MultiValueHeaders map[string][]scalar `json:"multiValueHeaders"`
	Cookies           []scalar            `json:"cookies"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

// scalar is a text, a number or a boolean, as text.
type scalar string

// UnmarshalJSON reads one.
func (s *scalar) UnmarshalJSON(value []byte) error {
	switch jsontext.Value(value).Kind() {
	case '"':
		text, err := jsontext.AppendUnquote(nil, value)
		*s = scalar(text)
		return err
	case '0', 't', 'f':
		*s = scalar(value)
		return nil
	default:
		return fmt.Errorf("%s where a text or a number should be", value)
	}
}

// parseReply reads a function's reply. Its size is bounded by Lambda, its depth by the decoder. hasStatus is valid even when there is
// an error.
func parseReply(payload []byte) (reply, error) {
	var from functionReply
	err := json.Unmarshal(payload, &from, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	p := reply{hasStatus: from.StatusCode != nil, header: http.Header{}, body: []byte(from.Body), isBase64: from.IsBase64Encoded}
	if err != nil || !p.hasStatus {
		return p, err
	}
	if p.status, err = strconv.Atoi(string(*from.StatusCode)); err != nil || p.status < 200 || p.status > 599 {
		return p, fmt.Errorf("statusCode %s is not an HTTP status", *from.StatusCode)
	}
	for name, value := range from.Headers {
		p.header.Set(name, string(value))
	}
	for name, values := range from.MultiValueHeaders { // a header that is in both maps counts once, from the list
		p.header.Del(name)
		for _, value := range values {
			p.header.Add(name, string(value))
		}
	}
	for _, cookie := range from.Cookies {
		p.header.Add("Set-Cookie", string(cookie))
	}
	return p, nil
}
