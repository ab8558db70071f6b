package httpsend

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/millrace-dev/millrace/pkg/retry"
)

func TestClassOfError(t *testing.T) {
	t.Parallel()
	done, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context //nolint:containedctx // a row of a table
		err  error
		want retry.Class
	}{
		{"the caller stopped, whatever the error", done, syscall.ECONNRESET, retry.Cancelled},
		{"the attempt's time is up", nil, context.DeadlineExceeded, retry.Transient},
		{"a time-out of the network", nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, retry.Transient},
		{"a refused connection", nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, retry.Transient},
		{"no route", nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}, retry.Transient},
		{"a reset connection", nil, &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, retry.Transient},
		{"a closed connection", nil, io.EOF, retry.Transient},
		{"a name that is not found", nil, &net.DNSError{Err: "no such host", Name: "x.invalid", IsNotFound: true}, retry.Transient},
		{"a resolver in trouble", nil, &net.DNSError{Err: "server misbehaving", IsTemporary: true}, retry.Transient},
		{"a TLS alert", nil, tls.AlertError(80), retry.Transient},
		{"garbage instead of HTTP", nil, errors.New(`malformed HTTP response "\x00"`), retry.Transient},
		{"a certificate that is not verified", nil, &tls.CertificateVerificationError{Err: errors.New("x")}, retry.Setup},
		{"an unknown authority", nil, x509.UnknownAuthorityError{}, retry.Setup},
		{"a certificate for another host", nil, x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}, retry.Setup},
		{"an expired certificate", nil, x509.CertificateInvalidError{Reason: x509.Expired}, retry.Setup},
		{"no trust store", nil, x509.SystemRootsError{}, retry.Setup},
		{"http behind an https url", nil, http.ErrSchemeMismatch, retry.Setup},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx := c.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			if got, cause := classOfError(ctx, fmt.Errorf("post: %w", c.err)); got != c.want || cause == "" {
				t.Errorf("classOfError = %q, %q, want %q and a cause", got, cause, c.want)
			}
		})
	}
}

func TestSender_networkFailure_HidesURL(t *testing.T) {
	t.Parallel()
	s := newSender(t, Options{URL: "http://user:pa55word@example.com/in?api_key=q9Zk2Lw7"})
	err := s.networkFailure(t.Context(), &url.Error{Op: "Post", URL: s.url, Err: errors.New("dial q9Zk2Lw7 with pa55word")})
	failure := failureOf(t, err)
	for _, text := range []string{failure.Error(), failure.Outcome.Cause} {
		if strings.Contains(text, "q9Zk2Lw7") || strings.Contains(text, "pa55word") || !strings.Contains(text, "dial") {
			t.Errorf("got %q, want the reason without secrets", text)
		}
	}
}
