package sinktest

import (
	"context"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

func unreachable(t *testing.T, h HTTP) {
	t.Run("a refused connection is transient", func(t *testing.T) {
		t.Parallel()
		server := h.server(t, Loopback, nil)
		server.Close()
		want(t, "refused", h.send(t, h.open(t, server.Destination()), h.batch(0, 2)), retry.Transient)
	})
	t.Run("a name that is not found is transient", func(t *testing.T) {
		t.Parallel()
		to := Destination{URL: "http://destination.invalid/", Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "destination.invalid", IsNotFound: true}}
		}}
		want(t, "DNS", h.send(t, h.open(t, to), h.batch(0, 2)), retry.Transient)
	})
	t.Run("a certificate that nobody vouches for is a matter of setup", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewUnstartedServer(nil)
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // the broken handshake
		server.StartTLS()
		t.Cleanup(server.Close)
		to := Destination{URL: server.URL, Dial: (&net.Dialer{}).DialContext}
		want(t, "certificate", h.send(t, h.open(t, to), h.batch(0, 2)), retry.Setup)
	})
}

func requests(t *testing.T, h HTTP) {
	t.Run("the idempotency key is the batch's, on every attempt", func(t *testing.T) {
		t.Parallel()
		server, s := h.start(t, Loopback, Step{Status: 503}, Step{Fault: Reset})
		first, second := h.batch(0, 3), h.batch(3, 3)
		h.send(t, s, first)
		h.send(t, s, Again(first))
		h.send(t, s, Again(Again(first)))
		h.send(t, s, second)
		var keys []string
		for _, r := range server.Requests() {
			keys = append(keys, h.Key(&r))
		}
		if len(keys) != 4 || keys[0] == "" || keys[0] != keys[1] || keys[1] != keys[2] || keys[2] == keys[3] {
			t.Errorf("keys of three attempts and another batch: got %q", keys)
		}
	})
	t.Run("an attempt is one request, also when a used connection breaks", func(t *testing.T) {
		t.Parallel()
		server, s := h.start(t, Loopback)
		want(t, "the first attempt", h.send(t, s, h.batch(0, 1)), "")
		server.Then(Step{Fault: Reset})
		want(t, "the attempt that broke", h.send(t, s, h.batch(1, 1)), retry.Transient)
		if n := len(server.Requests()); n != 2 {
			t.Errorf("the destination got %d requests for 2 attempts", n)
		}
	})
	t.Run("a connection is used again", func(t *testing.T) {
		t.Parallel()
		var dials counter
		server := h.server(t, Loopback, []Step{{Status: 503, Body: "sorry"}, {Body: "{}"}})
		to := server.Destination()
		dial := to.Dial
		to.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.add()
			return dial(ctx, network, address)
		}
		s := h.open(t, to)
		for range 3 {
			h.send(t, s, h.batch(0, 1))
		}
		if n := dials.get(); n != 1 {
			t.Errorf("3 attempts took %d connections, want 1", n)
		}
	})
}

// hidesSecrets: the destination echoes the credentials it got, and they must not show.
func hidesSecrets(t *testing.T, h HTTP) {
	server := NewServer(t, ServerOptions{IDs: h.IDs, Respond: func(r *Request) Step {
		var echo strings.Builder
		echo.WriteString("you said: ")
		for _, secret := range secretsOf(r) {
			echo.WriteString(secret + "; ")
		}
		return Step{Status: 400, Body: echo.String()}
	}})
	s := h.open(t, server.Destination())
	for range 2 {
		result, err := s.Send(t.Context(), h.batch(0, 1))
		b := h.batch(0, 1)
		for _, o := range Outcomes(&b, result, err, false) {
			mustHide(t, server, o, err)
		}
	}
}

func mustHide(t *testing.T, server *Server, o sink.Outcome, err error) {
	t.Helper()
	text := o.Cause
	if err != nil {
		text += err.Error()
	}
	for _, r := range server.Requests() {
		for _, secret := range secretsOf(&r) {
			if strings.Contains(text, secret) {
				t.Errorf("the outcome shows a credential of the request: %q", text)
			}
		}
	}
}

// secretsOf are the credentials of a request: the values of headers that carry some,
// and what follows the scheme in them.
func secretsOf(r *Request) []string {
	var secrets []string
	for name, values := range r.Header {
		lower := strings.ToLower(name)
		if !strings.Contains(lower, "auth") && !strings.Contains(lower, "api-key") && !strings.Contains(lower, "token") {
			continue
		}
		for _, value := range values {
			secrets = append(secrets, value)
			if _, credential, ok := strings.Cut(value, " "); ok {
				secrets = append(secrets, credential)
			}
		}
	}
	return secrets
}
