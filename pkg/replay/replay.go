package replay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// Sender puts packs on the main queue; *queue.Queue is one.
type Sender interface {
	Send(ctx context.Context, messages ...queue.Outgoing) error
}

// Letters is the dead-letter queue; *queue.Queue is one.
type Letters interface {
	Receive(ctx context.Context, limit int, wait, visibility time.Duration) ([]queue.Received, error)
	Delete(ctx context.Context, receipts ...string) error
	Hide(ctx context.Context, d time.Duration, receipts ...string) error
}

// Options are what a Replayer works with.
type Options struct {
	Letters Letters
	Queue   Sender
	// Sinks are the names that Request.To may hold.
	Sinks []string
	// Logger; nil means slog.Default().
	Logger *slog.Logger
}

// Replayer replays dead letters. It is safe for concurrent use: two runs at once share
// the letters between them.
type Replayer struct {
	Options
}

// New checks the options and returns a Replayer.
func New(o Options) (*Replayer, error) {
	if o.Letters == nil || o.Queue == nil {
		return nil, errors.New("replay: Letters and Queue are required")
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Replayer{Options: o}, nil
}

const (
	// endWait is the long poll that tells the end of the queue from a slow answer.
	endWait = time.Second
	// lookVisibility hides letters that were looked at and left while a run goes on, in
	// this invocation or the next.
	lookVisibility = 5 * time.Minute
	// margin is kept back of an invocation's time to put letters back and report.
	margin = 3 * time.Second
	// maxHeld bounds the letters held back at once: SQS allows 120,000 messages in
	// flight (Amazon SQS Developer Guide, "Message quotas"); a flush may need some.
	maxHeld = 100_000
)

// Invoke is the replay function: a lambda.Handler that takes a Request and returns a
// Report.
func (r *Replayer) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	request, err := parseRequest(payload)
	if err != nil {
		return nil, err
	}
	report, err := r.Run(ctx, request)
	if err != nil {
		return nil, err
	}
	out, err := json.Marshal(report, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	return out, nil
}

// Run replays what the request means, until the end of the queue, the limit or a
// moment before ctx's deadline. On an error some letters may have been replayed; those
// are gone from the dead letters, so running again is safe.
func (r *Replayer) Run(ctx context.Context, request Request) (Report, error) {
	if err := request.check(r.Sinks); err != nil {
		return Report{}, err
	}
	pulling, stop := untilMargin(ctx)
	defer stop()
	run := run{Replayer: r, request: request, report: Report{DryRun: request.DryRun, Counts: []Count{}}}
	err := run.pull(pulling)
	if back := run.putBack(ctx); err == nil {
		err = back
	}
	run.report.sort()
	run.audit(err)
	return run.report, err
}

func untilMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(margin, time.Until(deadline)/5)))
}

// run is the state of one invocation.
type run struct {
	*Replayer
	request Request
	report  Report
	held    []string // receipts of the letters that stay
}

// pull looks at letters until there are no more of them, or no more is allowed.
func (r *run) pull(ctx context.Context) error {
	for !r.limited() {
		letters, err := r.Letters.Receive(ctx, r.room(), endWait, lookVisibility)
		if ctx.Err() != nil {
			r.report.More = true
			return nil //nolint:nilerr // the deadline is an expected end, told by More
		}
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		if len(letters) == 0 {
			return nil
		}
		if err := r.replay(ctx, letters); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
	}
	r.report.More = true
	return nil
}

func (r *run) limited() bool {
	return len(r.held) >= maxHeld || (r.request.Limit > 0 && r.report.Replayed >= r.request.Limit)
}

// room is how many letters to ask for, so that a limit is never passed.
func (r *run) room() int {
	if r.request.Limit == 0 {
		return queue.MaxEntries
	}
	return min(queue.MaxEntries, r.request.Limit-r.report.Replayed)
}

// replay sends those of the letters that the request means, and deletes what is
// confirmed on the main queue.
func (r *run) replay(ctx context.Context, letters []queue.Received) error {
	var chosen []batch.Header
	var receipts []string
	var out []queue.Outgoing
	for i := range letters {
		h, ok := r.choose(&letters[i])
		if !ok {
			r.held = append(r.held, letters[i].Receipt)
			continue
		}
		m, err := batch.Readdress(h, letters[i].Events, r.request.target(&h))
		if err != nil {
			return fmt.Errorf("letter %s: %w", h.ID, err)
		}
		chosen, receipts, out = append(chosen, h), append(receipts, letters[i].Receipt), append(out, queue.Outgoing{Message: m})
	}
	if r.request.DryRun {
		r.held = append(r.held, receipts...)
		r.book(chosen)
		return nil
	}
	return r.move(ctx, chosen, receipts, out)
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
		r.report.leave(why)
	}
	return h, why == ""
}

// move sends packs and deletes the letters of those that arrived. The others are held,
// to be found again by the next run.
func (r *run) move(ctx context.Context, chosen []batch.Header, receipts []string, out []queue.Outgoing) error {
	if len(out) == 0 {
		return nil
	}
	sendErr := r.Queue.Send(ctx, out...)
	arrived := make([]string, 0, len(receipts))
	booked := make([]batch.Header, 0, len(chosen))
	for i := range receipts {
		if lost(sendErr, i) {
			r.held = append(r.held, receipts[i])
			continue
		}
		arrived, booked = append(arrived, receipts[i]), append(booked, chosen[i])
	}
	r.book(booked)
	if err := r.Letters.Delete(ctx, arrived...); err != nil {
		return errors.Join(sendErr, err)
	}
	return sendErr
}

// lost says whether the i-th message is not known to be on the queue.
func lost(err error, i int) bool {
	var failure *queue.SendError
	if !errors.As(err, &failure) {
		return err != nil
	}
	return slices.Contains(failure.Failed, i)
}

func (r *run) book(headers []batch.Header) {
	for i := range headers {
		r.report.add(&headers[i])
	}
}

// putBack makes the letters that stay visible again at the end of a run, unless the next
// one is to go on behind them.
func (r *run) putBack(ctx context.Context) error {
	if len(r.held) == 0 || r.goesOn() {
		return nil
	}
	if err := r.Letters.Hide(ctx, 0, r.held...); err != nil {
		return fmt.Errorf("put letters back: %w", err)
	}
	return nil
}

// goesOn says whether the next run should find only what this one has not looked at. A
// dry run never hides what a real run right after it should see.
func (r *run) goesOn() bool {
	return r.report.More && r.request.Limit == 0 && !r.request.DryRun
}

// audit leaves one line per run: what was asked, and what was done.
func (r *run) audit(err error) {
	r.Logger.Info("replay", "request", r.request, "scanned", r.report.Scanned, "replayed", r.report.Replayed,
		"events", r.report.Events, "left", r.report.Left, "more", r.report.More, "error", err)
}
