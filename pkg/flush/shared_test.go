package flush_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/memory"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/flush/gate"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
)

// fleet is some environments that share a store, and a sink that they deliver to.
type fleet struct {
	sink         *scripted
	environments []*bundle
	log          bytes.Buffer
	sent         int
}

func newFleet(t *testing.T, n int, store dedup.Store) *fleet {
	t.Helper()
	fl := &fleet{sink: &scripted{}}
	for range n {
		d, err := dedup.New(dedup.Options{Store: store})
		if err != nil {
			t.Fatal(err)
		}
		b := &bundle{ledger: ledger.New()}
		b.flusher, err = flush.New(flush.Options{
			Targets: map[string]flush.Target{"http": {
				Sink: fl.sink, Policy: retry.Policy{MaxInlineWait: 1}, Gate: gate.Options{FailuresToOpen: 5, OpenFor: 30 * time.Second},
			}},
			Router: toAll{"http"}, Queue: &b.queue, DeadLetters: &b.letters,
			Ledger: b.ledger, Logger: slog.New(slog.NewTextHandler(&fl.log, nil)), Dedup: d,
		})
		if err != nil {
			t.Fatal(err)
		}
		fl.environments = append(fl.environments, b)
	}
	return fl
}

// flush lets one environment deliver one event that none had before.
func (fl *fleet) flush(t *testing.T, environment int) (requests int) {
	t.Helper()
	before := len(fl.sink.attempts)
	e := orders(1)
	e[0].ID = fmt.Sprint("shared ", fl.sent)
	fl.sent++
	if back := fl.environments[environment].flusher.Flush(t.Context(), []queue.Received{message(t, e[0].ID, meta(), e)}); len(back) != 0 {
		t.Errorf("back %v", back)
	}
	return len(fl.sink.attempts) - before
}

func TestRowE9_Flush_SharedBreaker_OneEnvironmentLearnsForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fl := newFleet(t, 2, memory.New(nil))
		fl.sink.script = always(fails(retry.Transient, 0), 5)
		const a, b = 0, 1
		for range 8 {
			fl.flush(t, a)
		}
		for range 5 {
			if n := fl.flush(t, b); n != 0 {
				t.Fatal("the second environment asked a sink that the first had found to be sick")
			}
			time.Sleep(5 * time.Second)
		}
		if last := fl.environments[b].queue.got[0]; last.Delay < 30*time.Second || last.Message.Header.Reason.Class != "transient" {
			t.Errorf("an event that was not sent waits %v for reason %+v, want 30s for that of the first environment", last.Delay, last.Message.Header.Reason)
		}
		time.Sleep(5 * time.Second)
		if n := fl.flush(t, b); n != 1 || len(fl.sink.taken) != 1 {
			t.Fatalf("%d requests, the sink has %v; want one probe", n, fl.sink.taken)
		}
		time.Sleep(5 * time.Second)
		for _, environment := range []int{a, b, a, b} {
			if n := fl.flush(t, environment); n != 1 {
				t.Errorf("environment %d made %d requests after a good probe, want 1", environment, n)
			}
		}
		if got := len(fl.sink.attempts); got != 5+1+4 {
			t.Errorf("%d requests in all, want the 5 that failed, the probe, and 4", got)
		}
	})
}

// Nothing of the above is needed: with the store away, slow or throttling every event has its place.
func TestRowE9_Flush_SharedBreaker_StoreInTroubleChangesNothing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		notes func(context.Context) error
		most  time.Duration
	}{
		{"away", func(context.Context) error { return errAway }, 0},
		{"throttling", func(context.Context) error { return dedup.ErrBusy }, 0},
		{"hanging", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fl := newFleet(t, 2, &noteless{memory.New(nil), tt.notes})
				fl.sink.script = always(fails(retry.Transient, 0), 10)
				start := time.Now()
				for i := range 16 {
					fl.flush(t, i%2)
				}
				if got := len(fl.sink.attempts); got != 10 {
					t.Errorf("%d requests, want five of each environment", got)
				}
				if took := time.Since(start); took > tt.most {
					t.Errorf("16 flushes were held up for %v, want %v at most", took, tt.most)
				}
				if got := strings.Count(fl.log.String(), "store of sink states is away"); got != 2 {
					t.Errorf("%d warnings, want one of each environment:\n%s", got, &fl.log)
				}
				time.Sleep(31 * time.Second)
				for i := range 2 {
					if n := fl.flush(t, i); n != 1 {
						t.Errorf("environment %d made %d probes, want 1", i, n)
					}
				}
				if len(fl.sink.taken) != 2 {
					t.Errorf("the sink is well again and has %v", fl.sink.taken)
				}
			})
		})
	}
}

var errAway = errors.New("away")

// noteless is a store that claims, and whose notes are in trouble.
type noteless struct {
	*memory.Store
	trouble func(context.Context) error
}

func (s *noteless) ReadNotes(ctx context.Context, _ ...string) (map[string][]byte, error) {
	return nil, s.trouble(ctx)
}

func (s *noteless) WriteNote(ctx context.Context, _ string, _ []byte, _ time.Duration) error {
	return s.trouble(ctx)
}

func (s *noteless) AddNote(ctx context.Context, _ string, _ []byte, _ time.Duration) (bool, error) {
	return false, s.trouble(ctx)
}
