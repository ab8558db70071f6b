package replay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/claimcheck"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// Sender puts packs on the main queue; *queue.Queue is one.
type Sender interface {
	Send(ctx context.Context, messages ...queue.Outgoing) error
}

// Letters is the dead-letter queue; *queue.Queue is one.
type Letters interface {
	Sender
	Receive(ctx context.Context, limit int, wait, visibility time.Duration) ([]queue.Received, error)
	Delete(ctx context.Context, receipts ...string) error
	Hide(ctx context.Context, d time.Duration, receipts ...string) error
}

// Options are what a Replayer works with.
type Options struct {
	Letters Letters
	Queue   Sender
	// Bucket holds the events of letters that are checked in; nil means none, and such
	// letters stay.
	Bucket Bucket
	// Sinks are the names that Request.To may hold.
	Sinks []string
	// Self goes on with runs that ask for it; nil means that none may.
	Self Self
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
	if o.Bucket == nil {
		o.Bucket = (*claimcheck.Bucket)(nil) // refuses
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Replayer{Options: o}, nil
}

// Invoke is the replay function: a lambda.Handler that takes a Request and returns a
// Report, both as JSON.
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
// moment before ctx's deadline. On an error some letters may have been replayed, as the
// report says; those are gone from the dead letters, so running again is safe.
func (r *Replayer) Run(ctx context.Context, request Request) (Report, error) {
	if err := request.check(r.Sinks); err != nil {
		return Report{}, err
	}
	if request.Continue && r.Self == nil {
		return Report{}, errors.New("replay request: continue: this replayer cannot invoke itself")
	}
	run := newRun(r, request)
	err := run.pull(ctx)
	err = errors.Join(err, run.putBack(ctx))
	if err == nil {
		err = run.proceed(ctx)
	}
	run.finish()
	run.audit(ctx, err)
	return run.report, err
}

// Self starts another invocation of the replay function and does not wait for it;
// self.Function does.
type Self interface {
	Invoke(ctx context.Context, payload []byte) error
}
