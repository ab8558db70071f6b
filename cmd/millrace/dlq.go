package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
	"github.com/millrace-dev/millrace/pkg/queue"
)

type dlqCommands struct {
	Ls    dlqLsCommand    `cmd:"" help:"List the dead letters."`
	Stats dlqStatsCommand `cmd:"" help:"Count the dead letters by sink, class and kind."`
	Show  dlqShowCommand  `cmd:"" help:"Tell the story of one dead letter."`
}

// dlqFlags say where the dead letters are.
type dlqFlags struct {
	awsFlags
	Queue string `default:"millrace-dlq" help:"Name or URL of the dead-letter queue."`
}

// letter is a dead letter with what its header says. Header is empty when the message is no pack.
type letter struct {
	message queue.Received
	header  batch.Header
	// trouble is why the message cannot be read as a pack.
	trouble error
}

// id names a letter to people: the pack's id, or SQS's when it is no pack.
func (l *letter) id() string {
	if l.header.ID != "" {
		return l.header.ID
	}
	return l.message.ID
}

func newLetter(m queue.Received) letter {
	header, err := batch.ParseHeader(m.Body)
	return letter{message: m, header: header, trouble: err}
}

// letterSource is a queue that can be looked through; *queue.Queue is one.
type letterSource interface {
	Receive(ctx context.Context, limit int, wait, visibility time.Duration) ([]queue.Received, error)
	Hide(ctx context.Context, d time.Duration, receipts ...string) error
}

const (
	// lookVisibility hides letters while a command looks through the queue. A command that is killed leaves
	// them hidden this long.
	lookVisibility = time.Minute
	// endWait is the long poll that tells the end of the queue from a slow answer.
	endWait = time.Second
)

// look calls visit for every letter that the filter means, until it says stop or the queue ends, and puts all letters back.
// SQS counts one more receive of each, which has no effect on a queue without a redrive policy of its own.
func look(ctx context.Context, source letterSource, filter deadletter.Filter, visit func(letter) (goOn bool)) (err error) {
	receipts := make(map[string]string) // by message id: only the latest receipt is good
	defer func() {
		if len(receipts) > 0 {
			err = errors.Join(err, source.Hide(context.WithoutCancel(ctx), 0, slices.Collect(maps.Values(receipts))...))
		}
	}()
	for {
		messages, err := source.Receive(ctx, queue.MaxEntries, endWait, lookVisibility)
		if err != nil {
			return fmt.Errorf("dead letters: %w", err)
		}
		fresh := keepNew(messages, receipts)
		if len(fresh) == 0 {
			return nil // the end, or the look took so long that letters come round again
		}
		for _, m := range fresh {
			if l := newLetter(m); fits(&l, filter) && !visit(l) {
				return nil
			}
		}
	}
}

// keepNew returns the messages that have no receipt yet, and writes down the receipts of all.
func keepNew(messages []queue.Received, receipts map[string]string) []queue.Received {
	var fresh []queue.Received
	for _, m := range messages {
		if _, seen := receipts[m.ID]; !seen {
			fresh = append(fresh, m)
		}
		receipts[m.ID] = m.Receipt
	}
	return fresh
}

// fits says whether a letter is meant. A message that is no pack has nothing to be filtered by.
func fits(l *letter, filter deadletter.Filter) bool {
	if l.trouble != nil {
		return filter == deadletter.Filter{}
	}
	return filter.Match(&l.header)
}

// open finds the queue of dead letters.
func (f dlqFlags) open(ctx context.Context) (*queue.Queue, error) {
	config, err := f.config(ctx)
	if err != nil {
		return nil, err
	}
	return queueNamed(ctx, sqs.NewFromConfig(config), f.Queue)
}
