package httpsend

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"

	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// classOfError is the one judgement of an attempt that got no reply. ctx is the
// caller's context, without the attempt's own time-out.
func classOfError(ctx context.Context, err error) (class retry.Class, cause string) {
	network, isNetwork := errors.AsType[net.Error](err)
	switch {
	case ctx.Err() != nil:
		// Shutdown, or the function's own deadline: we stopped, whatever the error says.
		return retry.Cancelled, "stopped before the destination answered"
	case isNetwork && network.Timeout():
		// The attempt's time-out, or one of dial, TLS handshake and reply headers. The
		// destination may have taken the batch: the idempotency key is for this.
		return retry.Transient, "no answer in time"
	case isCertificate(err):
		// Nobody repairs a certificate or a trust store within a backoff, and sending
		// regardless would hand the events to whoever answers.
		return retry.Setup, "the destination's certificate is not accepted"
	case errors.Is(err, http.ErrSchemeMismatch):
		// A plain HTTP server behind an https:// URL.
		return retry.Setup, "the destination speaks http, not https"
	}
	// Refused, reset, closed, name not found, TLS alert, garbage instead of HTTP: all
	// of them happen while a healthy destination is deployed, scaled or renamed.
	return retry.Transient, "no reply"
}

func isCertificate(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		host         x509.HostnameError
		invalid      x509.CertificateInvalidError
		roots        x509.SystemRootsError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &host) ||
		errors.As(err, &invalid) || errors.As(err, &roots)
}

// networkFailure turns the error of an attempt into its outcome.
func (s *Sender) networkFailure(ctx context.Context, err error) error {
	// *url.Error repeats the URL, and with it the secrets of its query.
	if withURL, ok := errors.AsType[*url.Error](err); ok {
		err = withURL.Err
	}
	class, cause := classOfError(ctx, err)
	return sink.Fail(class, s.Excerpt([]byte(cause+": "+err.Error())), err)
}
