package apigateway

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// event1 is the event of payload format 1.0, with the nulls that the struct for Go does not know.
type event1 struct {
	events.APIGatewayProxyRequest

	Body            *string `json:"body"`
	IsBase64Encoded bool    `json:"isBase64Encoded"`
}

// encode1 writes the event of a REST API's proxy integration (payload format 1.0): single and multi-value maps side by
// side, null for what is absent, the path without the stage.
// Source: "Set up Lambda proxy integrations", API Gateway developer guide.
func encode1(c *call, options Options) ([]byte, error) {
	r := c.request
	event := event1{APIGatewayProxyRequest: events.APIGatewayProxyRequest{
		Resource: "/{proxy+}", Path: c.path, HTTPMethod: r.Method, MultiValueHeaders: map[string][]string{},
	}}
	if c.path == "" || c.path == "/" {
		event.Resource, event.Path = "/", "/"
	} else {
		event.PathParameters = map[string]string{"proxy": strings.TrimPrefix(c.path, "/")}
	}
	c.headers(func(name string, values []string) { event.MultiValueHeaders[http.CanonicalHeaderKey(name)] = values })
	event.Headers = lastOf(event.MultiValueHeaders)
	if values, _ := url.ParseQuery(r.URL.RawQuery); len(values) > 0 { // pairs that cannot be decoded are left out
		event.QueryStringParameters, event.MultiValueQueryStringParameters = lastOf(values), values
	}
	event.RequestContext = context1(c, event.Resource, options)
	if len(c.body) > 0 {
		contentType := r.Header.Get("Content-Type")
		if contentType == "" {
			contentType = "application/json" // what a REST API takes it for
		}
		event.IsBase64Encoded = matchesBinary(contentType, options.BinaryMediaTypes)
		event.Body = new(c.bodyText(event.IsBase64Encoded))
	}
	return marshal(event)
}

// lastOf is what single-value maps hold of several values.
func lastOf(multi map[string][]string) map[string]string {
	single := make(map[string]string, len(multi))
	for name, values := range multi {
		single[name] = values[len(values)-1]
	}
	return single
}

func context1(c *call, resource string, options Options) events.APIGatewayProxyRequestContext {
	r := c.request
	return events.APIGatewayProxyRequestContext{
		AccountID: options.AccountID, APIID: apiID, DomainPrefix: apiID, DomainName: r.Host, Stage: options.Stage,
		ResourceID: "local", ResourcePath: resource, Path: r.URL.Path, HTTPMethod: r.Method, Protocol: r.Proto,
		RequestID: c.id, ExtendedRequestID: c.id,
		RequestTime: c.now.UTC().Format(timeFormat), RequestTimeEpoch: c.now.UnixMilli(),
		Identity: events.APIGatewayRequestIdentity{SourceIP: c.sourceIP(), UserAgent: r.UserAgent()},
	}
}
