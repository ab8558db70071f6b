package apigateway

import (
	"net/url"
	"strconv"
	"strings"
)

// timeFormat is the Common Log Format's, which AWS uses for the request time.
const timeFormat = "02/Jan/2006:15:04:05 -0700"

// appendEvent2 writes the event of payload format 2.0: header names in lower case, repeated headers and query parameters
// joined with commas, cookies apart. What is absent is left out.
// Source: "Lambda proxy integrations for HTTP APIs", API Gateway developer guide; "Function URL request payload", Lambda developer guide.
func appendEvent2(dst []byte, c *call, options Options) []byte {
	r := c.request
	path := c.path
	if options.Shape == ShapeURL {
		path = r.URL.EscapedPath()
	}
	if path == "" {
		path = "/"
	}
	dst = append(dst, `{"version":"2.0","routeKey":"$default"`...)
	dst = appendMember(dst, "rawPath", path)
	dst = appendMember(dst, "rawQueryString", r.URL.RawQuery)
	dst = appendCookies(dst, r.Header["Cookie"])
	dst = appendHeaders2(dst, c)
	dst = appendQuery2(dst, r.URL.RawQuery)
	dst = appendContext2(dst, c, path, options)
	if len(c.body) == 0 {
		return append(dst, `,"isBase64Encoded":false}`...)
	}
	dst = append(dst, `,"body":`...)
	dst = appendBody(dst, c.body, isText(r.Header))
	return append(dst, '}')
}

func appendCookies(dst []byte, lines []string) []byte {
	if len(lines) == 0 {
		return dst
	}
	dst = append(dst, `,"cookies":[`...)
	for _, line := range lines {
		for cookie := range strings.SplitSeq(line, ";") {
			if cookie = strings.TrimSpace(cookie); cookie != "" {
				dst = appendString(appendComma(dst), cookie)
			}
		}
	}
	return append(dst, ']')
}

func appendHeaders2(dst []byte, c *call) []byte {
	dst = append(dst, `,"headers":{`...)
	c.gatewayHeaders(func(name, value string) {
		dst = append(appendString(appendComma(dst), name), ':')
		dst = appendString(dst, value)
	})
	for name, values := range c.request.Header {
		if isHopHeader(name) || name == "Cookie" {
			continue
		}
		dst = append(appendComma(dst), '"')
		for i := range len(name) { // a header name is a token: nothing in it needs escapes
			dst = append(dst, lower(name[i]))
		}
		dst = append(dst, '"', ':')
		dst = appendJoined(dst, values)
	}
	return append(dst, '}')
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

func appendJoined(dst []byte, values []string) []byte {
	if len(values) == 1 {
		return appendString(dst, values[0])
	}
	return appendString(dst, strings.Join(values, ","))
}

func appendQuery2(dst []byte, raw string) []byte {
	if raw == "" {
		return dst
	}
	values, _ := url.ParseQuery(raw) // pairs that cannot be decoded are left out
	if len(values) == 0 {
		return dst
	}
	dst = append(dst, `,"queryStringParameters":{`...)
	for name, list := range values {
		dst = append(appendString(appendComma(dst), name), ':')
		dst = appendJoined(dst, list)
	}
	return append(dst, '}')
}

func appendContext2(dst []byte, c *call, path string, options Options) []byte {
	r := c.request
	account, domain, prefix := options.AccountID, r.Host, apiID
	if options.Shape == ShapeURL {
		account = "anonymous" // a function URL without IAM authentication
	}
	dst = append(dst, `,"requestContext":{"routeKey":"$default","stage":"$default"`...)
	dst = appendMember(dst, "accountId", account)
	dst = appendMember(dst, "apiId", apiID)
	dst = appendMember(dst, "domainName", domain)
	dst = appendMember(dst, "domainPrefix", prefix)
	dst = append(dst, `,"http":{"method":`...)
	dst = appendString(dst, r.Method)
	dst = appendMember(dst, "path", path)
	dst = appendMember(dst, "protocol", r.Proto)
	dst = appendMember(dst, "sourceIp", c.sourceIP())
	dst = appendMember(dst, "userAgent", r.UserAgent())
	dst = append(dst, '}')
	dst = appendMember(dst, "requestId", c.id)
	dst = append(dst, `,"time":"`...)
	dst = c.now.UTC().AppendFormat(dst, timeFormat)
	dst = append(dst, `","timeEpoch":`...)
	dst = strconv.AppendInt(dst, c.now.UnixMilli(), 10)
	return append(dst, '}')
}
