package main

import (
	"context"
	"time"
)

// drainInterval is how often a drain looks at the queue.
const drainInterval = 100 * time.Millisecond

// drain stops the intake, lets the flush empty the queue for a while and says what is left. Nobody waits for packs whose delay
// ends later.
func (d *devCommand) drain(c *console, started *cloud) error {
	ctx, cancel := context.WithTimeout(context.Background(), d.Drain)
	defer cancel()
	started.stopIntake(ctx)
	if left := started.books(); left.Queue.Total() > 0 {
		c.say("draining %s for up to %s, Ctrl-C again ends at once", plural(left.Queue.Total(), "pack"), d.Drain)
	}
	awaitEmpty(ctx, func() int { depth := started.books().Queue; return depth.Visible + depth.InFlight })
	left := started.books()
	if err := started.close(); err != nil {
		return err
	}
	packs, letters := left.Queue.Total(), left.DeadLetters.Total()
	fate := "kept in " + d.Data + " for the next start"
	if d.Data == inMemory {
		fate = "gone, because the queues are in memory"
	}
	if packs+letters == 0 {
		c.say("stopped: nothing was left on the queues")
	} else {
		c.say("stopped: %s on the queue and %s were left; they are %s", plural(packs, "pack"), plural(letters, "dead letter"), fate)
	}
	return nil
}

// awaitEmpty returns when count says 0 or ctx ends.
func awaitEmpty(ctx context.Context, count func() int) {
	ticker := time.NewTicker(drainInterval)
	defer ticker.Stop()
	for count() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
