package apigateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/account"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

// Shape is the kind of front door.
type Shape string

// The shapes. The zero value means ShapeHTTP.
const (
	// ShapeHTTP is an HTTP API with payload format 2.0 and the $default stage.
	ShapeHTTP Shape = "http"
	// ShapeREST is a REST API with a Lambda proxy integration at /{proxy+}; every path begins with the stage.
	ShapeREST Shape = "rest"
	// ShapeURL is a Lambda function URL.
	ShapeURL Shape = "url"
)

// door is everything that tells one shape from another.
type door struct {
	prefix    string                              // of every path
	timeout   time.Duration                       // of the wait for the function's reply, by API Gateway's quotas
	requestID string                              // the header that tells the client the request's id
	encode    func(c *call) object                // the request as an event
	decode    func(payload []byte) (reply, error) // what the function says to it
	refusals  map[trouble]refusal                 // what is not listed is answered as notInvoked
}

// doorOf builds the door of a shape. Sources of the refusals: "Gateway response types for API Gateway" for REST APIs, with the 500 of a
// throttled function, which AWS support confirms; "Troubleshooting issues with HTTP API Lambda integrations"; for function URLs
// "Lambda function URLs" and what they were seen to answer.
func doorOf(o Options) (door, error) {
	switch o.Shape {
	case ShapeREST:
		return door{
			prefix: "/" + o.Stage, timeout: 29 * time.Second, requestID: "X-Amzn-Requestid",
			encode: func(c *call) object { return c.event1(o.Stage) }, decode: decode1,
			refusals: map[trouble]refusal{
				noStage:    {403, `{"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException"},
				badBody:    {400, `{"message":"Bad Request"}`, "BadRequestException"},
				tooLong:    {413, `{"message":"Request Too Long"}`, "RequestTooLargeException"},
				tooMany:    {429, `{"message":"Too Many Requests"}`, "TooManyRequestsException"},
				failed:     {502, `{"message":"Internal server error"}`, "InternalServerErrorException"},
				late:       {504, `{"message":"Endpoint request timed out"}`, "InternalServerErrorException"},
				notInvoked: {500, `{"message":"Internal server error"}`, "InternalServerErrorException"},
			},
		}, nil
	case ShapeHTTP:
		return door{
			timeout: 30 * time.Second, requestID: "Apigw-Requestid",
			encode: func(c *call) object { return c.event2(c.path, account.ID) }, decode: decode2,
			refusals: map[trouble]refusal{
				badBody:    {400, `{"message":"Bad Request"}`, ""},
				tooLong:    {413, `{"message":"Request Entity Too Large"}`, ""},
				tooMany:    {429, `{"message":"Too Many Requests"}`, ""},
				failed:     {500, `{"message":"Internal Server Error"}`, ""},
				notInvoked: {503, `{"message":"Service Unavailable"}`, ""},
			},
		}, nil
	case ShapeURL:
		return door{
			timeout: 15 * time.Minute, requestID: "X-Amzn-Requestid",
			encode: func(c *call) object { return c.event2(c.URL.EscapedPath(), "anonymous") }, decode: decode2,
			refusals: map[trouble]refusal{
				badBody:    {400, `{"Message":"Bad Request"}`, ""},
				tooLong:    {413, `{"Message":"Request Entity Too Large"}`, ""},
				tooMany:    {429, `{"Message":"Rate Exceeded."}`, ""},
				busy:       {429, `{"Message":"Rate Exceeded."}`, ""},
				notInvoked: {502, "Internal Server Error", ""},
			},
		}, nil
	default:
		return door{}, fmt.Errorf("front door: unknown shape %q; known are %s, %s and %s", o.Shape, ShapeHTTP, ShapeREST, ShapeURL)
	}
}

// trouble is a reason why a request gets no reply of the function's.
type trouble int

const (
	notInvoked trouble = iota // the function cannot be invoked at all
	noStage                   // the path is not of the API
	badBody                   // the body broke off
	tooLong                   // more than the gateway or Lambda takes
	tooMany                   // over the rate limit of the stage
	busy                      // the function is throttled
	failed                    // the function failed, or its reply is not of the proxy shape
	late                      // no reply in time
)

// refusal is the answer to a trouble.
type refusal struct {
	status    int
	body      string
	errorType string // X-Amzn-Errortype, of REST APIs only
}

func (d *door) refuse(t trouble) reply {
	refused, listed := d.refusals[t]
	if !listed {
		refused = d.refusals[notInvoked]
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if refused.errorType != "" {
		header.Set("X-Amzn-ErrorType", refused.errorType)
	}
	return reply{status: refused.status, header: header, body: []byte(refused.body)}
}

// troubleOf classifies an error that came between a request and its reply; it is otherwise when nothing more is known.
func troubleOf(err error, otherwise trouble) trouble {
	if _, isLimit := errors.AsType[*http.MaxBytesError](err); isLimit || lambda.IsTooLarge(err) {
		return tooLong
	}
	switch {
	case lambda.IsThrottled(err):
		return busy
	case errors.Is(err, context.DeadlineExceeded):
		return late
	default:
		return otherwise
	}
}
