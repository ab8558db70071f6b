package inprocess

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// errClientGone is what a handler gets that writes a reply nobody waits for.
var errClientGone = errors.New("inprocess: client has gone")

// Transport calls Handler for every request. It has the Do method of aws.HTTPClient and is also an http.RoundTripper.
// It is safe for concurrent use if Handler is.
type Transport struct {
	// Handler answers the requests. Required.
	Handler http.Handler
}

var _ http.RoundTripper = Transport{}

// Do calls the handler and returns its reply. When the request's context ends before the handler began its
// reply, Do returns the context's error at once; a reply that was begun is always delivered, so that handler and
// client agree on who has it. A panic of the handler is an error, as a broken connection would be.
func (t Transport) Do(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("inprocess %s %s: %w", request.Method, request.URL.Path, err)
	}
	reply := &reply{header: make(http.Header), done: make(chan struct{})}
	go reply.run(t.Handler, serverRequest(request))
	select {
	case <-reply.done:
	case <-ctx.Done():
		if reply.abandon() {
			return nil, fmt.Errorf("inprocess %s %s: %w", request.Method, request.URL.Path, context.Cause(ctx))
		}
		<-reply.done
	}
	if reply.panicked != nil {
		return nil, fmt.Errorf("inprocess %s %s: handler panicked: %v", request.Method, request.URL.Path, reply.panicked)
	}
	return reply.response(request), nil
}

// RoundTrip is Do.
func (t Transport) RoundTrip(request *http.Request) (*http.Response, error) { return t.Do(request) }

// serverRequest is the request as a server would see it.
func serverRequest(request *http.Request) *http.Request {
	in := request.Clone(request.Context())
	in.RequestURI = request.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:0"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	if in.Host == "" {
		in.Host = request.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if in.Header == nil {
		in.Header = http.Header{}
	}
	return in
}

// reply is the handler's side of one exchange, an http.ResponseWriter.
type reply struct {
	header   http.Header
	done     chan struct{}
	panicked any

	mu     sync.Mutex
	status int
	sent   http.Header
	body   bytes.Buffer
	gone   bool
}

func (r *reply) run(handler http.Handler, request *http.Request) {
	defer close(r.done)
	defer func() { r.panicked = recover() }()
	defer func() { _ = request.Body.Close() }() // the server's duty; there is nobody to tell
	handler.ServeHTTP(r, request)
}

// abandon gives the exchange up, unless the reply has begun.
func (r *reply) abandon() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = r.status == 0
	return r.gone
}

// Header returns the headers to send.
func (r *reply) Header() http.Header { return r.header }

// WriteHeader begins the reply; only the first call counts.
func (r *reply) WriteHeader(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begin(status)
}

func (r *reply) begin(status int) {
	if r.status != 0 || r.gone {
		return
	}
	r.status = status
	r.sent = r.header.Clone()
}

// Write adds to the body, beginning the reply with status 200 if need be.
func (r *reply) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begin(http.StatusOK)
	if r.gone {
		return 0, errClientGone
	}
	return r.body.Write(p)
}

// response is the finished reply as a client would see it.
func (r *reply) response(request *http.Request) *http.Response {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begin(http.StatusOK)
	return &http.Response{
		Status: fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)), StatusCode: r.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.sent, Body: io.NopCloser(&r.body), ContentLength: int64(r.body.Len()), Request: request,
	}
}
