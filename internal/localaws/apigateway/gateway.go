package apigateway

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/uuid/v5"
	"golang.org/x/time/rate"

	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

// MaxRequestBytes bounds the body of a request. Source: "Quotas" in the API Gateway developer guide (2026-09).
const MaxRequestBytes = 10 << 20

// InvokeFunc invokes the function behind the door. It must not change the payload nor expect it to change.
type InvokeFunc func(ctx context.Context, payload []byte) (lambda.Result, error)

// Options configure a Gateway. The zero value is an HTTP API.
type Options struct {
	// Shape is the kind of front door; default ShapeHTTP.
	Shape Shape
	// Stage is the REST API's stage, the first segment of every path; default "prod". The other shapes have none.
	Stage string
	// Rate and Burst are the throttling of the stage: requests a second, and how many at once. Default: no limit here, although
	// AWS has one for each account and region, 10,000 and 5,000.
	Rate  float64
	Burst int
	// AccessLog gets one line for each request. Default: nothing.
	AccessLog *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Shape = cmp.Or(o.Shape, ShapeHTTP)
	o.Stage = cmp.Or(o.Stage, "prod")
	o.AccessLog = cmp.Or(o.AccessLog, slog.New(slog.DiscardHandler))
	return o
}

// Gateway is the front door of one function. It is safe for concurrent use.
type Gateway struct {
	door

	invoke InvokeFunc
	limit  *rate.Limiter
	log    *slog.Logger
	bodies sync.Pool // of *bytes.Buffer: new memory for each body costs a tenth of a call's time
}

var _ http.Handler = (*Gateway)(nil)

// New returns a front door, or an error when the shape is unknown.
func New(invoke InvokeFunc, options Options) (*Gateway, error) {
	options = options.withDefaults()
	opened, err := doorOf(options)
	if err != nil {
		return nil, err
	}
	limit := cmp.Or(rate.Limit(options.Rate), rate.Inf)
	return &Gateway{
		door: opened, invoke: invoke, limit: rate.NewLimiter(limit, options.Burst), log: options.AccessLog,
		bodies: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}, nil
}

// Prefix is what every path begins with: "/prod" for a REST API, nothing for the others.
func (g *Gateway) Prefix() string { return g.prefix }

// ServeHTTP carries one request to the function and its reply back.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{Request: r, id: uuid.Must(uuid.NewV4()).String(), begin: time.Now()}
	answer := g.answer(w, c)
	w.Header().Set(g.requestID, c.id)
	answer.write(w)
	g.log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", answer.status),
		slog.Int("bytes", len(answer.body)), slog.Duration("duration", time.Since(c.begin)), slog.String("request_id", c.id))
}

// answer finds the reply to a call: the function's, or one of the gateway's own.
func (g *Gateway) answer(w http.ResponseWriter, c *call) reply {
	path, within := strings.CutPrefix(c.URL.Path, g.prefix)
	if !within || path != "" && path[0] != '/' {
		return g.refuse(noStage)
	}
	if !g.limit.Allow() {
		return g.refuse(tooMany)
	}
	c.path = cmp.Or(path, "/")
	var err error
	if c.body, err = g.readBody(w, c.Request); err != nil {
		return g.refuse(troubleOf(err, badBody))
	}
	event, err := marshal(g.encode(c))
	if err != nil {
		return g.refuse(badBody)
	}
	ctx, cancel := context.WithTimeout(c.Context(), g.timeout)
	defer cancel()
	result, err := g.invoke(ctx, event)
	if err != nil {
		return g.refuse(troubleOf(err, notInvoked))
	}
	decoded, err := g.decode(result.Payload)
	if err != nil || result.Failed() {
		return g.refuse(failed)
	}
	return decoded
}

// readBody returns the body of a request, unless it is too long or breaks off.
func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request) (string, error) {
	if r.ContentLength > MaxRequestBytes {
		return "", &http.MaxBytesError{Limit: MaxRequestBytes} // before the client sends it all
	}
	body, _ := g.bodies.Get().(*bytes.Buffer)
	defer g.bodies.Put(body)
	body.Reset()
	body.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead) // so that ReadFrom needs no second look
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, MaxRequestBytes))
	return body.String(), err
}
