package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/pkg/queue"
)

type statusCommand struct {
	awsFlags
	Queue       string `default:"millrace" help:"Name or URL of the main queue."`
	DeadLetters string `name:"dead-letters" default:"millrace-dlq" help:"Name or URL of the dead-letter queue."`
	JSON        bool   `help:"Print one JSON object."`
}

// Help shows how to use it.
func (statusCommand) Help() string {
	return `Shows how many packs and dead letters the queues hold and, of a 'millrace dev', both sides of the books:

    received = accepted + refused + filtered + sampled + limited + unaccounted                            at ingest
    carried + routed = delivered + deduped + rejected + dropped + dead letters + returned + in flight     for every sink

and whether they agree with what the queues hold: the difference is in flight by the books less in flight on the
queues. While a flush runs, it is what that flush has not reported yet. Which events differ, 'millrace audit' says.
Returned events came back with their message, because no queue took what was left of it, or another flush has it;
they are routed once more.

    millrace status
    millrace status --json | jq .sinks.http
    millrace status --json | jq '.balanced, .ingest.unaccounted, .sinks[].difference'

On AWS the books are CloudWatch metrics; there, only the queues are shown.`
}

// status is what is printed: the books, and how the sinks stand. Ingest and sinks are null where the endpoint tells no books.
type status struct {
	Queue       queue.Depth          `json:"queue"`
	DeadLetters queue.Depth          `json:"dead_letters"`
	Ingest      *ingestBooks         `json:"ingest"`
	Sinks       map[string]sinkBooks `json:"sinks"`
	Fresh       int                  `json:"fresh"`
	Counted     bool                 `json:"counted"`
	Balanced    bool                 `json:"balanced"`
	// States are those of the sinks that flushes have told each other of; a sink that is not there is well.
	States map[string]sinkState `json:"states"`
}

// Run prints the status.
func (s *statusCommand) Run(ctx context.Context, c *console) error {
	current, err := s.read(ctx)
	if err != nil {
		return s.hint(err)
	}
	if s.JSON {
		return c.printJSON(current)
	}
	c.print("%s", strings.TrimRight(describe(current), "\n"))
	return nil
}

func (s *statusCommand) read(ctx context.Context) (status, error) {
	config, err := s.config(ctx)
	if err != nil {
		return status{}, err
	}
	client := sqs.NewFromConfig(config)
	var current status
	if current.Queue, err = depthOf(ctx, client, s.named(s.Queue)); err != nil {
		return status{}, err
	}
	if current.DeadLetters, err = depthOf(ctx, client, s.named(s.DeadLetters)); err != nil {
		return status{}, err
	}
	if s.address() == realAWS {
		return current, nil
	}
	var told books
	err = askPage(ctx, s.address(), booksPath, &told)
	if errors.Is(err, errNoPage) {
		return current, nil
	}
	current.Ingest, current.Sinks = &told.Ingest, told.Sinks
	current.Fresh, current.Counted, current.Balanced = told.Fresh, told.Counted, told.Balanced
	current.States = readStates(ctx, config, s.named(devstack.DedupTable), told.sinkNames())
	return current, err
}

func depthOf(ctx context.Context, client *sqs.Client, name string) (queue.Depth, error) {
	q, err := queueNamed(ctx, client, name)
	if err != nil {
		return queue.Depth{}, err
	}
	return q.Depth(ctx) //nolint:wrapcheck // names the queue already
}

func describe(s status) string {
	if s.Ingest == nil {
		return fmt.Sprintf("queue    %s waiting, %d being delivered, %d delayed\ndead     %s\nThis endpoint tells no books; on AWS they are metrics.",
			plural(s.Queue.Visible, "pack"), s.Queue.InFlight, s.Queue.Delayed, plural(s.DeadLetters.Total(), "letter"))
	}
	text := table(books{Queue: s.Queue, DeadLetters: s.DeadLetters, Ingest: *s.Ingest, Sinks: s.Sinks})
	return text + describeStates(s.States) + describeBalance(&s)
}

// describeBalance says whether the books balance, and where they do not.
func describeBalance(s *status) string {
	var t strings.Builder
	if s.Ingest.Unaccounted != 0 {
		fmt.Fprintf(&t, "%d items at ingest are not accounted for: an invocation was killed before it could report, or this is a bug\n",
			s.Ingest.Unaccounted)
	}
	if !s.Counted {
		t.WriteString("balance  not known: the queues are too deep to be looked through, or were at the start\n")
		return t.String()
	}
	for _, name := range slices.Sorted(maps.Keys(s.Sinks)) {
		if sink := s.Sinks[name]; sink.Difference != 0 {
			fmt.Fprintf(&t, "sink %s: %d in flight by the books, %d on the queues, difference %d\n", name, sink.InFlight, sink.Held, sink.Difference)
		}
	}
	switch {
	case s.Balanced:
		t.WriteString("balance  the books agree with the queues")
	case s.Queue.InFlight > 0:
		t.WriteString("balance  the books differ from the queues; a running flush has not reported yet")
	default:
		t.WriteString("balance  the books differ from the queues: a flush was killed before it could report, or this is a bug; millrace audit says more")
	}
	if s.Fresh > 0 {
		fmt.Fprintf(&t, "; %s waiting for a flush", plural(s.Fresh, "event"))
	}
	t.WriteByte('\n')
	return t.String()
}
