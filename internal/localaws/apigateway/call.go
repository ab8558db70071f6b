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

	"github.com/go-json-experiment/json"
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

// headers visits the headers that a function sees: the client's, and those that API Gateway adds.
func (c *call) headers(visit func(name string, values []string)) {
	r := c.request
	for name, values := range r.Header {
		if !isHopHeader(name) {
			visit(name, values)
		}
	}
	if len(c.body) > 0 || r.Header.Get("Content-Length") != "" {
		visit("Content-Length", []string{strconv.Itoa(len(c.body))})
	}
	forwarded := c.sourceIP()
	if before := r.Header.Get("X-Forwarded-For"); before != "" {
		forwarded = before + ", " + forwarded
	}
	visit("Host", []string{r.Host})
	visit("X-Forwarded-For", []string{forwarded})
	visit("X-Forwarded-Port", []string{portOf(r.Host)})
	visit("X-Forwarded-Proto", []string{"http"})
	visit("X-Amzn-Trace-Id", []string{c.traceID()})
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

// bodyText is the body as an event has it.
func (c *call) bodyText(inBase64 bool) string {
	if inBase64 {
		return base64.StdEncoding.EncodeToString(c.body)
	}
	return string(c.body)
}

// marshal writes an event. What is no UTF-8 becomes U+FFFD, as it does on AWS.
func marshal(event any) ([]byte, error) {
	return json.Marshal(event, json.FormatNilMapAsNull(true), jsontext.AllowInvalidUTF8(true)) //nolint:wrapcheck // cannot fail
}
