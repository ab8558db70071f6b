package httpsink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/httpsend"
	"github.com/millrace-dev/millrace/pkg/sink/itemresult"
	"github.com/millrace-dev/millrace/pkg/sink/record"
)

// Encoding of a batch.
type Encoding string

// The encodings.
const (
	// NDJSON is one record a line, each line ended by a newline.
	NDJSON Encoding = "ndjson"
	// JSON is one array of records.
	JSON Encoding = "json"
)

// Limits of a batch when Options do not say.
const (
	DefaultMaxEvents = 500
	DefaultMaxBytes  = 1 << 20
)

// Options configure a Sink. URL is required, all else has a default.
type Options struct {
	// Name of the sink in the configuration; errors of New begin with it.
	Name string
	// URL that batches are posted to: http or https.
	URL string
	// Encoding: NDJSON (default) or JSON.
	Encoding Encoding
	// Compression: httpsend.Gzip (default), Zstd or None.
	Compression httpsend.Compression
	// CompressionLevel of gzip, 1 (default) to 9.
	CompressionLevel int
	// Headers of every request; they may override Content-Type.
	Headers map[string]string
	// Timeout of one attempt. Default 30 s.
	Timeout time.Duration
	// MaxEvents in one request. Default DefaultMaxEvents.
	MaxEvents int
	// MaxBytes of one request before compression. Default DefaultMaxBytes.
	MaxBytes int
	// Rules say what replies mean, before those of Preset and httpsend.Defaults.
	Rules []httpsend.Rule
	// Preset names the backend whose rules and results hold. Empty means none.
	Preset httpsend.Preset
	// Results says how a 2xx reply tells the result of each event. Default: as the
	// preset's backend does, None without one.
	Results itemresult.Format
	// RequireJSON makes a 2xx reply whose body is not JSON a setup failure: for
	// destinations behind a login page that answers 200.
	RequireJSON bool
	// Dial replaces the network, see httpsend.Options.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Log takes debug lines. Nil means none.
	Log *slog.Logger
}

// Sink is the `http` sink. It is safe for concurrent use.
type Sink struct {
	sender  *httpsend.Sender
	limits  batch.Limits
	encode  func(dst []byte, events []event.Event) []byte
	results itemresult.Format
	log     *slog.Logger
}

var (
	_ sink.Sink   = (*Sink)(nil)
	_ sink.Closer = (*Sink)(nil)
)

// New checks the options and returns a Sink. It does not connect. The error joins all
// problems, each with the option's name as the configuration file spells it.
func New(options Options) (*Sink, error) {
	o := options.withDefaults()
	s := &Sink{
		encode: record.AppendLines, results: o.Results, log: o.Log,
		limits: batch.Limits{MaxEvents: o.MaxEvents, MaxBytes: o.MaxBytes, Size: record.Size},
	}
	if o.Encoding == JSON {
		s.encode = record.AppendArray
		s.limits.MaxBytes-- // n records have n-1 commas and two brackets
	}
	sender, err := httpsend.New(o.sender())
	if err = errors.Join(o.validate(), err); err != nil {
		return nil, fmt.Errorf("sink %q: %w", o.Name, err)
	}
	s.sender = sender
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Encoding == "" {
		o.Encoding = NDJSON
	}
	if o.Compression == "" {
		o.Compression = httpsend.Gzip
	}
	if o.MaxEvents == 0 {
		o.MaxEvents = DefaultMaxEvents
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Results == "" {
		o.Results = resultsOf(o.Preset)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// resultsOf says how a backend tells results per event.
func resultsOf(p httpsend.Preset) itemresult.Format {
	switch p {
	case httpsend.Langfuse:
		return itemresult.Langfuse
	case httpsend.PostHogV1:
		return itemresult.PostHog
	case httpsend.OTLP:
		return itemresult.OTLP
	case httpsend.Bulk:
		return itemresult.Bulk
	default:
		return itemresult.None
	}
}

func (o *Options) validate() error {
	var errs []error
	if o.Encoding != NDJSON && o.Encoding != JSON {
		errs = append(errs, fmt.Errorf("encoding: %q is neither ndjson nor json", string(o.Encoding)))
	}
	if o.Preset != "" && !slices.Contains(httpsend.Presets(), o.Preset) {
		errs = append(errs, fmt.Errorf("preset: %q is none of %v", string(o.Preset), httpsend.Presets()))
	}
	if !o.Results.Valid() {
		errs = append(errs, fmt.Errorf("results: %q is not a format", string(o.Results)))
	}
	if o.MaxEvents < 0 {
		errs = append(errs, fmt.Errorf("max_events: %d is negative", o.MaxEvents))
	}
	if o.MaxBytes < 0 {
		errs = append(errs, fmt.Errorf("max_bytes: %d is negative", o.MaxBytes))
	}
	return errors.Join(errs...)
}

func (o *Options) sender() httpsend.Options {
	h := httpsend.Options{
		URL: o.URL, Headers: o.Headers, ContentType: "application/x-ndjson",
		Compression: o.Compression, CompressionLevel: o.CompressionLevel,
		Timeout: o.Timeout, Rules: o.Rules, Base: append(o.Preset.Rules(), httpsend.Defaults()...), Dial: o.Dial, Log: o.Log,
	}
	if o.Encoding == JSON {
		h.ContentType = "application/json"
	}
	if o.Results != itemresult.None {
		h.Reply = httpsend.ReadReply
	}
	if o.RequireJSON {
		h.Reply = httpsend.RequireJSON
	}
	return h
}

// Limits are those of the options. An event's size is that of its record.
func (s *Sink) Limits() batch.Limits { return s.limits }

// Send posts the batch once. An error is a *sink.Failure for every event. Without an
// error the results of the reply hold, if Options ask for them.
func (s *Sink) Send(ctx context.Context, b sink.Batch) (sink.Result, error) {
	reply, err := s.sender.Send(ctx, httpsend.Request{
		Key:    b.Key,
		Append: func(dst []byte) []byte { return s.encode(dst, b.Events) },
	})
	if err != nil || s.results == itemresult.None {
		return sink.Result{}, err
	}
	return s.read(ctx, b.Events, &reply), nil
}

// read reads the result of each event.
func (s *Sink) read(ctx context.Context, events []event.Event, reply *httpsend.Reply) sink.Result {
	after, _ := retry.ParseRetryAfter(reply.Header.Get("Retry-After"), time.Now())
	result, err := s.results.Read(events, itemresult.Reply{Body: reply.Body, After: after})
	if err != nil {
		s.log.DebugContext(ctx, "reply has no readable results", "status", reply.Status, "error", s.sender.Excerpt([]byte(err.Error())))
	}
	// Events that failed alike, as most do, share one excerpt.
	excerpts := make(map[string]string, 1)
	for i := range result.Outcomes {
		o := &result.Outcomes[i]
		if _, known := excerpts[o.Cause]; !known {
			excerpts[o.Cause] = s.sender.Excerpt([]byte(o.Cause))
		}
		o.Cause = excerpts[o.Cause]
	}
	return result
}

// Close lets go of idle connections.
func (s *Sink) Close() error { return s.sender.Close() }
