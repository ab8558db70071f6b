package replay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/queue/queuetest"
	"github.com/millrace-dev/millrace/pkg/replay"
)

// many writes n letters e000, e001, … of which every third is of another tenant, and
// says how many are of tenant acme.
func (w *world) many(t testing.TB, n int) (acme int) {
	t.Helper()
	all := make([]batch.Message, n)
	for i := range all {
		all[i] = letter(t, fmt.Sprintf("e%03d", i), func(m *batch.Meta) {
			if i%3 == 2 {
				m.Tenant = "other"
			} else {
				acme++
			}
		})
	}
	w.put(t, all...)
	return acme
}

func acme() replay.Request { return replay.Request{Filter: deadletter.Filter{Tenant: "acme"}} }

// picky is a main queue that does not confirm some messages of each call.
type picky struct {
	replay.Sender

	refused []int
}

func (p picky) Send(ctx context.Context, messages ...queue.Outgoing) error {
	failure := &queue.SendError{Err: errors.New("told to refuse")}
	var rest []queue.Outgoing
	for i, m := range messages {
		if len(failure.Failed) < len(p.refused) && p.refused[len(failure.Failed)] == i {
			failure.Failed = append(failure.Failed, i)
			continue
		}
		rest = append(rest, m)
	}
	if err := p.Sender.Send(ctx, rest...); err != nil {
		return err
	}
	return failure
}

func TestReplayer_Run_SendRefused_LetterStays(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		impair   func(w *world)
		replayed int
	}{
		{"SQS is away", func(w *world) { w.intercept = failing("SendMessageBatch", sqs.Unavailable()) }, 0},
		{"some are not confirmed", func(w *world) { w.options.Queue = picky{w.main, []int{1, 3}} }, 6},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				for i := range 8 {
					w.put(t, letter(t, fmt.Sprintf("e%d", i), nil))
				}
				healthy := w.options.Queue
				row.impair(w)
				report, err := w.try(t, t.Context(), replay.Request{})
				if err == nil || report.Replayed != row.replayed {
					t.Fatalf("report is %+v, %v; want %d replayed and an error", report, err, row.replayed)
				}
				w.wantMain(t, row.replayed)
				w.wantLetters(t, queue.Depth{Visible: 8 - row.replayed})

				w.intercept, w.options.Queue = nil, healthy
				w.run(t, replay.Request{})
				w.wantLetters(t, queue.Depth{})
				if got := ids(queuetest.Packs(t, w.main)); got != "e0 e1 e2 e3 e4 e5 e6 e7" {
					t.Errorf("main queue holds %q, want each letter once", got)
				}
			})
		})
	}
}

// failing refuses one operation.
func failing(operation string, refusal error) func(op string) error {
	return func(op string) error {
		if op == operation {
			return refusal
		}
		return nil
	}
}

// TestReplayer_Run_DeleteRefused_SamePackAgain: a letter that was sent and not deleted
// comes back when its visibility ends, and becomes the same pack.
func TestReplayer_Run_DeleteRefused_SamePackAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(t, letter(t, "a", nil))
		w.intercept = failing("DeleteMessageBatch", sqs.Unavailable())
		report, err := w.try(t, t.Context(), replay.Request{})
		if err == nil || report.Replayed != 1 {
			t.Fatalf("report is %+v, %v; want 1 replayed and an error", report, err)
		}
		w.wantLetters(t, queue.Depth{InFlight: 1})
		w.intercept = nil
		time.Sleep(5 * time.Minute)
		w.run(t, replay.Request{})
		w.wantLetters(t, queue.Depth{})
		got := queuetest.Packs(t, w.main)
		if len(got) != 2 || got[0].Header.ID != got[1].Header.ID {
			t.Errorf("%d packs on the main queue, want 2 of one id", len(got))
		}
	})
}

func TestReplayer_Run_ReceiveRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.many(t, 30)
		receives := 0
		w.intercept = func(op string) error {
			if op == "ReceiveMessage" {
				if receives++; receives == 2 {
					return sqs.Unavailable()
				}
			}
			return nil
		}
		report, err := w.try(t, t.Context(), replay.Request{DryRun: true})
		if err == nil || !strings.Contains(err.Error(), "replay: receive from") || report.Scanned == 0 {
			t.Errorf("report is %+v, %v; want what was scanned and the error", report, err)
		}
		w.wantLetters(t, queue.Depth{Visible: 30})
	})
}

