package apigateway

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// reply is what goes back to the client.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// write sends the reply. Connection headers of the function's are not passed on, as on AWS.
func (p reply) write(w http.ResponseWriter) {
	header := w.Header()
	maps.Copy(header, p.header)
	deleteHops(header)
	hasBody := p.status != http.StatusNoContent && p.status != http.StatusNotModified
	if hasBody {
		header.Set("Content-Length", strconv.Itoa(len(p.body)))
	}
	w.WriteHeader(p.status)
	if hasBody {
		_, _ = w.Write(p.body) // the client may be gone
	}
}

// functionReply is a proxy reply of either format, as functions write it: numbers may be texts, and texts numbers.
type functionReply struct {
	StatusCode        scalar              `json:"statusCode"` // empty when there is none
	Headers           map[string]scalar   `json:"headers"`
	MultiValueHeaders map[string][]scalar `json:"multiValueHeaders"`
	Cookies           []scalar            `json:"cookies"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

// scalar is a text, a number or a boolean, as text.
type scalar string

// UnmarshalJSONFrom reads one.
func (s *scalar) UnmarshalJSONFrom(from *jsontext.Decoder) error {
	token, err := from.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case '"', '0', 't', 'f':
		*s = scalar(token.String())
		return nil
	default:
		return fmt.Errorf("%s where a text or a number should be", token)
	}
}

// parseReply reads a function's reply. Its size is bounded by Lambda, its depth by the decoder. The status is valid even when there
// is an error.
func parseReply(payload []byte) (from functionReply, err error) {
	err = json.Unmarshal(payload, &from, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return from, err
}

// decode1 reads a reply in format 1.0. Base64 is decoded when the client accepts a binary media type, else passed on as text.
func decode1(payload []byte, accept string, binary []string) (reply, error) {
	from, err := parseReply(payload)
	if err != nil {
		return reply{}, err
	}
	from.IsBase64Encoded = from.IsBase64Encoded && matchesBinary(accept, binary)
	return from.reply("application/json")
}

// decode2 reads a reply in format 2.0. One that has no statusCode, or is no JSON at all, is the body itself: AWS's
// documentation promises that for JSON only, but it was observed for anything.
func decode2(payload []byte) (reply, error) {
	from, err := parseReply(payload)
	if from.StatusCode == "" {
		return reply{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}, body: payload}, nil
	}
	if err != nil {
		return reply{}, err
	}
	return from.reply("text/plain; charset=utf-8")
}

// reply checks and decodes what the function wrote.
func (f functionReply) reply(defaultType string) (p reply, err error) {
	p = reply{header: http.Header{"Content-Type": {defaultType}}, body: []byte(f.Body)}
	if p.status, err = strconv.Atoi(string(f.StatusCode)); err != nil || p.status < 200 || p.status > 599 {
		return p, fmt.Errorf("statusCode %q is not an HTTP status", f.StatusCode)
	}
	for name, value := range f.Headers {
		p.header.Set(name, string(value))
	}
	for name, values := range f.MultiValueHeaders { // a header that is in both maps counts once, from the list
		p.header.Del(name)
		for _, value := range values {
			p.header.Add(name, string(value))
		}
	}
	for _, cookie := range f.Cookies {
		p.header.Add("Set-Cookie", string(cookie))
	}
	if f.IsBase64Encoded {
		p.body, err = base64.StdEncoding.DecodeString(f.Body)
	}
	return p, err
}
