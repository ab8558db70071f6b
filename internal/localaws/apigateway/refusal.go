package apigateway

import (
	"context"
	"errors"
	"net/http"

	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

// trouble is a reason why a request gets no reply of the function's.
type trouble int

const (
	noStage    trouble = iota // the path is not of the API
	badBody                   // the body broke off
	tooLong                   // more than the gateway or Lambda takes
	tooMany                   // over the rate limit of the stage
	busy                      // the function is throttled
	failed                    // the function failed, or its reply is not of the proxy shape
	late                      // no reply in time
	notInvoked                // the function cannot be invoked at all
	troubles   = iota
)

const (
	restInternal    = `{"message":"Internal server error"}`
	httpInternal    = `{"message":"Internal Server Error"}`
	httpUnavailable = `{"message":"Service Unavailable"}`
	urlInternal     = `Internal Server Error`
)

// refusal is the answer to a trouble.
type refusal struct {
	status    int
	body      string
	errorType string // X-Amzn-Errortype, of REST APIs only
}

// refusalsOf returns what a shape answers. Sources: "Gateway response types for API Gateway" for REST APIs, with the 500 of a
// throttled function, which AWS support confirms; "Troubleshooting issues with HTTP API Lambda integrations"; for function URLs
// "Lambda function URLs" and what they were seen to answer.
func refusalsOf(shape Shape) [troubles]refusal {
	switch shape {
	case ShapeREST:
		return [troubles]refusal{
			noStage:    {http.StatusForbidden, `{"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException"},
			badBody:    {http.StatusBadRequest, `{"message":"Bad Request"}`, "BadRequestException"},
			tooLong:    {http.StatusRequestEntityTooLarge, `{"message":"Request Too Long"}`, "RequestTooLargeException"},
			tooMany:    {http.StatusTooManyRequests, `{"message":"Too Many Requests"}`, "TooManyRequestsException"},
			busy:       {http.StatusInternalServerError, restInternal, "InternalServerErrorException"},
			failed:     {http.StatusBadGateway, restInternal, "InternalServerErrorException"},
			late:       {http.StatusGatewayTimeout, `{"message":"Endpoint request timed out"}`, "InternalServerErrorException"},
			notInvoked: {http.StatusInternalServerError, restInternal, "InternalServerErrorException"},
		}
	case ShapeHTTP:
		return [troubles]refusal{
			noStage:    {http.StatusNotFound, `{"message":"Not Found"}`, ""},
			badBody:    {http.StatusBadRequest, `{"message":"Bad Request"}`, ""},
			tooLong:    {http.StatusRequestEntityTooLarge, `{"message":"Request Entity Too Large"}`, ""},
			tooMany:    {http.StatusTooManyRequests, `{"message":"Too Many Requests"}`, ""},
			busy:       {http.StatusServiceUnavailable, httpUnavailable, ""},
			failed:     {http.StatusInternalServerError, httpInternal, ""},
			late:       {http.StatusServiceUnavailable, httpUnavailable, ""},
			notInvoked: {http.StatusServiceUnavailable, httpUnavailable, ""},
		}
	default:
		return [troubles]refusal{
			noStage:    {http.StatusForbidden, `{"Message":"Forbidden"}`, ""},
			badBody:    {http.StatusBadRequest, `{"Message":"Bad Request"}`, ""},
			tooLong:    {http.StatusRequestEntityTooLarge, `{"Message":"Request Entity Too Large"}`, ""},
			tooMany:    {http.StatusTooManyRequests, `{"Message":"Rate Exceeded."}`, ""},
			busy:       {http.StatusTooManyRequests, `{"Message":"Rate Exceeded."}`, ""},
			failed:     {http.StatusBadGateway, urlInternal, ""},
			late:       {http.StatusBadGateway, urlInternal, ""},
			notInvoked: {http.StatusBadGateway, urlInternal, ""},
		}
	}
}

func (g *Gateway) refuse(t trouble) reply {
	refused := g.refusals[t]
	header := http.Header{"Content-Type": {"application/json"}}
	if refused.errorType != "" {
		header.Set("X-Amzn-ErrorType", refused.errorType)
	}
	return reply{status: refused.status, header: header, body: []byte(refused.body)}
}

// troubleOf classifies why the function did not run or was not waited for.
func troubleOf(err error) trouble {
	switch {
	case lambda.IsTooLarge(err):
		return tooLong
	case lambda.IsThrottled(err):
		return busy
	case errors.Is(err, context.DeadlineExceeded):
		return late
	default: // shutting down, unknown function, or a client that went away and sees none of this
		return notInvoked
	}
}
