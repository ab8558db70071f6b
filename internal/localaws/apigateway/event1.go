package apigateway

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// appendEvent1 writes the event of a REST API's proxy integration (payload format 1.0): single and multi-value maps side by
// side, null for what is absent, the path without the stage.
// Source: "Set up Lambda proxy integrations", API Gateway developer guide.
func appendEvent1(dst []byte, c *call, options Options) []byte {
	r := c.request
	resource, path := "/{proxy+}", c.path
	if path == "" || path == "/" {
		resource, path = "/", "/"
	}
	dst = append(dst, `{"resource":`...)
	dst = appendString(dst, resource)
	dst = appendMember(dst, "path", path)
	dst = appendMember(dst, "httpMethod", r.Method)
	dst = appendHeaders1(dst, c)
	dst = appendQuery1(dst, r.URL.RawQuery)
	if path == "/" {
		dst = append(dst, `,"pathParameters":null`...)
	} else {
		dst = append(dst, `,"pathParameters":{"proxy":`...)
		dst = append(appendString(dst, strings.TrimPrefix(path, "/")), '}')
	}
	dst = append(dst, `,"stageVariables":null`...)
	dst = appendContext1(dst, c, resource, options)
	if len(c.body) == 0 {
		return append(dst, `,"body":null,"isBase64Encoded":false}`...)
	}
	contentType := r.Header.Get("Content-Type")
	if contentType == "" {
		contentType = "application/json" // what a REST API takes it for
	}
	dst = append(dst, `,"body":`...)
	dst = appendBody(dst, c.body, !matchesBinary(contentType, options.BinaryMediaTypes))
	return append(dst, '}')
}

func appendHeaders1(dst []byte, c *call) []byte {
	dst = append(dst, `,"headers":{`...)
	c.gatewayHeaders(func(name, value string) {
		dst = append(appendString(appendComma(dst), http.CanonicalHeaderKey(name)), ':')
		dst = appendString(dst, value)
	})
	for name, values := range c.request.Header {
		if !isHopHeader(name) {
			dst = append(appendString(appendComma(dst), name), ':')
			dst = appendString(dst, values[len(values)-1])
		}
	}
	dst = append(dst, `},"multiValueHeaders":{`...)
	c.gatewayHeaders(func(name, value string) {
		dst = append(appendString(appendComma(dst), http.CanonicalHeaderKey(name)), ':')
		dst = appendList(dst, []string{value})
	})
	for name, values := range c.request.Header {
		if !isHopHeader(name) {
			dst = append(appendString(appendComma(dst), name), ':')
			dst = appendList(dst, values)
		}
	}
	return append(dst, '}')
}

func appendQuery1(dst []byte, raw string) []byte {
	values, _ := url.ParseQuery(raw) // pairs that cannot be decoded are left out
	if len(values) == 0 {
		return append(dst, `,"queryStringParameters":null,"multiValueQueryStringParameters":null`...)
	}
	dst = append(dst, `,"queryStringParameters":{`...)
	for name, list := range values {
		dst = append(appendString(appendComma(dst), name), ':')
		dst = appendString(dst, list[len(list)-1])
	}
	dst = append(dst, `},"multiValueQueryStringParameters":{`...)
	for name, list := range values {
		dst = append(appendString(appendComma(dst), name), ':')
		dst = appendList(dst, list)
	}
	return append(dst, '}')
}

func appendList(dst []byte, values []string) []byte {
	dst = append(dst, '[')
	for _, value := range values {
		dst = appendString(appendComma(dst), value)
	}
	return append(dst, ']')
}

func appendContext1(dst []byte, c *call, resource string, options Options) []byte {
	r := c.request
	dst = append(dst, `,"requestContext":{"resourceId":"local"`...)
	dst = appendMember(dst, "resourcePath", resource)
	dst = appendMember(dst, "httpMethod", r.Method)
	dst = appendMember(dst, "path", r.URL.Path)
	dst = appendMember(dst, "accountId", options.AccountID)
	dst = appendMember(dst, "protocol", r.Proto)
	dst = appendMember(dst, "stage", options.Stage)
	dst = appendMember(dst, "domainPrefix", apiID)
	dst = appendMember(dst, "domainName", r.Host)
	dst = appendMember(dst, "apiId", apiID)
	dst = appendMember(dst, "requestId", c.id)
	dst = appendMember(dst, "extendedRequestId", c.id)
	dst = append(dst, `,"requestTime":"`...)
	dst = c.now.UTC().AppendFormat(dst, timeFormat)
	dst = append(dst, `","requestTimeEpoch":`...)
	dst = strconv.AppendInt(dst, c.now.UnixMilli(), 10)
	dst = append(dst, `,"identity":{"sourceIp":`...)
	dst = appendString(dst, c.sourceIP())
	dst = appendMember(dst, "userAgent", r.UserAgent())
	return append(dst, `,"accountId":null,"apiKey":null,"caller":null,"user":null,"userArn":null}}`...)
}
