package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type logsCommand struct {
	Function string    `arg:"" enum:"ingest,flush,replay" help:"Whose log: ingest, flush or replay."`
	Follow   bool      `short:"f" help:"Go on with what is written from now on, until Ctrl-C."`
	Since    timeOrAge `placeholder:"TIME" help:"Only what was written since then: 2026-03-01T10:00:00Z, or 90m for 90 minutes ago."`
	Data     string    `default:".millrace" placeholder:"DIR" help:"The data directory of 'millrace dev'. Default: ${default}."`
}

// Help shows how to use it.
func (logsCommand) Help() string {
	return `Prints what a function has written, under a 'millrace dev' that runs or has run: DIR/logs/FUNCTION.log, with the
older files before it. Each line is one JSON object, a log line or the counts of one invocation ("_aws").

    millrace logs flush
    millrace logs -f --since 5m ingest
    millrace logs flush | jq -r 'select(.level == "WARN") | .message + ": " + .cause'

On AWS, the logs are in CloudWatch: aws logs tail --follow /aws/lambda/STACK-flush`
}

// Run prints the log.
func (l *logsCommand) Run(ctx context.Context, c *console) error {
	if l.Data == inMemory {
		return usageError("logs: a 'millrace dev' whose data is in memory keeps no logs")
	}
	path := filepath.Join(l.Data, "logs", l.Function+".log")
	tail, err := openTail(path)
	if err != nil {
		return err
	}
	defer tail.close()
	printer := linePrinter{console: c, since: l.Since.Time}
	if err := tail.read(printer.take); err != nil {
		return err
	}
	for l.Follow && ctx.Err() == nil {
		awaitTick(ctx, logInterval)
		if err := tail.read(printer.take); err != nil {
			return err
		}
	}
	printer.end()
	return nil
}

// logInterval is how often a log that is followed is looked at.
const logInterval = 100 * time.Millisecond

// awaitTick waits, but not past the end of ctx.
func awaitTick(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// linePrinter prints whole lines from a time on.
type linePrinter struct {
	console *console
	since   time.Time
	rest    []byte // the beginning of a line whose end is not written yet
	late    bool   // the last line that tells its time is from that time on
}

// take prints the lines in a piece of a log.
func (p *linePrinter) take(piece []byte) {
	whole := bytes.LastIndexByte(piece, '\n') + 1
	if whole > 0 {
		for line := range bytes.Lines(append(p.rest, piece[:whole]...)) {
			p.print(line)
		}
		p.rest = p.rest[:0]
	}
	p.rest = append(p.rest, piece[whole:]...)
}

// end prints a last line that has no end.
func (p *linePrinter) end() {
	if len(p.rest) > 0 {
		p.print(append(p.rest, '\n'))
	}
}

func (p *linePrinter) print(line []byte) {
	if !p.since.IsZero() {
		if at := timeOf(line); !at.IsZero() {
			p.late = !at.Before(p.since)
		}
		if !p.late { // a stack trace belongs to the line before it
			return
		}
	}
	_, _ = p.console.out.Write(line) // what fails is the console, which nobody could be told of
}

// timeOf reads when a line was written; the zero time when it does not say.
func timeOf(line []byte) time.Time {
	var written struct {
		Timestamp time.Time      `json:"timestamp"`
		Time      jsontext.Value `json:"time"` // of a line of Lambda itself
		AWS       struct {
			Timestamp int64 `json:"Timestamp"` // of a metric line, in milliseconds
		} `json:"_aws"`
	}
	if !bytes.HasPrefix(line, []byte("{")) || json.Unmarshal(line, &written) != nil {
		return time.Time{}
	}
	if written.AWS.Timestamp != 0 {
		return time.UnixMilli(written.AWS.Timestamp)
	}
	if written.Timestamp.IsZero() {
		_ = json.Unmarshal(written.Time, &written.Timestamp) // in a line of a function it may mean anything
	}
	return written.Timestamp
}

// noLog says that there is nothing to print, and what to do.
func noLog(path string) error {
	return fmt.Errorf("there is no %s\nSay with --data where 'millrace dev' keeps its data, or start it in this directory", path)
}
