package inprocess

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
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
		return nil, err
	}
	reply := &reply{header: http.Header{}, done: make(chan struct{})}
	go reply.serve(t.Handler, serverRequest(request))
	select {
	case <-reply.done:
	case <-ctx.Done():
		if reply.claim() {
			return nil, context.Cause(ctx)
		}
		<-reply.done
	}
	if reply.failure != nil {
		return nil, reply.failure
	}
	reply.response.Request = request
	return &reply.response, nil
}

// RoundTrip is Do.
func (t Transport) RoundTrip(request *http.Request) (*http.Response, error) { return t.Do(request) }

// serverRequest is the request as a server would see it.
func serverRequest(request *http.Request) *http.Request {
	in := request.Clone(request.Context())
	in.RequestURI = request.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:0"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	in.Host = cmp.Or(request.Host, request.URL.Host)
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
	header http.Header // not sent yet
	body   bytes.Buffer
	// claimed says that the exchange is decided: the reply has begun, or the client has gone.
	claimed  atomic.Bool
	response http.Response
	failure  error
	done     chan struct{} // closed when response and failure are complete
}

// claim decides the exchange, unless it is decided already.
func (r *reply) claim() (won bool) { return r.claimed.CompareAndSwap(false, true) }

func (r *reply) serve(handler http.Handler, request *http.Request) {
	defer close(r.done)
	defer func() {
		if cause := recover(); cause != nil {
			r.failure = fmt.Errorf("inprocess: handler panicked: %v", cause)
		}
	}()
	defer request.Body.Close() // the server's duty
	handler.ServeHTTP(r, request)
	r.WriteHeader(http.StatusOK)
	r.response.Body, r.response.ContentLength = io.NopCloser(&r.body), int64(r.body.Len())
}

// Header returns the headers to send.
func (r *reply) Header() http.Header { return r.header }

// WriteHeader begins the reply; only the first call counts.
func (r *reply) WriteHeader(status int) {
	if r.claim() {
		r.response = http.Response{
			Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status, Header: r.header.Clone(),
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		}
	}
}

// Write adds to the body, beginning the reply with status 200 if need be.
func (r *reply) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	if r.response.StatusCode == 0 {
		return 0, errClientGone
	}
	return r.body.Write(p)
}
