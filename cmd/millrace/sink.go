package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/millrace-dev/millrace/internal/demosink"
)

type sinkCommand struct {
	Listen     string        `default:"127.0.0.1:9000" help:"Address to listen on. Port 0 takes a free one."`
	Status     int           `help:"Answer with this status instead of 200."`
	FailRate   float64       `help:"Share of the requests that fail, 0 to 1. Default: all, once another failure is asked for."`
	Delay      time.Duration `help:"Wait before every answer."`
	RetryAfter time.Duration `help:"Send Retry-After with failing answers."`
	Hang       bool          `help:"Let failing requests wait until the client gives up."`
	Reset      bool          `help:"Reset the connection of failing requests."`
	Partial    bool          `help:"Take the first half of a failing request's events before it fails."`
	Out        string        `type:"path" placeholder:"FILE" help:"Append every event that is taken to FILE, one a line."`
	JSON       bool          `help:"Print one JSON object when ready and one at the end, on standard output."`
}

// Help shows how to use it.
func (sinkCommand) Help() string {
	return `Takes events as the http sink sends them, counts unique ids and duplicates, and shows what arrives.

    millrace sink
    millrace sink --fail-rate 0.3 --status 503
    millrace sink --listen 127.0.0.1:0 --out events.ndjson

It can be told to fail and to recover while it runs:

    curl -d '{"status":500}' http://127.0.0.1:9000/_sink
    curl -d '{}'             http://127.0.0.1:9000/_sink
    curl 'http://127.0.0.1:9000/_sink?ids=1'`
}

// Run takes events until it is interrupted.
func (s *sinkCommand) Run(ctx context.Context, c *console) error {
	options := demosink.Options{Behaviour: s.behaviour(), Arrived: func(a demosink.Arrival) { c.say("%s", arrivalLine(a)) }}
	if err := options.Behaviour.Check(); err != nil {
		return usageError("sink: %w", err)
	}
	if s.Out != "" {
		file, err := os.OpenFile(s.Out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("sink --out: %w", err)
		}
		defer func() { _ = file.Close() }() // every write was answered for already
		options.Out = file
	}
	server, err := demosink.Start(s.Listen, demosink.New(options))
	if err != nil {
		return listenHint(err, "--listen")
	}
	defer server.Close()
	if err := s.ready(c, server.URL()); err != nil {
		return err
	}
	<-ctx.Done()
	server.Close()
	return s.summary(c, server.Stats())
}

func (s *sinkCommand) behaviour() demosink.Behaviour {
	return demosink.Behaviour{
		Status: s.Status, FailRate: s.FailRate, Delay: s.Delay, RetryAfter: s.RetryAfter,
		Hang: s.Hang, Reset: s.Reset, Partial: s.Partial,
	}
}

func (s *sinkCommand) ready(c *console, url string) error {
	if s.JSON {
		return c.printJSON(struct {
			Ready bool   `json:"ready"`
			URL   string `json:"url"`
			PID   int    `json:"pid"`
		}{true, url, os.Getpid()})
	}
	c.say("sink ready at %s, Ctrl-C ends it", url)
	return nil
}

func (s *sinkCommand) summary(c *console, stats demosink.Stats) error {
	if s.JSON {
		return c.printJSON(stats)
	}
	c.print("%d events in %d requests (%d failed): %d unique ids, %d duplicates",
		stats.Events, stats.Requests, stats.Failed, stats.Unique, stats.Duplicates)
	return nil
}

// arrivalLine tells of one request: "10:00:00 /in 200 took 500 of 500 events, first 0195e0a4-…".
func arrivalLine(a demosink.Arrival) string {
	status := "no answer"
	if a.Status != 0 {
		status = fmt.Sprint(a.Status)
	}
	line := fmt.Sprintf("%s %s %s took %d of %d events", time.Now().Format(time.TimeOnly), a.Path, status, a.Taken, len(a.Records))
	if len(a.Records) > 0 && a.Records[0].ID != "" {
		line += ", first " + a.Records[0].ID
	}
	return line
}
