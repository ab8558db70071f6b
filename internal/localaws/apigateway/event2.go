package apigateway

import (
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// timeFormat is the Common Log Format's, which AWS uses for the request time.
const timeFormat = "02/Jan/2006:15:04:05 -0700"

// event2 is the event of payload format 2.0, with the null where the struct for Go has a client's certificate.
type event2 struct {
	events.APIGatewayV2HTTPRequest

	RequestContext context2 `json:"requestContext"`
}

type context2 struct {
	events.APIGatewayV2HTTPRequestContext

	Authentication *struct{} `json:"authentication"`
}

// encode2 writes the event of payload format 2.0: header names in lower case, repeated headers and query parameters
// joined with commas, cookies apart. What is absent is left out.
// Source: "Lambda proxy integrations for HTTP APIs", API Gateway developer guide; "Function URL request payload", Lambda developer guide.
func encode2(c *call, options Options) ([]byte, error) {
	r := c.request
	path := c.path
	if options.Shape == ShapeURL {
		path = r.URL.EscapedPath()
	}
	if path == "" {
		path = "/"
	}
	event := event2{
		APIGatewayV2HTTPRequest: events.APIGatewayV2HTTPRequest{
			Version: "2.0", RouteKey: "$default", RawPath: path, RawQueryString: r.URL.RawQuery, Headers: map[string]string{},
		},
		RequestContext: newContext2(c, path, options),
	}
	c.headers(func(name string, values []string) {
		if name == "Cookie" {
			event.Cookies = cookies(values)
		} else {
			event.Headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
	})
	if values, _ := url.ParseQuery(r.URL.RawQuery); len(values) > 0 { // pairs that cannot be decoded are left out
		event.QueryStringParameters = make(map[string]string, len(values))
		for name, list := range values {
			event.QueryStringParameters[name] = strings.Join(list, ",")
		}
	}
	if len(c.body) > 0 {
		event.IsBase64Encoded = !isText(r.Header)
		event.Body = c.bodyText(event.IsBase64Encoded)
	}
	return marshal(event)
}

func cookies(lines []string) (all []string) {
	for _, line := range lines {
		for cookie := range strings.SplitSeq(line, ";") {
			if cookie = strings.TrimSpace(cookie); cookie != "" {
				all = append(all, cookie)
			}
		}
	}
	return all
}

func newContext2(c *call, path string, options Options) context2 {
	r := c.request
	account := options.AccountID
	if options.Shape == ShapeURL {
		account = "anonymous" // a function URL without IAM authentication
	}
	return context2{APIGatewayV2HTTPRequestContext: events.APIGatewayV2HTTPRequestContext{
		RouteKey: "$default", Stage: "$default", AccountID: account, APIID: apiID, DomainName: r.Host, DomainPrefix: apiID,
		HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
			Method: r.Method, Path: path, Protocol: r.Proto, SourceIP: c.sourceIP(), UserAgent: r.UserAgent(),
		},
		RequestID: c.id, Time: c.now.UTC().Format(timeFormat), TimeEpoch: c.now.UnixMilli(),
	}}
}
