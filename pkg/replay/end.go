package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/queue"
)

// hiders is how many calls put letters back side by side.
const hiders = 10

// putBack makes the letters that stay visible again at the end of a run, unless the next
// one is to go on behind them. It does so even when ctx was cancelled.
func (r *run) putBack(ctx context.Context) error {
	receipts := slices.Collect(maps.Values(r.held))
	if r.goesOn() {
		receipts = receipts[:0]
		for _, id := range r.unsent {
			receipts = append(receipts, r.held[id])
		}
	}
	ctx, stop := uncancelled(ctx)
	defer stop()
	if err := release(ctx, r.Letters, receipts); err != nil {
		return fmt.Errorf("put letters back: %w", err)
	}
	return nil
}

// release makes letters visible, by several calls side by side.
func release(ctx context.Context, letters Letters, receipts []string) error {
	var (
		group sync.WaitGroup
		mu    sync.Mutex
		errs  error
	)
	for part := range slices.Chunk(receipts, max(queue.MaxEntries, (len(receipts)+hiders-1)/hiders)) {
		group.Go(func() {
			err := letters.Hide(ctx, 0, part...)
			mu.Lock()
			defer mu.Unlock()
			errs = errors.Join(errs, err)
		})
	}
	group.Wait()
	return errs
}

// goesOn says whether the next run should find only what this one has not looked at. A
// dry run never hides what a real run right after it should see, and a run with a limit
// only when somebody is to go on with it.
func (r *run) goesOn() bool {
	followed := r.request.Limit == 0 || r.request.Seconds > 0 || r.request.Continue
	return r.report.More && followed && !r.limited(0) && !r.request.DryRun
}

// uncancelled keeps the deadline of ctx only.
func uncancelled(ctx context.Context) (context.Context, context.CancelFunc) {
	free := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(free, deadline)
	}
	return context.WithCancel(free)
}

// proceed invokes the function again when the request wants that and the run was not
// complete. A run that holds all that SQS lets it hold ends there: its next would meet
// the same bound at once.
func (r *run) proceed(ctx context.Context) error {
	if !r.request.Continue || !r.goesOn() || r.request.Continuation >= maxContinuations || len(r.held) >= maxHeld {
		return nil
	}
	payload, err := json.Marshal(r.request.next(&r.report))
	if err != nil {
		return fmt.Errorf("encode the next request: %w", err)
	}
	if err := r.Self.Invoke(ctx, payload); err != nil {
		return fmt.Errorf("go on: %w", err)
	}
	r.report.Continued = true
	return nil
}

// finish completes the report.
func (r *run) finish() {
	r.report.sort()
	if r.request.DryRun {
		r.bill.putBack(r.report.Scanned - r.report.Replayed)
		r.report.Estimate = r.bill.estimate(r.report.Events, r.request.Rate)
	}
}

// audit leaves one line per invocation: who asked for what, and what was done.
func (r *run) audit(ctx context.Context, err error) {
	r.Logger.InfoContext(ctx, "replay", "run", r.request.Run, "continuation", r.request.Continuation, "by", r.request.By,
		"started", r.request.Started, "request", r.request, "scanned", r.report.Scanned, "replayed", r.report.Replayed,
		"events", r.report.Events, "bytes", r.report.Bytes, "split", r.report.Split, "left", r.report.Left,
		"more", r.report.More, "continued", r.report.Continued, "error", err)
}
