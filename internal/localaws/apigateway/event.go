package apigateway

import (
	"cmp"
	"fmt"
	"maps"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofrs/uuid/v5"

	"github.com/millrace-dev/millrace/internal/localaws/account"
)

const (
	// localID stands where AWS has the random id of an API or of a resource.
	localID = "local"
	// timeFormat is the Common Log Format's, which AWS uses for the request time.
	timeFormat = "02/Jan/2006:15:04:05 -0700"
)

// call is one request on its way into an event.
type call struct {
	*http.Request

	path  string // decoded, without the stage, never empty
	body  string
	id    string
	begin time.Time
}

// object is a JSON object. Bytes in it are written as base64.
type object = map[string]any

// marshal writes an event. What is no UTF-8 becomes U+FFFD, as it does on AWS.
func marshal(event object) ([]byte, error) {
	return json.Marshal(event, json.FormatNilMapAsNull(true), jsontext.AllowInvalidUTF8(true))
}

// event1 is the event of a REST API's proxy integration (payload format 1.0): single and multi-value maps side by side, null for
// what is absent, the path without the stage.
// Source: "Set up Lambda proxy integrations", API Gateway developer guide.
func (c *call) event1(stage string) object {
	resource, parameters := "/{proxy+}", object{"proxy": strings.TrimPrefix(c.path, "/")}
	if c.path == "/" {
		resource, parameters = "/", nil
	}
	headers := c.headers()
	event := object{
		"resource": resource, "path": c.path, "httpMethod": c.Method, "pathParameters": parameters, "stageVariables": nil,
		"headers": flatten(headers, last), "multiValueHeaders": headers,
		"queryStringParameters": nil, "multiValueQueryStringParameters": nil, "body": nil, "isBase64Encoded": false,
		"requestContext": object{
			"accountId": account.ID, "apiId": localID, "domainName": c.Host, "domainPrefix": localID, "stage": stage,
			"resourceId": localID, "resourcePath": resource, "path": c.URL.Path, "httpMethod": c.Method, "protocol": c.Proto,
			"requestId": c.id, "extendedRequestId": c.id, "authorizer": nil,
			"requestTime": c.begin.UTC().Format(timeFormat), "requestTimeEpoch": c.begin.UnixMilli(),
			"identity": object{"sourceIp": c.sourceIP(), "userAgent": c.UserAgent()},
		},
	}
	if query := c.URL.Query(); len(query) > 0 {
		event["queryStringParameters"], event["multiValueQueryStringParameters"] = flatten(query, last), query
	}
	if c.body != "" {
		event["body"], event["isBase64Encoded"] = []byte(c.body), true // every media type is binary
	}
	return event
}

// event2 is the event of payload format 2.0: header names in lower case, repeated headers and query parameters joined with
// commas, cookies apart. What is absent is left out.
// Source: "Lambda proxy integrations for HTTP APIs", API Gateway developer guide; "Function URL request payload", Lambda developer guide.
func (c *call) event2(path, caller string) object {
	headers := map[string]string{}
	for name, values := range c.headers() {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	delete(headers, "cookie")
	event := object{
		"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": c.URL.RawQuery,
		"headers": headers, "isBase64Encoded": false,
		"requestContext": object{
			"routeKey": "$default", "stage": "$default", "accountId": caller,
			"apiId": localID, "domainName": c.Host, "domainPrefix": localID, "authentication": nil,
			"http": object{
				"method": c.Method, "path": path, "protocol": c.Proto, "sourceIp": c.sourceIP(), "userAgent": c.UserAgent(),
			},
			"requestId": c.id, "time": c.begin.UTC().Format(timeFormat), "timeEpoch": c.begin.UnixMilli(),
		},
	}
	if cookies := c.Header["Cookie"]; len(cookies) > 0 {
		event["cookies"] = strings.Split(strings.Join(cookies, "; "), "; ")
	}
	if query := c.URL.Query(); len(query) > 0 {
		event["queryStringParameters"] = flatten(query, commaSeparated)
	}
	if c.body != "" {
		event["body"] = c.body
	}
	if c.body != "" && !isText(c.Header) {
		event["body"], event["isBase64Encoded"] = []byte(c.body), true
	}
	return event
}

// isText reports whether format 2.0 has a body as it is. Anything else is base64: forms, a missing Content-Type, +json types and
// whatever has a Content-Encoding.
func isText(header http.Header) bool {
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return false
	}
	switch media, _, _ := mime.ParseMediaType(header.Get("Content-Type")); media {
	case "application/json", "application/xml", "application/javascript":
		return true
	default:
		return strings.HasPrefix(media, "text/")
	}
}

// headers are those that a function sees: the client's, and what API Gateway adds.
func (c *call) headers() http.Header {
	headers := maps.Clone(c.Header)
	deleteHops(headers)
	if c.body != "" || c.Header.Get("Content-Length") != "" {
		headers.Set("Content-Length", strconv.Itoa(len(c.body)))
	}
	headers.Set("Host", c.Host)
	forwarded := c.sourceIP()
	if before := c.Header.Get("X-Forwarded-For"); before != "" {
		forwarded = before + ", " + forwarded
	}
	headers.Set("X-Forwarded-For", forwarded)
	_, port, _ := net.SplitHostPort(c.Host)
	headers.Set("X-Forwarded-Port", cmp.Or(port, "80"))
	headers.Set("X-Forwarded-Proto", "http")
	if headers.Get("X-Amzn-Trace-Id") == "" { // an unsampled trace begins here
		headers.Set("X-Amzn-Trace-Id", fmt.Sprintf("Root=1-%x-%x", c.begin.Unix(), uuid.Must(uuid.NewV4()).Bytes()[:12]))
	}
	return headers
}

// sourceIP is the caller's address without the port.
func (c *call) sourceIP() string {
	ip, _, _ := net.SplitHostPort(c.RemoteAddr)
	return ip
}

// flatten makes one value of each list.
func flatten(multi map[string][]string, one func(values []string) string) map[string]string {
	single := make(map[string]string, len(multi))
	for name, values := range multi {
		single[name] = one(values)
	}
	return single
}

func last(values []string) string { return values[len(values)-1] }

func commaSeparated(values []string) string { return strings.Join(values, ",") }
