package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/millrace-dev/millrace/pkg/queue"
)

type dlqImportCommand struct {
	dlqFlags
	File string `arg:"" type:"existingfile" help:"File that 'millrace dlq export' has written."`
	JSON bool   `help:"Print one JSON object with the counts."`
}

// Help shows how to use it.
func (dlqImportCommand) Help() string {
	return `Puts exported letters back on the dead-letter queue, under the ids they had. The whole file is checked first: of a damaged
one nothing is put back. Importing a file twice gives two letters of each id; what is replayed from both has one id again.

    millrace dlq import letters.ndjson`
}

// Run reads the file twice: to check it, and to put its letters back.
func (d *dlqImportCommand) Run(ctx context.Context, c *console) error {
	if err := d.each(func(queue.Outgoing) error { return nil }); err != nil {
		return fmt.Errorf("dlq import: nothing was put back: %s %w", d.File, err)
	}
	config, err := d.config(ctx)
	if err != nil {
		return err
	}
	client := sqs.NewFromConfig(config)
	target, err := queueNamed(ctx, client, d.named(d.Queue))
	if err != nil {
		return d.hint(err)
	}
	back := letterImport{target: target.WithBucket(&letterBucket{flags: d.dlqFlags}), client: client}
	if err = d.each(func(l queue.Outgoing) error { return back.add(ctx, l) }); err == nil {
		err = back.put(ctx)
	}
	if err != nil {
		return d.hint(fmt.Errorf("dlq import: %w\n%s were put back before", err, plural(back.sum.Letters, "letter")))
	}
	if d.JSON {
		return c.printJSON(back.sum)
	}
	c.print("put back %s with %s", plural(back.sum.Letters, "letter"), plural(back.sum.Events, "event"))
	return nil
}

// letterImport puts letters on a queue, ten at a time.
type letterImport struct {
	target  *queue.Queue
	client  *sqs.Client
	waiting []queue.Outgoing
	sum     letterSum
}

func (i *letterImport) add(ctx context.Context, l queue.Outgoing) error {
	if len(l.Message.Events) == 0 && l.Message.Header.Claim == "" {
		return i.putBody(ctx, l.Message.Body)
	}
	if i.waiting = append(i.waiting, l); len(i.waiting) < queue.MaxEntries {
		return nil
	}
	return i.put(ctx)
}

func (i *letterImport) put(ctx context.Context) error {
	if len(i.waiting) == 0 {
		return nil
	}
	if err := i.target.Send(ctx, i.waiting...); err != nil {
		return err
	}
	for _, l := range i.waiting {
		i.sum.Letters++
		i.sum.Events += l.Message.Header.Count
	}
	i.waiting = i.waiting[:0]
	return nil
}

// putBody puts a message back that is no pack and has no events: SQS takes no attribute without a value.
func (i *letterImport) putBody(ctx context.Context, body string) error {
	url := i.target.URL()
	if _, err := i.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}); err != nil {
		return fmt.Errorf("send to %s: %w", url, err)
	}
	i.sum.Letters++
	return nil
}

func (d *dlqImportCommand) each(visit func(queue.Outgoing) error) error {
	file, err := os.Open(d.File)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	defer func() { _ = file.Close() }()
	return eachExported(file, visit)
}
