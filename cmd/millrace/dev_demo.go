package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/internal/demosink"
)

const (
	// demoVariable tells the quickstart's configuration where the demo sink is.
	demoVariable = "MILLRACE_DEMO_SINK_URL"
	// demoEvents is how many samples the demo sends, demoBatch how many in one request.
	demoEvents = 1000
	demoBatch  = 100
	// demoPatience bounds the wait for the samples to arrive.
	demoPatience = 30 * time.Second
	demoInterval = 100 * time.Millisecond
)

const demoText = `
Now play:

  break the sink         curl -d '{"status":500}' %[1]s/_sink
  send more              %[2]s send --count 500%[3]s
  see where they are     %[2]s status%[4]s
  see why                %[2]s dlq ls%[4]s
  repair the sink        curl -d '{}' %[1]s/_sink
  count, then send again %[2]s replay --sink http --dry-run%[4]s
                         %[2]s replay --sink http%[4]s
  see what has arrived   curl %[1]s/_sink

Ctrl-C drains and ends it.
`

// demoHint adds what to do when the quickstart's configuration is used without its demo sink.
func demoHint(err error) error {
	if !strings.Contains(err.Error(), demoVariable) {
		return err
	}
	return usageError("%w\n--demo starts a sink for it; millrace sink starts one by itself", err)
}

// runDemo sends the samples and follows them to the demo sink.
func runDemo(ctx context.Context, c *console, started *cloud, sink *demosink.Server) {
	began := time.Now()
	report, err := sendDemo(ctx, started.api)
	if err != nil {
		c.say("demo: %v", err)
		return
	}
	if report.Refused > 0 {
		c.say("demo: %d of %d events were refused: %v", report.Refused, report.Sent, report.Causes)
	}
	arrived := follow(ctx, c, began, report.Accepted, sink)
	switch {
	case ctx.Err() != nil:
		return
	case arrived < report.Accepted:
		c.say("demo: only %d of %d events arrived within %s; the functions' logs say why", arrived, report.Accepted, demoPatience)
	default:
		c.say("demo: %d sent, %d accepted, %d delivered in %.1f s", report.Sent, report.Accepted, arrived, time.Since(began).Seconds())
	}
	c.say("%s", playText(started, sink.URL()))
}

// sendDemo sends the samples as a PostHog SDK would.
func sendDemo(ctx context.Context, api string) (sendReport, error) {
	p := newPoster(api, demoKey, protocolNamed("posthog"))
	defer p.close()
	command := sendCommand{Batch: demoBatch}
	return command.sendAll(ctx, p, sampleEvents(p.protocol, demoEvents), func(sendReport) {})
}

// follow tells of the events that arrive until all have, and returns how many did.
func follow(ctx context.Context, c *console, began time.Time, wanted int, sink *demosink.Server) int {
	ticker := time.NewTicker(demoInterval)
	defer ticker.Stop()
	told := 0
	for {
		arrived := sink.Stats().Unique
		if arrived > 0 && told == 0 {
			c.say("demo: the first event was delivered after %.1f s", time.Since(began).Seconds())
			told = arrived
		}
		if arrived >= wanted || time.Since(began) > demoPatience {
			return arrived
		}
		select {
		case <-ctx.Done():
			return arrived
		case <-ticker.C:
		}
	}
}

// playText shows what to try, with flags only where the addresses are not the usual ones.
func playText(started *cloud, sink string) string {
	api, aws := "", ""
	if started.api != defaultAPI {
		api = " --url " + started.api
	}
	if started.aws != defaultAWS {
		aws = " --aws " + started.aws
	}
	return fmt.Sprintf(demoText, sink, os.Args[0], api, aws)
}
