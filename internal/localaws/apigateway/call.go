package apigateway

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofrs/uuid/v5"
)

// apiID stands where AWS has the random id of an API or a function URL.
const apiID = "local"

// call is one request on its way into an event.
type call struct {
	request *http.Request
	path    string // decoded, without the stage
	body    []byte // valid until the event is built
	id      string
	now     time.Time
}

// expectedBytes guesses the size of the event: base64 or escaped quotes make the body a third larger.
func (c *call) expectedBytes() int { return 2048 + len(c.body) + len(c.body)/2 }

// sourceIP is the caller's address without the port.
func (c *call) sourceIP() string {
	host, _, err := net.SplitHostPort(c.request.RemoteAddr)
	if err != nil {
		return c.request.RemoteAddr
	}
	return host
}

// newRequestID imitates the ids of the shapes: 15 characters and "=" for HTTP APIs, a UUID for the others.
func newRequestID(shape Shape) string {
	if shape != ShapeHTTP {
		return uuid.Must(uuid.NewV4()).String()
	}
	var random [11]byte
	_, _ = rand.Read(random[:]) // never fails, see crypto/rand
	return base64.URLEncoding.EncodeToString(random[:])
}

// traceID continues the caller's trace or begins an unsampled one.
func (c *call) traceID() string {
	if id := c.request.Header.Get("X-Amzn-Trace-Id"); id != "" {
		return id
	}
	var random [12]byte
	_, _ = rand.Read(random[:])
	return "Root=1-" + strconv.FormatInt(c.now.Unix(), 16) + "-" + hex.EncodeToString(random[:])
}

// isHopHeader reports whether a header concerns one connection only, or is written by the gateway itself.
func isHopHeader(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"Content-Length", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Amzn-Trace-Id":
		return true
	}
	return false
}

// gatewayHeaders visits the headers that API Gateway adds, under their lower-case names.
func (c *call) gatewayHeaders(visit func(name, value string)) {
	r := c.request
	visit("host", r.Host)
	if len(c.body) > 0 || r.Header.Get("Content-Length") != "" {
		visit("content-length", strconv.Itoa(len(c.body)))
	}
	forwarded := c.sourceIP()
	if before := r.Header.Get("X-Forwarded-For"); before != "" {
		forwarded = before + ", " + forwarded
	}
	visit("x-forwarded-for", forwarded)
	visit("x-forwarded-port", portOf(r.Host))
	visit("x-forwarded-proto", "http")
	visit("x-amzn-trace-id", c.traceID())
}

func portOf(host string) string {
	if _, port, err := net.SplitHostPort(host); err == nil {
		return port
	}
	return "80"
}

// isText reports whether HTTP APIs and function URLs hand over a body as it is. Anything else is base64: forms, a missing
// Content-Type, +json types and whatever has a Content-Encoding.
func isText(header http.Header) bool {
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return false
	}
	switch media := mediaType(header.Get("Content-Type")); media {
	case "application/json", "application/xml", "application/javascript":
		return true
	default:
		return strings.HasPrefix(media, "text/")
	}
}

// mediaType cuts the parameters off a content type and lowers the rest.
func mediaType(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// matchesBinary reports whether one of a header's media types is among a REST API's binary media types.
func matchesBinary(value string, binary []string) bool {
	for one := range strings.SplitSeq(value, ",") {
		media := mediaType(one)
		for _, pattern := range binary {
			major, isWild := strings.CutSuffix(pattern, "/*")
			switch {
			case pattern == "*/*", strings.EqualFold(pattern, media):
				return true
			case isWild && strings.HasPrefix(media, strings.ToLower(major)+"/"):
				return true
			}
		}
	}
	return false
}

// appendBody writes the value of "body" and the member "isBase64Encoded" after it.
func appendBody(dst, body []byte, asText bool) []byte {
	if asText {
		dst, _ = jsontext.AppendQuote(dst, body) // what is no UTF-8 is lost here, as it is on AWS
		return append(dst, `,"isBase64Encoded":false`...)
	}
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, body)
	return append(dst, `","isBase64Encoded":true`...)
}

// appendString quotes a string; what is no UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

// appendMember writes ,"name":"value" where name needs no escapes.
func appendMember(dst []byte, name, value string) []byte {
	dst = append(dst, `,"`...)
	dst = append(dst, name...)
	dst = append(dst, `":`...)
	return appendString(dst, value)
}

// appendComma separates members: nothing goes before the first.
func appendComma(dst []byte) []byte {
	if dst[len(dst)-1] == '{' || dst[len(dst)-1] == '[' {
		return dst
	}
	return append(dst, ',')
}
