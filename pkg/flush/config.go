package flush

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo"
	"github.com/millrace-dev/millrace/pkg/flush/gate"
	"github.com/millrace-dev/millrace/pkg/processor/route"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/filesink"
	"github.com/millrace-dev/millrace/pkg/sink/httpsend"
	"github.com/millrace-dev/millrace/pkg/sink/httpsink"
	"github.com/millrace-dev/millrace/pkg/sink/itemresult"
)

// FromConfig fills in what the configuration decides: the targets and the router. Its
// secrets must be resolved. This is the one place that knows every type of sink.
func FromConfig(c *config.Config, o Options) (Options, error) {
	o.Targets = make(map[string]Target, len(c.Sinks))
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(c.Sinks)) {
		entry := c.Sinks[name]
		s, err := newSink(name, &entry)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		o.Targets[name] = newTargetOf(s, &entry)
	}
	o.Router = route.New(rules(c.Routes))
	return o, errors.Join(problems...)
}

// NewDedup returns the deduper that the configuration describes, with its store in a
// DynamoDB table, or without a store when table is empty.
func NewDedup(c *config.Config, cfg aws.Config, table string) (*dedup.Deduper, error) {
	o := dedupOptions(&c.Dedup)
	if table != "" {
		o.Store = dynamo.New(dynamo.Options{Client: dynamo.NewClient(cfg), Table: table})
	}
	return dedup.New(o)
}

// dedupOptions says in the words of pkg/dedup what the configuration says.
func dedupOptions(c *config.Dedup) dedup.Options {
	o := dedup.Options{
		Scope: dedup.Scope(c.Scope), Window: c.Window.Std(), OnStoreFailure: dedup.OnFailure(c.OnStoreFailure), HintKeys: c.Hint,
	}
	if c.Hint == 0 {
		o.HintKeys = -1 // dedup reads zero as its default; here it switches the layer off
	}
	if c.WithinFlush == config.Off {
		o.WithinFlush = dedup.Off
	}
	for _, r := range c.Rules {
		matcher := route.NewMatcher(route.Match(r.Match))
		o.Rules = append(o.Rules, dedup.Rule{Match: matcher.Fits, Fields: r.Fields})
	}
	return o
}

// newTargetOf treats a sink as its entry says.
func newTargetOf(s sink.Sink, c *config.Sink) Target {
	t := Target{
		Sink: s, Policy: policy(&c.Retry),
		Gate: gate.Options{
			Concurrency: c.Limits.Concurrency, EventsPerSecond: float64(c.Limits.EventsPerSecond),
			FailuresToOpen: c.Breaker.Failures, OpenFor: c.Breaker.OpenFor.Std(),
		},
		Discard: discard(c.DeadLetters),
	}
	if c.Mode == config.ModeFailOpen {
		t.Mode = FailOpen
	}
	return t
}

// discard decides by the first rule that fits.
func discard(rules []config.DeadLetterRule) func(retry.Class, int) bool {
	return func(class retry.Class, status int) bool {
		for _, r := range rules {
			if (r.Class == "" || r.Class == string(class)) && r.Status.Contains(status) {
				return r.Save == config.SaveNever
			}
		}
		return false
	}
}

func newSink(name string, c *config.Sink) (sink.Sink, error) {
	switch c.Type {
	case config.SinkHTTP:
		headers := make(map[string]string, len(c.Headers))
		for header, value := range c.Headers {
			headers[header] = value.Reveal()
		}
		return httpsink.New(httpsink.Options{
			Name: name, URL: c.URL.Reveal(), Encoding: httpsink.Encoding(c.Encoding),
			Compression: httpsend.Compression(c.Compression), CompressionLevel: c.CompressionLevel,
			Headers: headers, Timeout: c.Timeout.Std(),
			MaxEvents: c.Flush.MaxEvents, MaxBytes: int(c.Flush.MaxBytes),
			Rules: responses(c.Responses), RequireJSON: c.Reply == config.ReplyJSON,
			Preset: httpsend.Preset(c.Preset), Results: itemresult.Format(c.Results),
		})
	case config.SinkFile:
		return filesink.NewFile(filesink.Options{
			Name: name, Path: c.Path, MaxEvents: c.Flush.MaxEvents, MaxBytes: int(c.Flush.MaxBytes),
		})
	case config.SinkStdout:
		return filesink.NewStdout(name, os.Stdout, c.Flush.MaxEvents, int(c.Flush.MaxBytes))
	}
	return nil, fmt.Errorf("sink %q: type %q is not known; choose one of %v", name, c.Type, config.SinkTypes())
}

func responses(entries []config.Response) []httpsend.Rule {
	rules := make([]httpsend.Rule, len(entries))
	for i, e := range entries {
		rules[i] = httpsend.Rule{
			From: e.Status.From, To: e.Status.To, Header: e.Header, HeaderContains: e.HeaderContains, BodyContains: e.BodyContains,
		}
		if e.Class != config.ClassDelivered {
			rules[i].Class = retry.Class(e.Class)
		}
	}
	return rules
}

func policy(c *config.SinkRetry) retry.Policy {
	return retry.Policy{
		// The policy reads zero as its default; here zero means never to wait inline.
		MaxInlineWait: max(1, c.MaxInlineWait.Std()),
		MaxAttempts:   c.MaxAttempts,
		MaxAge:        c.MaxAge.Std(),
	}
}

func rules(routes []config.Route) []route.Rule {
	rules := make([]route.Rule, len(routes))
	for i, r := range routes {
		rules[i] = route.Rule{Match: route.Match(r.Match), To: r.To}
	}
	return rules
}
