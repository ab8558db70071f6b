package httpsend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultTimeout bounds an attempt when Options do not say. Webhook senders commonly
// allow 15 to 30 s.
const DefaultTimeout = 30 * time.Second

// ReplyUse says what a sink does with the body of a 2xx reply.
type ReplyUse uint8

const (
	// IgnoreReply trusts the status alone. The body is drained a little, for the
	// connection's sake, and not kept.
	IgnoreReply ReplyUse = iota
	// ReadReply returns the body, up to MaxReplyBytes, for sinks with results per item.
	ReadReply
	// RequireJSON is ReadReply, and a body that is not JSON is a setup failure: it is
	// most likely a login page or a captive proxy, not the destination.
	RequireJSON
)

// Options configure a Sender. URL is required, all else has a default.
type Options struct {
	// URL that requests are posted to: http or https, absolute. It may hold user and
	// password, which become Basic authorization. Excerpts never show its secrets.
	URL string
	// Headers of every request. Their values are taken for secrets: excerpts never
	// show one of six bytes or more. Default User-Agent: millrace.
	Headers map[string]string
	// ContentType of the body. Headers may override it. Default application/json.
	ContentType string
	// Compression of the body. Default None.
	Compression Compression
	// CompressionLevel for Gzip: 1 (fastest, the default) to 9.
	CompressionLevel int
	// Timeout of one attempt, from dialling to the last byte of the reply that matters.
	// Default DefaultTimeout.
	Timeout time.Duration
	// Rules are tried in order, before those of Base.
	Rules []Rule
	// Base are the rules of the sink's protocol. Nil means Defaults.
	Base []Rule
	// Reply says what becomes of the body of a 2xx reply. Default IgnoreReply.
	Reply ReplyUse
	// Dial replaces the network, for tests and private links. Nil means TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Log takes debug lines about replies that could not be read. Nil means none.
	Log *slog.Logger
}

// withDefaults fills what was left out.
func (o Options) withDefaults() Options {
	if o.ContentType == "" {
		o.ContentType = "application/json"
	}
	if o.Compression == "" {
		o.Compression = None
	}
	if o.Compression == Gzip && o.CompressionLevel == 0 {
		o.CompressionLevel = defaultGzipLevel
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Base == nil {
		o.Base = Defaults()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// validate reports every problem at once, each with the option's name as the
// configuration file spells it.
func (o *Options) validate() error {
	errs := []error{validateURL(o.URL), o.validateCompression()}
	for name, value := range o.Headers {
		errs = append(errs, validateHeader(name, value))
	}
	for i := range o.Rules {
		if err := o.Rules[i].validate(); err != nil {
			errs = append(errs, fmt.Errorf("rules[%d]: %w", i, err))
		}
	}
	if o.Timeout < 0 {
		errs = append(errs, fmt.Errorf("timeout: %v is negative", o.Timeout))
	}
	if o.Reply > RequireJSON {
		errs = append(errs, fmt.Errorf("reply: unknown use %d", o.Reply))
	}
	return errors.Join(errs...)
}

// validateURL never repeats the URL, which may hold secrets.
func validateURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return errors.New("url: is required")
	case err != nil:
		return errors.New("url: cannot be parsed")
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("url: must start with http:// or https://")
	case u.Host == "":
		return errors.New("url: has no host")
	}
	return nil
}

func (o *Options) validateCompression() error {
	switch o.Compression {
	case Gzip:
		if o.CompressionLevel < 1 || o.CompressionLevel > 9 {
			return fmt.Errorf("compression_level: %d is not between 1 and 9", o.CompressionLevel)
		}
	case Zstd, None:
		if o.CompressionLevel != 0 {
			return fmt.Errorf("compression_level: only gzip has levels, not %s", o.Compression)
		}
	default:
		return fmt.Errorf("compression: %q is none of gzip, zstd, none", string(o.Compression))
	}
	return nil
}

// validateHeader keeps a header from breaking the framing of the request or from
// contradicting what the Sender writes itself.
func validateHeader(name, value string) error {
	const nameCharacters = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" // RFC 9110, 5.6.2
	if name == "" || strings.Trim(name, nameCharacters) != "" {
		return fmt.Errorf("headers: %q is not a header name", name)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return fmt.Errorf("headers.%s: the value holds a control character", name)
	}
	switch http.CanonicalHeaderKey(name) {
	case "Content-Encoding", "Content-Length", "Transfer-Encoding", "Connection", "Idempotency-Key":
		return fmt.Errorf("headers.%s: is set by the sender", name)
	}
	return nil
}
