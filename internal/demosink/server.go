package demosink

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

const (
	// headerTimeout ends connections that never say what they want.
	headerTimeout = 10 * time.Second
	// closeGrace is how long requests may take to notice that they are over.
	closeGrace = 2 * time.Second
)

// Server is a Sink that listens.
type Server struct {
	*Sink
	listener net.Listener
	server   *http.Server
	cancel   context.CancelFunc
	served   chan struct{} // closed when the listener is
}

// Start serves s on address, "127.0.0.1:0" for a free port of this machine. Close it.
func Start(address string, s *Sink) (*Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	server := &Server{Sink: s, listener: listener, cancel: cancel, served: make(chan struct{})}
	server.server = &http.Server{
		Handler: s, ReadHeaderTimeout: headerTimeout,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() {
		defer close(server.served)
		_ = server.server.Serve(listener) // always ErrServerClosed: the listener is ours
	}()
	return server, nil
}

// URL is where the sink takes events, "http://127.0.0.1:40123".
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Close ends all requests, hanging and delayed ones too, and returns when none is left. It is idempotent.
func (s *Server) Close() {
	s.cancel()
	grace, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	_ = s.server.Shutdown(grace)
	_ = s.server.Close() // connections that were opened and never used
	<-s.served
}
