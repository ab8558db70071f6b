// Package apigateway is the HTTP front door: it turns any request into the event of a Lambda proxy integration, invokes one
// function and turns the reply back into an HTTP response.
//
//	shape         event        path in it            body in base64
//	ShapeHTTP     format 2.0   decoded               unless text/*, application/json, application/xml or application/javascript
//	                                                 without a Content-Encoding
//	ShapeREST     format 1.0   decoded, no stage     when the Content-Type matches BinaryMediaTypes (default */*: always)
//	ShapeURL      format 2.0   as sent               as ShapeHTTP
//
// The first rule is not in AWS's documentation; it was observed by others against AWS (a form or a missing Content-Type is base64).
//
// # Errors
//
//	413  the request is over 10 MB, or its event over Lambda's 6 MB
//	429  the function is throttled
//	502  the function failed, or a REST reply is not of the proxy shape
//	503  the function cannot be invoked at all
//	504  no reply within the integration timeout (29 s REST, 30 s HTTP)
//
// These are the REST API's codes for every shape; AWS's HTTP API says 500 and 503 where this package says 502 and 504.
//
// # Not emulated
//
// Routes and methods (everything goes to the one function), authorizers, API keys, usage plans, CORS configuration, mapping
// templates, response streaming and WebSocket APIs.
package apigateway
