package chaos

import (
	"context"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
	"github.com/millrace-dev/millrace/tests/chaos/oracle"
)

const (
	// settleTime is how long nothing must have been under way before hidden messages are taken for orphans.
	settleTime = 400 * time.Millisecond
	lookEvery  = 20 * time.Millisecond
	// replayAll lets a letter be replayed as often as it takes.
	replayAll = `{"max_generation":1000}`
)

// drain lets everything come to its end in fair weather: the flush empties the queue, and dead letters are replayed until
// there are none. Instead of waiting out visibility timeouts and delays, it ends them once nothing is under way.
func (w *world) drain(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	quiet := time.Now()
	calmer := patience{wait: settleTime}
	for ctx.Err() == nil {
		main, letters := w.depth(devstack.MainQueue), w.depth(devstack.LetterQueue)
		if main.Visible > 0 || w.server.Mappings()[0].InFlight() > 0 {
			quiet = time.Now()
		}
		switch calm := time.Since(quiet) > calmer.wait; {
		case main.Visible > 0 && w.weather.plan.Scheduled:
			w.drainOnce(ctx)
		case total(main)+total(letters) == 0 && calm:
			return
		case total(main) > 0 && calm:
			calmer.look(total(main))
			w.hasten(devstack.MainQueue)
			quiet = time.Now()
		case total(main) == 0 && total(letters) > 0 && calm:
			w.hasten(devstack.LetterQueue)
			_, _ = w.invoke(ctx, devstack.Replay, replayAll) // what it leaves is found again
			quiet = time.Now()
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// patience grows while a queue does not: packs that a flush held when it died come back in vain until its lease is over, and
// SQS counts how often they come.
type patience struct {
	wait time.Duration
	left int
}

func (p *patience) look(left int) {
	if p.wait = min(2*p.wait, visibility); left < p.left {
		p.wait = settleTime
	}
	p.left = left
}

// hasten makes all hidden messages of a queue visible.
func (w *world) hasten(queue string) {
	w.disturb(queue, func(held sqs.Held) (time.Duration, bool) { return 0, held != sqs.HeldVisible })
}

func (w *world) depth(queue string) sqs.Depth {
	depth, _ := w.server.SQS().Depth(queue) // fails only without the queue
	return depth
}

func total(d sqs.Depth) int { return d.Visible + d.InFlight + d.Delayed }

// leftovers are the events on both queues.
func (w *world) leftovers() ([]oracle.Leftover, error) {
	var all []oracle.Leftover
	for _, queue := range []string{devstack.MainQueue, devstack.LetterQueue} {
		messages, err := w.server.SQS().Peek(queue)
		if err != nil {
			return nil, fmt.Errorf("peek: %w", err)
		}
		for i := range messages {
			all = append(all, leftoversIn(queue, &messages[i])...)
		}
	}
	return all, nil
}

// leftoversIn are the events of a message. One that is no pack counts as one event that nobody knows.
func leftoversIn(queue string, m *sqs.Message) []oracle.Leftover {
	p, err := batch.Decode([]byte(m.Body), m.MessageAttributes[batch.AttributeName].BinaryValue)
	if err != nil {
		return []oracle.Leftover{{Where: fmt.Sprintf("%s: not a pack: %v", queue, err)}}
	}
	h := &p.Header
	where := fmt.Sprintf("%s: pack %s, attempt %d, generation %d, reason %+v", queue, h.ID, h.Attempt, h.Generation, h.Reason)
	left := make([]oracle.Leftover, len(p.Events))
	for i := range p.Events {
		left[i] = oracle.Leftover{
			Key: oracle.Key{Tenant: p.Events[i].Tenant, ID: p.Events[i].ID}, Where: where, Sink: h.Sink,
			Terminal: queue == devstack.LetterQueue && !deadletter.Replayable(h),
		}
	}
	return left
}
