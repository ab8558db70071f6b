package inprocess

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// Transport calls Handler for every request. It has the Do method of aws.HTTPClient.
// It is safe for concurrent use if Handler is.
type Transport struct {
	// Handler answers the requests. Required.
	Handler http.Handler
}

// Do calls the handler and returns its reply. When the request's context ends before the handler began its
// reply, Do returns the context's error at once; a reply that was begun is always delivered, so that handler and
// client agree on who has it. A panic of the handler is an error, as a broken connection would be.
func (t Transport) Do(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	reply := &reply{request: request, header: http.Header{}, done: make(chan struct{})}
	go reply.serve(t.Handler, serverRequest(request))
	select {
	case <-reply.done:
	case <-ctx.Done():
		if reply.claim() {
			return nil, context.Cause(ctx)
		}
		<-reply.done
	}
	return reply.response, reply.failure
}

// serverRequest is the request as a server would see it, as far as services look.
func serverRequest(request *http.Request) *http.Request {
	in := request.Clone(request.Context())
	in.RequestURI = request.URL.RequestURI()
	in.Host = cmp.Or(request.Host, request.URL.Host)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	return in
}

// reply is the handler's side of one exchange, an http.ResponseWriter.
type reply struct {
	request *http.Request
	header  http.Header // not sent yet
	body    bytes.Buffer
	// claimed says that the exchange is decided: the reply has begun, or the client has gone.
	claimed  atomic.Bool
	response *http.Response // once the reply has begun
	failure  error
	done     chan struct{} // closed when response and failure are complete
}

// claim decides the exchange, unless it is decided already.
func (r *reply) claim() (won bool) { return r.claimed.CompareAndSwap(false, true) }

func (r *reply) serve(handler http.Handler, request *http.Request) {
	defer close(r.done)
	defer func() {
		if cause := recover(); cause != nil {
			r.response, r.failure = nil, fmt.Errorf("inprocess: handler panicked: %v", cause)
		}
	}()
	defer request.Body.Close() // the server's duty
	handler.ServeHTTP(r, request)
	r.WriteHeader(http.StatusOK)
}

// Header returns the headers to send.
func (r *reply) Header() http.Header { return r.header }

// WriteHeader begins the reply; only the first call counts.
func (r *reply) WriteHeader(status int) {
	if r.claim() {
		r.response = &http.Response{
			Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status, Header: r.header.Clone(),
			Body: io.NopCloser(&r.body), Request: r.request,
		}
	}
}

// Write adds to the body, beginning the reply with status 200 if need be.
func (r *reply) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	if r.response == nil {
		return 0, io.ErrClosedPipe // the client has gone
	}
	r.response.ContentLength += int64(len(p))
	return r.body.Write(p)
}
