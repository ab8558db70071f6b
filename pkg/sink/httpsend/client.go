package httpsend

import (
	"net"
	"net/http"
	"time"
)

const (
	// idleTimeout is below the keep-alive of the usual peers (AWS ALB 60 s, nginx 75 s),
	// so that it is us who close an idle connection and no request meets a closing one.
	// net/http judges it by the wall clock, hence also after a Lambda freeze.
	idleTimeout = 55 * time.Second
	// idleConns covers the concurrency of one sink in one function; net/http's default
	// of 2 would close and dial again all the time.
	idleConns = 64
	// dialTimeout and tlsTimeout leave most of an attempt's time to the destination.
	dialTimeout = 10 * time.Second
	tlsTimeout  = 10 * time.Second
	// pingAfter and pingTimeout find a dead HTTP/2 connection, which would otherwise
	// swallow one attempt after another until each times out.
	pingAfter   = 15 * time.Second
	pingTimeout = 5 * time.Second
	// maxReplyHeaderBytes bounds what a hostile reply makes us hold (net/http: 1 MiB).
	maxReplyHeaderBytes = 64 << 10
	// writeBufferBytes lets a compressed batch go out in few system calls (net/http: 4 KiB).
	writeBufferBytes = 64 << 10
)

// newClient makes the client of one sink. Sinks do not share one, so that a sink with
// hundreds of hanging connections cannot crowd out another.
func newClient(o *Options) *http.Client {
	dial := o.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	return &http.Client{
		// A redirect is a wrong URL in the configuration: following it would turn the
		// POST into a GET (301, 302, 303) or carry the credentials to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dial,
			ForceAttemptHTTP2:      true,
			HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
			MaxIdleConnsPerHost:    idleConns,
			IdleConnTimeout:        idleTimeout,
			TLSHandshakeTimeout:    tlsTimeout,
			ResponseHeaderTimeout:  o.Timeout,
			MaxResponseHeaderBytes: maxReplyHeaderBytes,
			WriteBufferSize:        writeBufferBytes,
			DisableCompression:     true, // replies are short, and an inflated one could be endless
		},
	}
}
