package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/queue"
)

const (
	// endWait is the long poll that tells the end of the queue from a slow answer.
	endWait = time.Second
	// lookVisibility hides letters that were looked at and left, from the end of a run's
	// time on, so that the next run goes on behind them.
	lookVisibility = 5 * time.Minute
	// maxHeld bounds the letters held back at once: SQS allows 120,000 messages in
	// flight (Amazon SQS Developer Guide, "Message quotas"); others may need some.
	maxHeld = 100_000
	// hiders is how many calls put letters back side by side.
	hiders = 10
	// marginShare is the part of an invocation's time that is kept back to put letters
	// back and report. Putting back takes a tenth of the calls of looking at a time.
	marginShare = 6
)

// run is the state of one invocation.
type run struct {
	*Replayer

	request Request
	report  Report
	// held are the receipts of the letters that this run has taken and not deleted, by
	// message id: should one come round again, only its latest receipt is good.
	held map[string]string
}

func newRun(r *Replayer, request Request) *run {
	return &run{
		Replayer: r, request: request, held: make(map[string]string),
		report: Report{DryRun: request.DryRun, Counts: []Count{}},
	}
}

// pull looks at letters until there are no more of them, or no more is allowed. Only
// waiting for letters ends early, a moment before ctx: those taken are still moved.
func (r *run) pull(ctx context.Context) error {
	pulling, stop := untilMargin(ctx)
	defer stop()
	visibility := lookVisibility
	if deadline, ok := ctx.Deadline(); ok {
		visibility += time.Until(deadline) // nothing comes round again within the run
	}
	for !r.limited(0) && len(r.held) < maxHeld && pulling.Err() == nil {
		letters, err := r.Letters.Receive(pulling, queue.MaxEntries, endWait, visibility)
		if pulling.Err() != nil && err != nil {
			break // the deadline is an expected end, told by More
		}
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		letters = r.hold(letters)
		if len(letters) == 0 {
			return nil // the end, or the run took so long that letters come round again
		}
		if err := r.replay(ctx, letters); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
	}
	r.report.More = true
	return nil
}

func untilMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/marginShare))
}

// limited says whether the limit is reached when chosen letters more are replayed.
func (r *run) limited(chosen int) bool {
	return r.request.Limit > 0 && r.report.Replayed+chosen >= r.request.Limit
}

// hold notes the receipts of letters and returns those that are seen for the first time.
func (r *run) hold(letters []queue.Received) []queue.Received {
	fresh := letters[:0]
	for _, letter := range letters {
		if _, seen := r.held[letter.ID]; !seen {
			fresh = append(fresh, letter)
		}
		r.held[letter.ID] = letter.Receipt
	}
	return fresh
}

// move is a letter on its way back to the main queue.
type move struct {
	header  batch.Header
	message batch.Message
	id      string // of the letter's message
}

// replay sends those of the letters that the request means, and deletes what is
// confirmed on the main queue. What is over the limit is not even looked at.
func (r *run) replay(ctx context.Context, letters []queue.Received) error {
	var chosen []move
	for i := range letters {
		if r.limited(len(chosen)) {
			break
		}
		h, ok := r.choose(&letters[i])
		if !ok {
			continue
		}
		m, err := batch.Readdress(h, letters[i].Events, r.request.target(&h))
		if err != nil {
			return fmt.Errorf("letter %s: %w", h.ID, err)
		}
		chosen = append(chosen, move{h, m, letters[i].ID})
	}
	if !r.request.DryRun && len(chosen) > 0 {
		return r.send(ctx, chosen)
	}
	for i := range chosen {
		r.report.add(&chosen[i].header)
	}
	return nil
}

// choose says whether a letter is meant, and counts the one that is not.
func (r *run) choose(letter *queue.Received) (batch.Header, bool) {
	r.report.Scanned++
	h, err := batch.ParseHeader(letter.Body)
	var why string
	switch {
	case err == nil:
		why = r.request.leave(&h)
	case errors.Is(err, batch.ErrNewerVersion):
		why = leftNewer
	default:
		why = leftUnknown
	}
	if why != "" {
		r.report.leave(why, 1)
	}
	return h, why == ""
}

// send puts packs on the main queue and deletes the letters of those that arrived. The
// others are held, to be found again by the next run.
//
// A letter that cannot be deleted stays hidden until its visibility ends, as nobody
// knows which of them SQS has deleted; replayed again it becomes the same pack.
func (r *run) send(ctx context.Context, chosen []move) error {
	out := make([]queue.Outgoing, len(chosen))
	for i := range chosen {
		out[i].Message = chosen[i].message
	}
	sendErr := r.Queue.Send(ctx, out...)
	var receipts []string
	for i := range chosen {
		if lost(sendErr, i) {
			continue
		}
		r.report.add(&chosen[i].header)
		receipts = append(receipts, r.held[chosen[i].id])
		delete(r.held, chosen[i].id)
	}
	return errors.Join(sendErr, r.Letters.Delete(ctx, receipts...))
}

// lost says whether the i-th message is not known to be on the queue.
func lost(err error, i int) bool {
	failure, ok := errors.AsType[*queue.SendError](err)
	if !ok {
		return err != nil
	}
	return slices.Contains(failure.Failed, i)
}

// putBack makes the letters that stay visible again at the end of a run, unless the next
// one is to go on behind them. It does so even when ctx was cancelled.
func (r *run) putBack(ctx context.Context) error {
	if r.goesOn() {
		return nil
	}
	ctx, stop := uncancelled(ctx)
	defer stop()
	var (
		group sync.WaitGroup
		mu    sync.Mutex
		errs  error
	)
	receipts := slices.Collect(maps.Values(r.held))
	for part := range slices.Chunk(receipts, max(queue.MaxEntries, (len(receipts)+hiders-1)/hiders)) {
		group.Go(func() {
			err := r.Letters.Hide(ctx, 0, part...)
			mu.Lock()
			defer mu.Unlock()
			errs = errors.Join(errs, err)
		})
	}
	group.Wait()
	if errs != nil {
		return fmt.Errorf("put letters back: %w", errs)
	}
	return nil
}

// goesOn says whether the next run should find only what this one has not looked at. A
// dry run never hides what a real run right after it should see.
func (r *run) goesOn() bool {
	return r.report.More && r.request.Limit == 0 && !r.request.DryRun
}

// uncancelled keeps the deadline of ctx only.
func uncancelled(ctx context.Context) (context.Context, context.CancelFunc) {
	free := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(free, deadline)
	}
	return context.WithCancel(free)
}

// audit leaves one line per run: what was asked, and what was done.
func (r *run) audit(ctx context.Context, err error) {
	r.Logger.InfoContext(ctx, "replay", "request", r.request, "scanned", r.report.Scanned, "replayed", r.report.Replayed,
		"events", r.report.Events, "left", r.report.Left, "more", r.report.More, "error", err)
}
