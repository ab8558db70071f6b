package sinktest

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// Destination is where a sink under test is to send.
type Destination struct {
	// URL to post to.
	URL string
	// Dial connects to it. A sink under test must use it for all its connections: it
	// may lead to a destination in memory, or nowhere.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Network is what a Server listens on.
type Network uint8

const (
	// Loopback is a TCP port of 127.0.0.1, chosen by the system.
	Loopback Network = iota
	// Memory is reached by Destination.Dial only. Use it in a testing/synctest bubble.
	Memory
)

// ServerOptions configure a Server. The zero value answers every request with 200.
type ServerOptions struct {
	// Network to listen on. Default Loopback.
	Network Network
	// Script is done first, one step a request.
	Script []Step
	// Respond answers when the script is over. It may be called from several goroutines
	// at once. Nil answers 200.
	Respond func(*Request) Step
	// IDs reads the ids of a request's events. Nil means RecordIDs. Its error is answered
	// with 400 and counts as a problem.
	IDs func(*Request) ([]string, error)
}

// Request is a request that a Server got.
type Request struct {
	// Method, Path (with query) and Header as they came.
	Method, Path string
	Header       http.Header
	// Body after Content-Encoding is undone.
	Body []byte
	// IDs of the events in the body.
	IDs []string
	// Status that was sent, 0 when the step's fault came before one.
	Status int
}

// Server is a destination that does as it is told and remembers what it got. It is safe
// for concurrent use.
type Server struct {
	options ServerOptions
	http    *http.Server
	to      Destination
	closed  chan struct{}
	close   sync.Once
	serving sync.WaitGroup // the accept loop and all handlers, hijacked ones included

	mu       sync.Mutex
	script   []Step
	respond  func(*Request) Step
	requests []*Request
	problems []error
	changed  chan struct{} // closed and replaced whenever a request comes or is answered
	sent     int64
	conns    map[net.Conn]struct{}
}

// NewServer starts a Server for a test. It ends with the test at the latest, and what a
// sink did wrong (a body that cannot be read) fails the test then.
func NewServer(t testing.TB, options ServerOptions) *Server {
	t.Helper()
	s, stop := StartServer(options)
	t.Cleanup(func() {
		stop()
		for _, err := range s.Problems() {
			t.Errorf("destination: %v", err)
		}
	})
	return s
}

// StartServer starts a Server for other purposes than a test. It panics when there is no
// port on 127.0.0.1. The caller must call stop, which is Close.
func StartServer(options ServerOptions) (server *Server, stop func()) {
	s := &Server{
		options: options, closed: make(chan struct{}),
		script: expand(options.Script), respond: options.Respond,
		changed: make(chan struct{}), conns: map[net.Conn]struct{}{},
	}
	if s.options.IDs == nil {
		s.options.IDs = RecordIDs
	}
	listener := s.listen()
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), ConnState: s.track, ReadHeaderTimeout: time.Minute}
	s.serving.Go(func() { _ = s.http.Serve(listener) }) // always ErrServerClosed
	return s, s.Close
}

func expand(script []Step) []Step {
	var steps []Step
	for _, step := range script {
		steps = append(steps, slices.Repeat([]Step{step}, max(1, step.Times))...)
	}
	return steps
}

func (s *Server) listen() net.Listener {
	if s.options.Network == Memory {
		listener := newPipeListener()
		s.to = Destination{URL: "http://destination.test/in", Dial: listener.dial}
		return listener
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("sinktest: %v", err))
	}
	s.to = Destination{URL: "http://" + listener.Addr().String() + "/in", Dial: (&net.Dialer{}).DialContext}
	return listener
}

// Destination says where the server is reached.
func (s *Server) Destination() Destination { return s.to }

// Close breaks all connections and waits for the server's goroutines. It is idempotent.
func (s *Server) Close() {
	s.close.Do(func() {
		s.mu.Lock()
		close(s.closed)
		conns := slices.Collect(maps.Keys(s.conns))
		s.mu.Unlock()
		_ = s.http.Close() // the listener's, which has nothing to tell
		for _, conn := range conns {
			conn.Close()
		}
	})
	s.serving.Wait()
}

// Then adds steps to the script.
func (s *Server) Then(steps ...Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, expand(steps)...)
}

// Respond replaces what answers when the script is over.
func (s *Server) Respond(respond func(*Request) Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.respond = respond
}

// Requests returns copies of all requests so far, in the order they came.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := make([]Request, len(s.requests))
	for i, r := range s.requests {
		requests[i] = *r
	}
	return requests
}

// Taken returns the ids of all events that the server answered with 2xx, even when the
// reply broke off after its status.
func (s *Server) Taken() IDs {
	return s.collect(func(r *Request) bool { return r.Status >= 200 && r.Status <= 299 })
}

// Seen returns the ids of all events that came, whatever the answer.
func (s *Server) Seen() IDs {
	return s.collect(func(*Request) bool { return true })
}

func (s *Server) collect(counts func(*Request) bool) IDs {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := IDs{}
	for _, r := range s.requests {
		if counts(r) {
			ids.add(r.IDs)
		}
	}
	return ids
}

// Problems returns what was wrong with requests, apart from what the script says.
func (s *Server) Problems() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems)
}

func (s *Server) problem(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, err)
}

// BytesSent is how much the server has sent of endless, huge and slow replies.
func (s *Server) BytesSent() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// Await waits until the condition holds, which it asks whenever a request has come or
// has been answered. The error is that of ctx.
func (s *Server) Await(ctx context.Context, condition func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if condition() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// notify wakes those who Await. The lock is held.
func (s *Server) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// track knows every connection, so that Close can break the hijacked ones too.
func (s *Server) track(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.conns[conn] = struct{}{}
	case http.StateClosed:
		delete(s.conns, conn)
	case http.StateActive, http.StateIdle, http.StateHijacked:
	}
}
