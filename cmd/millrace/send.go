package main

import (
	"context"
	"fmt"
	"iter"
	"time"

	"golang.org/x/time/rate"
)

// defaultAPI is where `millrace dev` listens unless told otherwise.
const defaultAPI = "http://127.0.0.1:8080"

type sendCommand struct {
	URL      string  `default:"${api}" help:"Base URL of the API."`
	Key      string  `default:"phc_demo" help:"Write key."`
	Count    int     `help:"How many events to send. Default: ${samples} samples, or all of --file."`
	Rate     float64 `help:"Events a second. Default: as fast as they are taken."`
	File     string  `type:"path" placeholder:"FILE" help:"Send the events in FILE (NDJSON or a JSON array) instead of samples; - reads standard input."`
	Protocol string  `default:"generic" enum:"generic,posthog" help:"In whose words to send: ${enum}."`
	Batch    int     `default:"50" help:"Events in one request."`
	JSON     bool    `help:"Print one JSON object at the end."`
}

// Help shows how to use it.
func (sendCommand) Help() string {
	return `Sends events in batches, waits when the API says so (503 with Retry-After), and tells how many were taken.

    millrace send --count 1000
    millrace send --protocol posthog --rate 200 --count 10000
    millrace send --file events.ndjson --key phc_demo
    generate-events | millrace send --file -

Exit code 1 when an event was refused or could not be sent.`
}

// sendReport is the result of a run.
type sendReport struct {
	Sent     int `json:"sent"`
	Accepted int `json:"accepted"`
	Refused  int `json:"refused"`
	Requests int `json:"requests"`
	// Causes are the first few reasons of refusals.
	Causes  []string `json:"causes"`
	Seconds float64  `json:"seconds"`
}

// defaultSamples is enough to see something arrive.
const defaultSamples = 10

// maxCauses bounds the reasons that are kept for people.
const maxCauses = 10

// Run sends the events.
func (s *sendCommand) Run(ctx context.Context, c *console) error {
	if s.Batch < 1 || s.Count < 0 || s.Rate < 0 {
		return usageError("send: --batch must be at least 1, --count and --rate not negative")
	}
	p := newPoster(s.URL, s.Key, protocolNamed(s.Protocol))
	defer p.close()
	p.delayed = func(err error, wait time.Duration) { c.say("%v; next try in %s", err, wait.Round(time.Millisecond)) }
	events, done, err := s.events(c, p.protocol)
	if err != nil {
		return err
	}
	defer done()
	started := time.Now()
	report, err := s.sendAll(ctx, p, events, newProgress(c, started).sent)
	report.Seconds = time.Since(started).Seconds()
	if printErr := s.print(c, report); printErr != nil {
		return printErr
	}
	switch {
	case err != nil:
		return unreachableHint(fmt.Errorf("send: %w", err), s.URL)
	case report.Refused > 0:
		return fmt.Errorf("send: %d of %d events were refused", report.Refused, report.Sent)
	}
	return nil
}

// sendAll sends batch by batch and stops at the first that cannot be sent.
func (s *sendCommand) sendAll(ctx context.Context, p *poster, events iter.Seq2[[]byte, error], tell func(sendReport)) (sendReport, error) {
	report := sendReport{Causes: []string{}}
	limiter := rate.NewLimiter(rate.Inf, s.Batch)
	if s.Rate > 0 {
		limiter = rate.NewLimiter(rate.Limit(s.Rate), s.Batch)
	}
	for batch, err := range batches(events, s.Batch) {
		if err != nil {
			return report, err
		}
		if err := limiter.WaitN(ctx, len(batch)); err != nil {
			return report, fmt.Errorf("interrupted: %w", err)
		}
		got, err := p.post(ctx, batch)
		if err != nil {
			return report, err
		}
		report.add(got, len(batch))
		tell(report)
	}
	return report, nil
}

func (r *sendReport) add(got receipt, sent int) {
	r.Requests++
	r.Sent += sent
	r.Accepted += got.accepted
	r.Refused += got.refused
	r.Causes = append(r.Causes, got.causes[:min(len(got.causes), maxCauses-len(r.Causes))]...)
}

func (s *sendCommand) print(c *console, report sendReport) error {
	if s.JSON {
		return c.printJSON(report)
	}
	for _, cause := range report.Causes {
		c.say("refused: %s", cause)
	}
	c.print("%d sent, %d accepted, %d refused, in %.1f s", report.Sent, report.Accepted, report.Refused, report.Seconds)
	return nil
}

// batches groups events; an error comes after the events before it.
func batches(events iter.Seq2[[]byte, error], size int) iter.Seq2[[][]byte, error] {
	return func(yield func([][]byte, error) bool) {
		var batch [][]byte
		for event, err := range events {
			if err != nil {
				if len(batch) == 0 || yield(batch, nil) {
					yield(nil, err)
				}
				return
			}
			if batch = append(batch, event); len(batch) == size {
				if !yield(batch, nil) {
					return
				}
				batch = nil
			}
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}
