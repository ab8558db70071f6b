// Package lambdahttp lets an http.Handler answer the events that API Gateway and
// function URLs send to a Lambda function.
//
// Three shapes are understood:
//
//	shape          recognised by           body of the reply
//	REST API       httpMethod              multiValueHeaders
//	HTTP API 1.0   httpMethod, version 1.0 multiValueHeaders
//	HTTP API 2.0   requestContext.http     headers, cookies
//	function URL   requestContext.http     headers, cookies
//
// The raw payload is scanned once, because decoding the event structs of aws-lambda-go
// costs more than all that ingest does with the request. A body is decoded from base64
// if isBase64Encoded says so and never for another reason. The stage's name is cut off
// a path that has it.
//
// Source: AWS Lambda Developer Guide, "Working with Lambda proxy integrations for HTTP
// APIs" and "Invoking Lambda function URLs"; API Gateway Developer Guide, "Lambda proxy
// integrations".
package lambdahttp