func TestReplayer_Run_PutBackRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.many(t, 250)
		w.intercept = failing("ChangeMessageVisibilityBatch", sqs.Unavailable())
		report, err := w.try(t, t.Context(), replay.Request{DryRun: true})
		if err == nil || !strings.Contains(err.Error(), "put letters back") || report.Scanned != 250 {
			t.Errorf("report is %+v, %v; want 250 scanned and the error", report, err)
		}
		w.wantLetters(t, queue.Depth{InFlight: 250})
		time.Sleep(5 * time.Minute)
		w.wantLetters(t, queue.Depth{Visible: 250})
	})
}

// slow makes each receive take d.
func (w *world) slow(t *testing.T, d time.Duration) {
	t.Cleanup(func() { time.Sleep(d) }) // SQS is still busy with a call that was given up
	w.intercept = func(op string) error {
		if op == "ReceiveMessage" {
			time.Sleep(d)
		}
		return nil
	}
}

// TestReplayer_Run_Deadline_NextRunGoesOn: a run that is out of time says so, hides what
// it has seen, and the next ones go on behind it.
func TestReplayer_Run_Deadline_NextRunGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		matching := w.many(t, 150)
		w.slow(t, 900*time.Millisecond)
		var sum replay.Report
		runs := 0
		for more := true; more; runs++ {
			ctx, stop := context.WithTimeout(t.Context(), 6*time.Second)
			start := time.Now()
			report, err := w.try(t, ctx, acme())
			stop()
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > 5500*time.Millisecond {
				t.Errorf("run %d took %v of its 6s, want some kept back", runs, took)
			}
			if report.Scanned > 60 {
				t.Errorf("run %d scanned %d letters, want a few", runs, report.Scanned)
			}
			more = report.More
			sum.Merge(report)
		}
		if runs < 3 || sum.Replayed != matching || sum.Scanned != 150 || sum.Left["no match"] != 150-matching || sum.More {
			t.Errorf("%d runs report %+v, want %d of 150 replayed and none seen twice", runs, sum, matching)
		}
		w.wantMain(t, matching)
		depth, err := w.letters.Depth(t.Context())
		if err != nil || depth.Total() != 150-matching || depth.InFlight == 0 {
			t.Errorf("dead letters are %+v, %v; want %d, some of them hidden", depth, err, 150-matching)
		}
		time.Sleep(6 * time.Minute)
		w.wantLetters(t, queue.Depth{Visible: 150 - matching})
	})
}

// TestReplayer_Run_Deadline_PutsBack: what a person looks at again soon is not hidden.
func TestReplayer_Run_Deadline_PutsBack(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		request replay.Request
	}{
		{"a dry run", replay.Request{DryRun: true}},
		{"a run with a limit", replay.Request{Limit: 100, Filter: deadletter.Filter{Tenant: "nobody"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.many(t, 150)
				w.slow(t, 900*time.Millisecond)
				ctx, stop := context.WithTimeout(t.Context(), 6*time.Second)
				defer stop()
				report, err := w.try(t, ctx, row.request)
				if err != nil || !report.More || report.Scanned < 10 || report.Scanned >= 150 {
					t.Errorf("report is %+v, %v; want More after some letters", report, err)
				}
				w.wantLetters(t, queue.Depth{Visible: 150})
			})
		})
	}
}

// TestReplayer_Run_LongerThanVisibility: letters that come round again within a run
// without a deadline are counted once, and end it.
func TestReplayer_Run_LongerThanVisibility(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.many(t, 60)
		w.slow(t, time.Minute+time.Second) // the sixth receive meets the letters of the first again
		report := w.run(t, replay.Request{DryRun: true})
		if report.Scanned > 60 || report.Scanned < 50 || report.Replayed != report.Scanned {
			t.Errorf("report is %+v, want each letter once", report)
		}
		w.wantLetters(t, queue.Depth{Visible: 60})
	})
}

