package apigateway

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"strconv"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// reply is what goes back to the client.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// decode1 reads a reply in format 1.0.
func decode1(payload []byte) (reply, error) { return decode(payload, "application/json") }

// decode2 reads a reply in format 2.0. JSON without a statusCode is the body of a 200.
// Source: "Lambda proxy integrations for HTTP APIs", API Gateway developer guide; "Function URL response payload", Lambda developer guide.
func decode2(payload []byte) (reply, error) {
	var says struct {
		StatusCode jsontext.Value `json:"statusCode"`
	}
	_ = json.Unmarshal(payload, &says) // what is no object has none
	if says.StatusCode == nil && jsontext.Value(payload).IsValid() {
		return reply{http.StatusOK, http.Header{"Content-Type": {"application/json"}}, payload}, nil
	}
	return decode(payload, "text/plain; charset=utf-8")
}

// decode reads a reply that says its status. Its size is bounded by Lambda, its depth by the decoder.
func decode(payload []byte, contentType string) (p reply, err error) {
	var from events.APIGatewayV2HTTPResponse // has the members of both formats
	if err := json.Unmarshal(payload, &from); err != nil {
		return p, err
	}
	if from.StatusCode < 200 || from.StatusCode > 599 {
		return p, fmt.Errorf("statusCode %d is not an HTTP status", from.StatusCode)
	}
	p = reply{status: from.StatusCode, header: http.Header{"Content-Type": {contentType}}, body: []byte(from.Body)}
	for name, value := range from.Headers {
		p.header.Set(name, value)
	}
	for name, values := range from.MultiValueHeaders { // a header that is in both maps counts once, from the list
		p.header[http.CanonicalHeaderKey(name)] = values
	}
	for _, cookie := range from.Cookies {
		p.header.Add("Set-Cookie", cookie)
	}
	if from.IsBase64Encoded {
		p.body, err = base64.StdEncoding.DecodeString(from.Body)
	}
	return p, err
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

// deleteHops deletes the headers that concern one connection only.
func deleteHops(header http.Header) {
	for _, name := range []string{
		"Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	} {
		delete(header, name)
	}
}
