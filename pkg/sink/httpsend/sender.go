package httpsend

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"github.com/millrace-dev/millrace/pkg/sink"
)

// Request is one attempt's worth of body.
type Request struct {
	// Append appends the body, not compressed, to a buffer that the Sender owns.
	Append func(dst []byte) []byte
	// Key is the idempotency key. Empty sends none.
	Key string
	// Header is added to the configured headers, for example a signature of the body
	// or a tenant. May be nil.
	Header http.Header
}

// Sender posts bodies to one URL. It is safe for concurrent use.
type Sender struct {
	client   *http.Client
	url      string
	host     string // from a configured Host header, else empty
	headers  http.Header
	timeout  time.Duration
	rules    []Rule
	use      ReplyUse
	compress compressor // nil: none
	scrub    *scrubber
	log      *slog.Logger
	buffers  buffers
	// readsBody: a 2xx reply's body is returned to the sink or asked for by a rule.
	readsBody bool
}

// New checks the options and returns a Sender. The error joins all problems, each with
// the option's name.
func New(options Options) (*Sender, error) {
	o := options.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	compress, err := newCompressor(&o)
	if err != nil {
		return nil, err
	}
	s := &Sender{
		client: newClient(&o), url: o.URL, timeout: o.Timeout, use: o.Reply,
		rules: append(append([]Rule(nil), o.Rules...), o.Base...), compress: compress, scrub: newScrubber(&o), log: o.Log,
	}
	s.headers, s.host = baseHeader(&o)
	s.readsBody = o.Reply != IgnoreReply || asksForBody(s.rules)
	return s, nil
}

func baseHeader(o *Options) (header http.Header, host string) {
	header = http.Header{"User-Agent": {"millrace"}, "Content-Type": {o.ContentType}}
	if o.Compression != None {
		header.Set("Content-Encoding", string(o.Compression))
	}
	for name, value := range o.Headers {
		header.Set(name, value)
	}
	host = header.Get("Host") // net/http takes it from the request, not from its headers
	header.Del("Host")
	return header, host
}

func asksForBody(rules []Rule) bool {
	for i := range rules {
		if rules[i].BodyContains != "" {
			return true
		}
	}
	return false
}

// Send makes one attempt. It returns when the destination has answered, the attempt's
// time is up or ctx is done, whatever the destination does.
//
// Errors: always *sink.Failure. Then the Reply is that of the destination, or zero when
// it did not answer.
func (s *Sender) Send(ctx context.Context, r Request) (Reply, error) {
	if err := ctx.Err(); err != nil {
		return Reply{}, s.networkFailure(ctx, err)
	}
	attempt, stop := context.WithTimeout(ctx, s.timeout)
	defer stop()
	body, err := s.payload(r.Append)
	if err != nil {
		return Reply{}, s.networkFailure(ctx, err)
	}
	defer body.release()
	request, err := s.request(attempt, &r, body)
	if err != nil {
		return Reply{}, s.networkFailure(ctx, err)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return Reply{}, s.networkFailure(ctx, err)
	}
	reply := s.read(response, stop)
	if reply.ReadErr != nil {
		s.log.DebugContext(ctx, "reply could not be read", "status", reply.Status, "error", s.Excerpt([]byte(reply.ReadErr.Error())))
	}
	return reply, s.judge(&reply)
}

// payload encodes and compresses the body. Its caller must release it.
func (s *Sender) payload(appendBody func([]byte) []byte) (*payload, error) {
	plain := s.buffers.get()
	*plain = appendBody(*plain)
	if s.compress == nil {
		return newPayload(plain, &s.buffers), nil
	}
	defer s.buffers.put(plain)
	packed := s.buffers.get()
	var err error
	if *packed, err = s.compress.compress(*packed, *plain); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return newPayload(packed, &s.buffers), nil
}

func (s *Sender) request(ctx context.Context, r *Request, body *payload) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, nil)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	request.Host = s.host
	request.Header = s.header(r)
	request.ContentLength = int64(len(*body.buf))
	if request.ContentLength > 0 {
		request.Body = body.reader()
		// Lets net/http move to a fresh connection when an idle one turns out closed
		// before a single byte went out. The destination has seen nothing of that.
		request.GetBody = func() (io.ReadCloser, error) { return body.reader(), nil }
	}
	return request, nil
}

// header writes the key in lower case. Header names have no case on the wire, but
// net/http takes the usual spelling as leave to post a second time by itself when a used
// connection breaks after the request went out. Retries have one owner, and it counts them.
func (s *Sender) header(r *Request) http.Header {
	header := s.headers.Clone()
	if r.Key != "" {
		header["idempotency-key"] = []string{r.Key}
	}
	maps.Copy(header, r.Header)
	return header
}

// Excerpt makes text from a destination fit for logs and dead letters: printable, one
// line, without the configured secrets or anything that looks like one, and at most
// MaxExcerptBytes. Sinks use it for the causes of single items.
func (s *Sender) Excerpt(text []byte) string { return s.scrub.excerpt(text) }

// Close lets go of idle connections. It is idempotent and returns nil.
func (s *Sender) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

var _ sink.Closer = (*Sender)(nil)