// TestReplayer_Run_LongDeadline_NothingComesRound: with a deadline the letters stay
// hidden for all of the run.
func TestReplayer_Run_LongDeadline_NothingComesRound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		matching := w.many(t, 90)
		w.slow(t, time.Minute)
		ctx, stop := context.WithTimeout(t.Context(), 15*time.Minute)
		defer stop()
		report, err := w.try(t, ctx, acme())
		if err != nil || report.Scanned != 90 || report.Replayed != matching || report.More {
			t.Errorf("report is %+v, %v; want %d of 90 replayed", report, err, matching)
		}
		w.wantLetters(t, queue.Depth{Visible: 90 - matching})
	})
}

// TestReplayer_Run_Cancelled: Ctrl-C during a receive is an expected end; during a send
// the letters that were not confirmed are put back all the same.
func TestReplayer_Run_Cancelled(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, during string
		fails        bool
		want         queue.Depth
	}{
		{"while it waits", "ReceiveMessage", false, queue.Depth{Visible: 8}},
		{"while it sends", "SendMessageBatch", true, queue.Depth{Visible: 8}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				for i := range 8 {
					w.put(t, letter(t, fmt.Sprintf("e%d", i), nil))
				}
				ctx, cancel := context.WithCancel(t.Context())
				w.intercept = func(op string) error {
					if op == row.during {
						cancel()
						return sqs.Unavailable()
					}
					return nil
				}
				report, err := w.try(t, ctx, replay.Request{})
				if (err != nil) != row.fails || report.Replayed != 0 || report.More == row.fails {
					t.Errorf("report is %+v, %v; want an error: %v", report, err, row.fails)
				}
				w.wantMain(t, 0)
				w.wantLetters(t, row.want)
			})
		})
	}
}

// TestReplayer_Run_TwoAtOnce_ShareTheLetters: none is lost, none is sent twice.
func TestReplayer_Run_TwoAtOnce_ShareTheLetters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		matching := w.many(t, 300)
		replayer, err := replay.New(w.options)
		if err != nil {
			t.Fatal(err)
		}
		reports := make([]replay.Report, 2)
		var group sync.WaitGroup
		for i := range reports {
			group.Go(func() {
				var err error
				if reports[i], err = replayer.Run(t.Context(), acme()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got := reports[0].Replayed + reports[1].Replayed; got != matching {
			t.Errorf("%d and %d replayed, want %d in all", reports[0].Replayed, reports[1].Replayed, matching)
		}
		w.wantLetters(t, queue.Depth{Visible: 300 - matching})
		if got := queuetest.Packs(t, w.main); len(got) != matching {
			t.Errorf("%d packs on the main queue, want %d", len(got), matching)
		}
	})
}

// endless is a queue of letters that nobody means and that never ends.
type endless struct {
	next, released int
}

func (e *endless) Receive(context.Context, int, time.Duration, time.Duration) ([]queue.Received, error) {
	out := make([]queue.Received, queue.MaxEntries)
	for i := range out {
		e.next++
		out[i] = queue.Received{ID: fmt.Sprint(e.next), Receipt: fmt.Sprint(e.next), Body: []byte("hello")}
	}
	return out, nil
}

func (e *endless) Send(context.Context, ...queue.Outgoing) error { return nil }

func (e *endless) Delete(context.Context, ...string) error { return nil }

func (e *endless) Hide(_ context.Context, _ time.Duration, receipts ...string) error {
	e.released += len(receipts)
	return nil
}

// TestReplayer_Run_StaysBelowSQSBound: SQS allows 120,000 messages in flight.
func TestReplayer_Run_StaysBelowSQSBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	letters := &endless{}
	w.options.Letters = letters
	report := w.run(t, replay.Request{})
	if report.Scanned != 100_000 || !report.More || letters.released != 0 {
		t.Errorf("scanned %d, more %v, released %d; want a stop at 100,000 that hides them", report.Scanned, report.More, letters.released)
	}
}

func TestReplayer_Run_LeavesAnAuditLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var log bytes.Buffer
		w.options.Logger = slog.New(slog.NewJSONHandler(&log, nil))
		w.put(t, letter(t, "a", nil))
		w.run(t, acme())
		for _, want := range []string{`"msg":"replay"`, `"tenant":"acme"`, `"scanned":1`, `"replayed":1`, `"events":1`} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("log is %s, want %s in it", log.String(), want)
			}
		}
		if lines := strings.Count(log.String(), "\n"); lines != 1 {
			t.Errorf("%d lines, want 1", lines)
		}
	})
}
