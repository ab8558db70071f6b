package apigateway

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

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

// Limits of API Gateway. Source: "Quotas" in the API Gateway developer guide (2026-09).
const (
	// MaxRequestBytes bounds the body of a request.
	MaxRequestBytes = 10 << 20
	// RESTTimeout, HTTPTimeout and URLTimeout bound the wait for the function's reply.
	RESTTimeout = 29 * time.Second
	HTTPTimeout = 30 * time.Second
	URLTimeout  = 15 * time.Minute
)

// DefaultStage is the REST API's stage, the first segment of every path.
const DefaultStage = "prod"

// InvokeFunc invokes the function behind the door. It must not change the payload nor expect it to change.
type InvokeFunc func(ctx context.Context, payload []byte) (lambda.Result, error)

// Options configure a Gateway. The zero value is an HTTP API.
type Options struct {
	// Shape is the kind of front door; default ShapeHTTP.
	Shape Shape
	// Stage is the REST API's stage; default "prod". The other shapes have none.
	Stage string
	// BinaryMediaTypes are the REST API's: exact types, "image/*" or "*/*". Default */*, which makes every body base64.
	BinaryMediaTypes []string
	// Timeout bounds the wait for the reply; default that of the shape.
	Timeout time.Duration
	// Rate and Burst are the throttling of the stage: requests a second, and how many at once. Default: no limit here, although
	// AWS has one for each account and region, 10,000 and 5,000.
	Rate  float64
	Burst int
	// AccountID appears in the events; default "000000000000".
	AccountID string
	// AccessLog gets one line for each request. Default: nothing.
	AccessLog *slog.Logger
}

func (o Options) withDefaults() Options {
	timeouts := map[Shape]time.Duration{ShapeHTTP: HTTPTimeout, ShapeREST: RESTTimeout, ShapeURL: URLTimeout}
	o.Shape = cmp.Or(o.Shape, ShapeHTTP)
	o.Stage = cmp.Or(o.Stage, DefaultStage)
	if o.BinaryMediaTypes == nil {
		o.BinaryMediaTypes = []string{"*/*"}
	}
	o.Timeout = cmp.Or(o.Timeout, timeouts[o.Shape])
	o.Rate = cmp.Or(o.Rate, float64(rate.Inf))
	o.AccountID = cmp.Or(o.AccountID, "000000000000")
	return o
}

// Gateway is the front door of one function. It is safe for concurrent use.
type Gateway struct {
	options Options
	invoke  InvokeFunc
	encode  func(c *call, options Options) ([]byte, error)
	decode  func(result lambda.Result, r *http.Request, options Options) (reply, error)
	limit   *rate.Limiter
	bodies  sync.Pool // of *bytes.Buffer

	refusals [troubles]refusal
}

var _ http.Handler = (*Gateway)(nil)

// New returns a front door, or an error when the shape is unknown.
func New(invoke InvokeFunc, options Options) (*Gateway, error) {
	options = options.withDefaults()
	g := &Gateway{
		options: options, invoke: invoke, encode: encode2, decode: decodeReply2, refusals: refusalsOf(options.Shape),
		limit: rate.NewLimiter(rate.Limit(options.Rate), options.Burst),
	}
	switch options.Shape {
	case ShapeHTTP, ShapeURL:
	case ShapeREST:
		g.encode, g.decode = encode1, decodeReply1
	default:
		return nil, fmt.Errorf("front door: unknown shape %q; known are %s, %s and %s", options.Shape, ShapeHTTP, ShapeREST, ShapeURL)
	}
	return g, nil
}

// Prefix is what every path begins with: "/prod" for a REST API, nothing for the others.
func (g *Gateway) Prefix() string {
	if g.options.Shape == ShapeREST {
		return "/" + g.options.Stage
	}
	return ""
}

// ServeHTTP carries one request to the function and its reply back.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	requestID := newRequestID(g.options.Shape)
	answer := g.answer(r, requestID, begin)
	header := w.Header()
	if g.options.Shape == ShapeHTTP {
		header["Apigw-Requestid"] = []string{requestID}
	} else {
		header["X-Amzn-Requestid"] = []string{requestID}
	}
	answer.write(w)
	if log := g.options.AccessLog; log != nil {
		log.LogAttrs(r.Context(), slog.LevelInfo, "request",
			slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", answer.status),
			slog.Int("bytes", len(answer.body)), slog.Duration("duration", time.Since(begin)), slog.String("request_id", requestID))
	}
}

// answer finds the reply to a request: the function's, or one of the gateway's own.
func (g *Gateway) answer(r *http.Request, requestID string, now time.Time) reply {
	path, found := strings.CutPrefix(r.URL.Path, g.Prefix())
	if !found || path != "" && path[0] != '/' {
		return g.refuse(noStage)
	}
	if !g.limit.Allow() {
		return g.refuse(tooMany)
	}
	body, pooled := g.bodies.Get().(*bytes.Buffer)
	if !pooled {
		body = new(bytes.Buffer)
	}
	defer g.bodies.Put(body)
	if err := readBody(r, body); errors.Is(err, errTooLong) {
		return g.refuse(tooLong)
	} else if err != nil {
		return g.refuse(badBody)
	}
	c := &call{request: r, path: path, body: body.Bytes(), id: requestID, now: now}
	event, err := g.encode(c, g.options)
	if err != nil {
		return g.refuse(badBody)
	}
	ctx, cancel := context.WithTimeout(r.Context(), g.options.Timeout)
	defer cancel()
	result, err := g.invoke(ctx, event)
	if err != nil {
		return g.refuse(troubleOf(err))
	}
	if result.Failed() {
		return g.refuse(failed)
	}
	decoded, err := g.decode(result, r, g.options)
	if err != nil {
		return g.refuse(failed)
	}
	return decoded
}

var errTooLong = errors.New("request too long")

// readBody fills buffer with the request's body. Its errors are errTooLong and the connection's.
func readBody(r *http.Request, buffer *bytes.Buffer) error {
	buffer.Reset()
	if r.ContentLength > MaxRequestBytes {
		return errTooLong
	}
	if r.ContentLength > 0 {
		buffer.Grow(int(r.ContentLength) + bytes.MinRead) // so that ReadFrom needs no second look
	}
	n, err := buffer.ReadFrom(io.LimitReader(r.Body, MaxRequestBytes+1))
	if err == nil && n > MaxRequestBytes {
		return errTooLong
	}
	return err
}
