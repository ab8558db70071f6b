package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/receiver"
)

// Sender puts packs on a queue; *queue.Queue is one. A nil error means that every
// message is durable.
type Sender interface {
	Send(ctx context.Context, messages ...queue.Outgoing) error
}

// Options wire a Handler.
type Options struct {
	// Keys are the write keys. At least one.
	Keys []config.Key
	// Receivers are the protocols spoken. At least one; their paths must differ.
	Receivers []receiver.Receiver
	// Processors are run on the events of a request, in order, before they are packed.
	// What they drop is answered as if it had been taken. Default: none.
	Processors []config.Processor
	// Queue takes the events. Required.
	Queue Sender
	// DeadLetters takes refused items that the protocol cannot report. Required.
	DeadLetters Sender
	// MaxEventBytes is the size of the largest event that Queue and DeadLetters carry: with a
	// bucket it is the bucket's. Default batch.MaxEventBytes, what fits a message.
	MaxEventBytes int
	// BasePath is cut off every path, for example "/collect". Default: none.
	BasePath string
	// Limits default to receiver.DefaultLimits, and to events of MaxEventBytes.
	Limits receiver.Limits
	// RetryAfter is what a client is told when the queue is in trouble. Default 2s.
	RetryAfter time.Duration
	// Ledger counts, by receiver and tenant, what was received, accepted, refused and
	// filtered; not requests without a known key, nor those answered 503. Default: one that
	// nobody reads.
	Ledger *ledger.Ledger
	// Accepted is told the events of a request once they are durable and before the
	// client is answered; telemetry.AcceptedLog makes one. Default: nobody is told.
	Accepted func(context.Context, []event.Event)
	// Logger gets one line for each request that failed. Default: slog.Default().
	Logger *slog.Logger
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

const defaultRetryAfter = 2 * time.Second

// Handler is the way in. It is safe for concurrent use.
type Handler struct {
	options    Options
	keys       keys
	routes     routes
	processors processors
}

var _ http.Handler = (*Handler)(nil)

// New checks the options and returns the handler. The error names every problem.
func New(options Options) (*Handler, error) {
	options.setDefaults()
	h := &Handler{options: options}
	var errKeys, errRoutes, errProcessors error
	h.keys, errKeys = newKeys(options.Keys)
	h.routes, errRoutes = newRoutes(options.Receivers, options.BasePath)
	h.processors, errProcessors = newProcessors(options.Processors)
	if err := errors.Join(options.missing(), errKeys, errRoutes, errProcessors); err != nil {
		return nil, fmt.Errorf("ingest options: %w", err)
	}
	return h, nil
}

func (o *Options) setDefaults() {
	if o.MaxEventBytes == 0 {
		o.MaxEventBytes = batch.MaxEventBytes
	}
	if o.Limits == (receiver.Limits{}) {
		o.Limits = receiver.DefaultLimits()
		o.Limits.EventBytes = o.MaxEventBytes
	}
	o.Limits.EventBytes = min(o.Limits.EventBytes, o.MaxEventBytes)
	if o.RetryAfter == 0 {
		o.RetryAfter = defaultRetryAfter
	}
	if o.Ledger == nil {
		o.Ledger = ledger.New()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

func (o *Options) missing() error {
	if o.Queue == nil || o.DeadLetters == nil {
		return errors.New("a queue for events and one for dead letters are required")
	}
	return nil
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	allowOrigin(w, r)
	if r.Method == http.MethodOptions {
		preflight(w, r)
		return
	}
	route, match := h.routes.find(r.Method, r.URL.Path)
	switch {
	case match != matched:
		h.routes.refuse(w, r, match)
	case route.Stub != nil:
		route.Stub(w, r)
	default:
		h.ingest(w, r, route)
	}
}

// ingest takes the events of one request.
func (h *Handler) ingest(w http.ResponseWriter, r *http.Request, route *route) {
	req := &receiver.Request{
		Method: r.Method, Path: route.Path, Query: r.URL.Query(), Header: r.Header,
		Now: h.options.Now(), Limits: h.options.Limits,
	}
	decoded, failure := h.accept(r, req, route)
	if failure != nil {
		h.log(r.Context(), route, failure)
	}
	route.receiver.Reply(w, req, receiver.Answer{Decoded: decoded, Err: asReceiverError(failure)})
}

// accept makes the events of a request durable.
func (h *Handler) accept(r *http.Request, req *receiver.Request, route *route) (receiver.Decoded, error) {
	var err error
	if req.Body, err = readBody(r, h.options.Limits); err != nil {
		return receiver.Decoded{}, err
	}
	if req.Body, err = receiver.Body(req.Body, r.Header, route.Encodings, h.options.Limits); err != nil {
		return receiver.Decoded{}, err
	}
	decoded, err := route.receiver.Decode(req)
	if err != nil {
		return decoded, err
	}
	key, err := h.keys.find(decoded.Key, route.receiver.Name())
	if err != nil {
		return decoded, err
	}
	decoded = h.own(decoded, key, route.receiver.Name())
	s := shipment{
		decoded: &decoded, key: key, receiver: route.receiver.Name(), now: req.Now,
		trace: traceparent(r.Header),
	}
	s.events, s.dropped = h.processors.run(decoded.Events)
	if err := h.send(r.Context(), &s); err != nil {
		return decoded, err
	}
	h.record(&s)
	h.warnUnreadable(r.Context(), &s)
	if h.options.Accepted != nil {
		h.options.Accepted(r.Context(), s.events)
	}
	return decoded, nil
}

// record enters a request into the books.
func (h *Handler) record(s *shipment) {
	line := func(counter ledger.Counter, class string, n int) {
		h.options.Ledger.Add(ledger.Key{Counter: counter, Receiver: s.receiver, Tenant: s.key.tenant, Class: class}, n)
	}
	line(ledger.Received, "", len(s.decoded.Events)+len(s.decoded.Refused))
	line(ledger.Accepted, "", len(s.events))
	line(ledger.Refused, "", len(s.decoded.Refused))
	for why, n := range s.dropped {
		line(ledger.Filtered, string(why), n)
	}
}

// asReceiverError gives a failure the form that receivers can word. What is not theirs
// is trouble of our own.
func asReceiverError(err error) *receiver.Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*receiver.Error](err); ok {
		return e
	}
	return receiver.Unavailable(defaultRetryAfter, "internal error: try again")
}

// log writes the one line of a failed request. It never holds a key or an event.
func (h *Handler) log(ctx context.Context, route *route, failure error) {
	status := asReceiverError(failure).Status
	level := slog.LevelWarn
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	h.options.Logger.LogAttrs(ctx, level, "request failed",
		slog.String("receiver", route.receiver.Name()), slog.String("path", route.Path),
		slog.Int("status", status), slog.String("error", failure.Error()))
}
