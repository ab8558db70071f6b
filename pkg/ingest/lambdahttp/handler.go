package lambdahttp

import (
	"context"
	"net/http"
	"time"
)

// Handler answers Lambda invocations with an http.Handler. It has the method of
// lambda.Handler of aws-lambda-go and is safe for concurrent use.
type Handler struct {
	// HTTP answers the requests. Required.
	HTTP http.Handler
	// Report runs at the end of each invocation, to write out its metrics. May be nil.
	Report func(ctx context.Context)
}

// Invoke answers one event. The context given to the http.Handler ends a little before
// the invocation does, so that it can still say 503.
//
// The error is for payloads that are not HTTP events, which no client can cause.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var e envelope
	if err := e.scan(payload); err != nil {
		return nil, err
	}
	if h.Report != nil {
		defer h.Report(ctx)
	}
	ctx, cancel := withMargin(ctx, time.Now())
	defer cancel()
	r, err := e.request(ctx)
	if err != nil {
		return appendReply(nil, e.shape, badRequest(err)), nil
	}
	w := &response{header: make(http.Header)}
	h.HTTP.ServeHTTP(w, r)
	return appendReply(nil, e.shape, w), nil
}

// maxMargin is what is kept of an invocation's time for the reply.
const maxMargin = 500 * time.Millisecond

// withMargin ends the context before the invocation's deadline: by maxMargin, or a
// tenth of what is left when that is little.
func withMargin(ctx context.Context, now time.Time) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	margin := min(maxMargin, deadline.Sub(now)/10) //nolint:mnd // a tenth
	return context.WithDeadline(ctx, deadline.Add(-margin))
}

// badRequest answers an event whose body cannot be decoded.
func badRequest(err error) *response {
	w := &response{header: make(http.Header)}
	http.Error(w, err.Error(), http.StatusBadRequest)
	return w
}
