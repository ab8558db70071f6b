package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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

	Export  dlqExportCommand  `cmd:"" help:"Write dead letters to a file."`
	Import  dlqImportCommand  `cmd:"" help:"Put exported letters back."`
	Discard dlqDiscardCommand `cmd:"" help:"Delete dead letters for good."`
}

// dlqFlags say where the dead letters are.
type dlqFlags struct {
	awsFlags
	Queue  string `default:"millrace-dlq" help:"Name or URL of the dead-letter queue."`
	Bucket string `placeholder:"NAME" help:"Bucket with the events that are too large for the queue. Default: the one that the functions use."`
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
	// lookVisibility hides letters while a command looks through the queue, and takeVisibility while one writes them away.
	// A command that is killed leaves them hidden this long.
	lookVisibility = time.Minute
	takeVisibility = 10 * time.Minute
	// endWait is the long poll that tells the end of the queue from a slow answer.
	endWait = time.Second
)

// look calls visit for every letter that the filter means, until it says stop or the queue ends, and puts all letters back.
// SQS counts one more receive of each, which has no effect on a queue without a redrive policy of its own.
func look(ctx context.Context, source letterSource, filter deadletter.Filter, visit func(letter) (goOn bool)) error {
	choice := letterChoice{Filter: filter}
	return through(ctx, source, lookVisibility, func(letters []letter, _ map[string]string) (bool, error) {
		for i := range letters {
			if choice.means(&letters[i]) && !visit(letters[i]) {
				return false, nil
			}
		}
		return true, nil
	})
}

// through calls visit for all letters, as they are received, until it says stop or the queue ends, and puts back those whose
// receipts are then still there. The receipts are by message id; visit deletes those of the letters that it has deleted.
func through(ctx context.Context, source letterSource, visibility time.Duration,
	visit func(letters []letter, receipts map[string]string) (goOn bool, err error),
) (err error) {
	receipts := make(map[string]string) // only the latest receipt of a letter is good
	defer func() {
		if len(receipts) > 0 {
			err = errors.Join(err, source.Hide(context.WithoutCancel(ctx), 0, slices.Collect(maps.Values(receipts))...))
		}
	}()
	for {
		messages, err := source.Receive(ctx, queue.MaxEntries, endWait, visibility)
		if err != nil {
			return fmt.Errorf("dead letters: %w", err)
		}
		fresh := keepNew(messages, receipts)
		if len(fresh) == 0 {
			return nil // the end, or the look took so long that letters come round again
		}
		letters := make([]letter, len(fresh))
		for i := range fresh {
			letters[i] = newLetter(fresh[i])
		}
		if goOn, err := visit(letters, receipts); err != nil || !goOn {
			return err
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

// letterChoice says which letters a command is about.
type letterChoice struct {
	deadletter.Filter

	idPrefix string
}

// all says whether nothing narrows the choice down.
func (c letterChoice) all() bool { return c == letterChoice{} }

// means says whether a letter is meant. A message that is no pack has nothing to be filtered by but its id.
func (c letterChoice) means(l *letter) bool {
	if !strings.HasPrefix(l.id(), c.idPrefix) {
		return false
	}
	if l.trouble != nil {
		return c.Filter == deadletter.Filter{}
	}
	return c.Match(&l.header)
}

// open finds the queue of dead letters.
func (f dlqFlags) open(ctx context.Context) (*queue.Queue, error) {
	config, err := f.config(ctx)
	if err != nil {
		return nil, err
	}
	return queueNamed(ctx, sqs.NewFromConfig(config), f.named(f.Queue))
}
