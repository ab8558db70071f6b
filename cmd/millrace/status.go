package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

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

    received = accepted + refused + filtered + sampled + limited      at ingest
    routed   = delivered + deduped + rejected + dead letters + in flight   for every sink

    millrace status
    millrace status --json | jq .sinks.http

On AWS the books are CloudWatch metrics; there, only the queues are shown.`
}

// status is what is printed. The books are null where the endpoint has none.
type status struct {
	Queue       queue.Depth          `json:"queue"`
	DeadLetters queue.Depth          `json:"dead_letters"`
	Ingest      *ingestBooks         `json:"ingest"`
	Sinks       map[string]sinkBooks `json:"sinks"`
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
	if s.Ingest.Unaccounted != 0 {
		text += fmt.Sprintf("%d items at ingest are not accounted for: an invocation was killed before it could report, or this is a bug\n",
			s.Ingest.Unaccounted)
	}
	return text
}
