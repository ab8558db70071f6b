package flush

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/processor/route"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/filesink"
	"github.com/millrace-dev/millrace/pkg/sink/httpsend"
	"github.com/millrace-dev/millrace/pkg/sink/httpsink"
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
		o.Targets[name] = Target{Sink: s, Policy: policy(&entry.Retry)}
	}
	o.Router = route.New(rules(c.Routes))
	return o, errors.Join(problems...)
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
			Headers: headers, Timeout: time.Duration(c.Timeout),
			MaxEvents: c.Flush.MaxEvents, MaxBytes: int(c.Flush.MaxBytes),
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

func policy(c *config.SinkRetry) retry.Policy {
	return retry.Policy{
		// The policy reads zero as its default; here zero means never to wait inline.
		MaxInlineWait: max(1, time.Duration(c.MaxInlineWait)),
		MaxAttempts:   c.MaxAttempts,
		MaxAge:        time.Duration(c.MaxAge),
	}
}

func rules(routes []config.Route) []route.Rule {
	rules := make([]route.Rule, len(routes))
	for i, r := range routes {
		rules[i] = route.Rule{Match: route.Match(r.Match), To: r.To}
	}
	return rules
}
