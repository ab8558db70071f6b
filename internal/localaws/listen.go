package localaws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// listen refuses an address that other machines could reach: nothing here checks who calls.
func listen(address string) (net.Listener, error) {
	resolved, err := net.ResolveTCPAddr("tcp", cmp.Or(address, "127.0.0.1:0"))
	if err != nil {
		return nil, fmt.Errorf("listen address %q: %w", address, err)
	}
	if !resolved.IP.IsLoopback() {
		return nil, fmt.Errorf("listen address %q is not loopback, and nobody is asked for credentials here; use 127.0.0.1:%d", address, resolved.Port)
	}
	listener, err := net.ListenTCP("tcp", resolved)
	if err != nil {
		return nil, fmt.Errorf("local aws: %w", err)
	}
	return listener, nil
}

func (s *Server) serve(listener net.Listener, handler http.Handler) *http.Server {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.options.Logger.Error("local aws stopped serving", "address", listener.Addr().String(), "error", err)
		}
	})
	s.atClose(func(ctx context.Context) error {
		defer serving.Wait()
		return shut(ctx, server)
	})
	return server
}

// shut waits for the requests in progress until ctx ends and drops the others.
func shut(ctx context.Context, server *http.Server) error {
	err := server.Shutdown(ctx)
	if err != nil {
		_ = server.Close()
	}
	return err
}
