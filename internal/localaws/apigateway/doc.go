// Package apigateway is the HTTP front door: it turns any request into the event of a Lambda proxy integration, invokes one
// function and turns the reply back into an HTTP response.
//
//	shape         event        path in it            body in base64
//	ShapeHTTP     format 2.0   decoded               unless text/*, application/json, application/xml or application/javascript
//	                                                 without a Content-Encoding
//	ShapeREST     format 1.0   decoded, no stage     always: its binary media types are */*
//	ShapeURL      format 2.0   as sent               as ShapeHTTP
//
// The first rule is not in AWS's documentation; it was observed by others against AWS (a form or a missing Content-Type is base64).
//
// # Errors
//
//	                                                  REST   HTTP   URL
//	the path is not below the stage                    403
//	the request is over 10 MB, or the event over 6 MB  413    413   413
//	over the rate of the stage                         429    429
//	the function's concurrency is used up              500    503   429
//	the function failed, or its reply makes no sense   502    500   502
//	no reply in time (29 s, 30 s, 15 min)              504    503   502
//	the function cannot be invoked                     500    503   502
//
// The bodies are AWS's, too: see doorOf. What a function URL says besides 429 is not documented.
//
// # Not emulated
//
// The members of a REST event's identity that are null without a credential are absent here. A reply must be what AWS's struct for Go
// describes, or JSON without a statusCode in format 2.0; numbers for texts, which AWS forgives, are a failure of the function here.
//
// Routes and methods (everything goes to the one function), other binary media types, authorizers, API keys, usage plans, CORS
// configuration, mapping templates, response streaming and WebSocket APIs.
package apigateway
