package flush

import (
	"context"
	"time"

	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// returned is a message that must come back.
type returned struct {
	message int           // its index
	after   time.Duration // when it is worth while to try again
}

// comeBack notes that a message must come back after some time, which grows with the number of
// times that it was received.
func (r *run) comeBack(message int, after time.Duration) {
	r.back[message] = max(r.back[message], wait(after, r.messages[message].ReceiveCount))
}

// comeBackWith notes that a message must come back with events that have found no end, and
// leaves them to the books of the flush that gets it.
func (r *run) comeBackWith(message int, sinkName string, events []origin) {
	r.comeBack(message, troublePause)
	r.count(ledger.Returned, sinkName, "", len(events))
}

// routeAgain enters once more what comes back with a residue. Fresh packs enter the books
// whenever they are met, but a residue is in flight until it is settled: what has found its end
// or was returned comes back with it all the same, to find another end.
func (r *run) routeAgain() {
	for i := range r.packs {
		p := &r.packs[i]
		if _, back := r.back[p.message]; back && !firstTime(&p.Header) {
			r.count(ledger.Routed, p.Header.Sink, "", len(p.Events))
		}
	}
}

const (
	// troublePause is how long a message waits at first that only we, not its sinks, are in trouble with:
	// the bucket or a queue is away, or a newer Millrace must read it. With five receives it
	// waits for 80 minutes in all before SQS moves it to the dead letters.
	troublePause = 15 * time.Second
	// longestWait is the longest that a message is hidden: the lease of the longest function,
	// 15 minutes, four times.
	longestWait = time.Hour
)

// wait is how long a message stays hidden that was received so often. It waits four times as
// long each time, because SQS counts: a store, bucket or queue that is away for some minutes
// must not make a good message exceed its maxReceiveCount.
func wait(after time.Duration, receives int) time.Duration {
	for range receives - 1 {
		after = min(4*after, longestWait)
	}
	return min(after, longestWait)
}

// hide lets messages come back when it is worth while. When it fails, they come when their
// visibility timeout ends.
func (f *Flusher) hide(ctx context.Context, source Source, messages []queue.Received, back []returned) {
	due := make(map[time.Duration][]string)
	for _, b := range back {
		due[b.after] = append(due[b.after], messages[b.message].Receipt)
	}
	for after, receipts := range due {
		if err := source.Hide(ctx, after, receipts...); err != nil {
			f.Logger.Warn("messages come back with their visibility timeout only", "messages", len(receipts), "cause", err)
		}
	}
}

// indexes are those of the messages that must come back.
func indexes(back []returned) []int {
	var all []int
	for _, b := range back {
		all = append(all, b.message)
	}
	return all
}
