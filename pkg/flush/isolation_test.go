package flush_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/flush/gate"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// setupTargets is setup with all of a target's knobs; it returns the log too.
func setupTargets(t *testing.T, targets map[string]flush.Target, names ...string) (*bundle, *bytes.Buffer) {
	t.Helper()
	b := &bundle{ledger: ledger.New()}
	log := &bytes.Buffer{}
	f, err := flush.New(flush.Options{
		Targets: targets, Router: toAll(names), Queue: &b.queue, DeadLetters: &b.letters,
		Ledger: b.ledger, Logger: slog.New(slog.NewTextHandler(log, nil)), Dedup: forgetful(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.flusher = f
	return b, log
}

func TestRowE9_Flush_Breaker_LeavesASickSinkAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: always(fails(retry.Transient, 0), 5)}
		b, log := setupTargets(t, map[string]flush.Target{"http": {
			Sink: s, Policy: retry.Policy{MaxInlineWait: 1}, Gate: gate.Options{FailuresToOpen: 5, OpenFor: 30 * time.Second},
		}}, "http")
		for i := range 8 {
			b.flusher.Flush(t.Context(), []queue.Received{message(t, fmt.Sprint(i), meta(), orders(1))})
		}
		if len(s.attempts) != 5 {
			t.Errorf("%d requests to a sink that fails, want no more than opened the breaker: 5", len(s.attempts))
		}
		if len(b.queue.got) != 8 || len(b.letters.got) != 0 {
			t.Errorf("%d residues and %d letters, want all 8 events waiting on the queue", len(b.queue.got), len(b.letters.got))
		}
		if last := b.queue.got[7]; last.Delay < 30*time.Second || last.Message.Header.Attempt != 1 {
			t.Errorf("a refused event waits %v after %d attempts, want at least 30s after 1", last.Delay, last.Message.Header.Attempt)
		}
		time.Sleep(31 * time.Second)
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "9", meta(), orders(1))})
		if len(s.taken) != 1 {
			t.Errorf("the sink is well again and has %v", s.taken)
		}
		if got := strings.Count(log.String(), "sink changed state"); got != 3 {
			t.Errorf("%d changes of state in the log, want open, half-open, closed:\n%s", got, log)
		}
	})
}

func TestRowB10_Flush_WaitingSink_DelaysNoOtherBatchOfAnotherSink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slowSink := &scripted{script: always(fails(retry.Throttled, 4*time.Second), 2)}
		healthy := &scripted{}
		b := setup(t, retry.Policy{MaxInlineWait: 10 * time.Second, Jitter: retry.NoJitter}, map[string]*scripted{"slow": slowSink, "healthy": healthy})
		start := time.Now()
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(2))})
		if got := healthy.attempts[0].at.Sub(start); got != 0 {
			t.Errorf("the healthy sink was served after %v", got)
		}
		if len(slowSink.taken) != 2 || time.Since(start) != 8*time.Second {
			t.Errorf("the slow sink has %v after %v, want both after 8s", slowSink.taken, time.Since(start))
		}
	})
}

func TestRowC4_Flush_FailOpenSink_HoldsNothingBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		optional, required := &scripted{script: always(hangs, 99)}, &scripted{}
		b, _ := setupTargets(t, map[string]flush.Target{
			"optional": {Sink: optional, Mode: flush.FailOpen}, "required": {Sink: required},
		}, "optional", "required")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		back := b.flusher.Flush(ctx, []queue.Received{message(t, "1", meta(), orders(3))})
		if len(back) != 0 || len(required.taken) != 3 || len(b.queue.got)+len(b.letters.got) != 0 {
			t.Errorf("back %v, required sink has %v, %d packs on queues", back, required.taken, len(b.queue.got)+len(b.letters.got))
		}
		if got := time.Since(start); got != time.Second {
			t.Errorf("a hanging best-effort sink held the flush for %v, want the second of grace", got)
		}
		if got := b.counter(ledger.Dropped, "optional"); got != 3 {
			t.Errorf("dropped counts %d, want 3", got)
		}
	})
}

func TestRowD3_Flush_FailOpenDrops_WarnOncePerEpisodeAnd256(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{limits: batch.Limits{MaxEvents: 1}, script: always(fails(retry.Permanent, 0), 300)}
		b, log := setupTargets(t, map[string]flush.Target{"optional": {Sink: s, Mode: flush.FailOpen, Gate: gate.Options{Concurrency: 1}}}, "optional")
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(300))})
		warnings := func() int { return strings.Count(log.String(), "best-effort sink drops events") }
		if got := warnings(); got != 2 {
			t.Errorf("%d warnings for 300 drops, want the first and the 256th", got)
		}
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "2", meta(), orders(1))}) // delivered: the episode is over
		s.script = append(s.script, nil, fails(retry.Permanent, 0))                        // the 301st attempt is over, the 302nd fails
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "3", meta(), orders(1))})
		if got := warnings(); got != 3 {
			t.Errorf("%d warnings, want a third when the next episode begins", got)
		}
	})
}

func TestRowE10_Flush_DiscardRule_CountsInsteadOfKeeping(t *testing.T) {
	t.Parallel()
	s := &scripted{script: []step{refuses("e000", "e001")}}
	b, _ := setupTargets(t, map[string]flush.Target{"http": {
		Sink: s, Discard: func(class retry.Class, status int) bool { return class == retry.Permanent && status == 400 },
	}}, "http")
	b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(3))})
	if len(b.letters.got) != 0 || b.counter(ledger.Rejected, "http") != 2 || b.counter(ledger.Delivered, "http") != 1 {
		t.Errorf("%d letters, books %v; want none kept and two rejected", len(b.letters.got), b.ledger.Snapshot())
	}
}

func TestRowE6_Flush_Memory_LargePacksTakeTurns(t *testing.T) {
	t.Parallel()
	// Seven packs of 8 MB that compress to almost nothing: 56 MB against 32.
	const each = 8 << 20
	s := &scripted{}
	var most int
	peak := &peakSink{scripted: s, most: &most}
	b, _ := setupTargets(t, map[string]flush.Target{"http": {Sink: peak}}, "http")
	var in []queue.Received
	for i := range 7 {
		es := make([]event.Event, 8)
		for k := range es {
			es[k] = event.Event{ID: fmt.Sprintf("%d-%d", i, k), Source: "web", Kind: "event", Tenant: "acme", Receiver: "generic", Data: bytes.Repeat([]byte{' '}, each/8-1024*40)}
		}
		in = append(in, message(t, fmt.Sprint(i), meta(), es))
	}
	if back := b.flusher.Flush(t.Context(), in); len(back) != 0 || len(s.taken) != 56 {
		t.Fatalf("back %v, %d events delivered, want all 56", back, len(s.taken))
	}
	if most > 2*batch.MaxSectionBytes {
		t.Errorf("%d bytes were unpacked at once, the bound is %d", most, 2*batch.MaxSectionBytes)
	}
	if len(s.attempts) < 2 {
		t.Error("everything was unpacked at once")
	}
}

// peakSink notes the most bytes it was handed in one batch; without limits a wave is one batch.
type peakSink struct {
	*scripted
	most *int
}

func (s *peakSink) Send(ctx context.Context, b sink.Batch) (sink.Result, error) {
	n := 0
	for i := range b.Events {
		n += len(b.Events[i].Data)
	}
	*s.most = max(*s.most, n)
	return s.scripted.Send(ctx, b)
}

func TestFlush_OwnRateLimit_IsNotAnAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{limits: batch.Limits{MaxEvents: 10}}
		b, _ := setupTargets(t, map[string]flush.Target{"http": {
			Sink: s, Policy: retry.Policy{MaxAttempts: 1}, Gate: gate.Options{EventsPerSecond: 1, BurstEvents: 10},
		}}, "http")
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(20))})
		if len(s.taken) != 10 || len(b.letters.got) != 0 {
			t.Fatalf("%d delivered, %d letters; want 10 and none", len(s.taken), len(b.letters.got))
		}
		if out, p := b.queue.only(t); p.Header.Attempt != 0 || len(p.Events) != 10 || out.Delay < 10*time.Second {
			t.Errorf("residue %+v delayed %v, want ten events for ten seconds and no attempt counted", p.Header, out.Delay)
		}
	})
}

func TestFlush_TooLarge_TeachesTheSizeForTheNextBatch(t *testing.T) {
	t.Parallel()
	const most = 150 // events that the destination takes at once
	s := &scripted{limits: batch.Limits{MaxEvents: 500}}
	s.script = always(func(_ context.Context, b sink.Batch) (sink.Result, error) {
		if len(b.Events) > most {
			return sink.Result{}, sink.Fail(retry.TooLarge, "413", nil)
		}
		return sink.Result{}, nil
	}, 1000)
	b, _ := setupTargets(t, map[string]flush.Target{"http": {Sink: s, Gate: gate.Options{Concurrency: 1}}}, "http")
	b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(400))})
	before := len(s.attempts)
	if before != 1+2+4 || len(s.taken) != 400 {
		t.Fatalf("%d requests delivered %d events, want 7 with 400", before, len(s.taken))
	}
	b.flusher.Flush(t.Context(), []queue.Received{message(t, "2", meta(), orders(400))})
	if got := len(s.attempts) - before; got != 4 {
		t.Errorf("%d requests for the next 400 events, want 4: the size was learned", got)
	}
}

func TestFlush_HangingSink_IsLeftBehindByTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hanging, healthy := &scripted{script: always(hangs, 99)}, &scripted{}
		b, _ := setupTargets(t, map[string]flush.Target{"hanging": {Sink: hanging}, "healthy": {Sink: healthy}}, "hanging", "healthy")
		start := time.Now()
		back := b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(2))})
		if got := time.Since(start); got != 5*time.Second || len(back) != 0 || len(healthy.taken) != 2 {
			t.Fatalf("returned %v after %v, the healthy sink has %v; want nobody held for more than 5s", back, got, healthy.taken)
		}
		out, p := b.queue.only(t)
		if p.Header.Sink != "hanging" || p.Header.Attempt != 1 || p.Header.Reason.Class != "transient" {
			t.Errorf("residue %+v for %+v, want a failed attempt", p.Header, p.Header.Reason)
		}
		// The residue is tried by itself, and may take as long as it takes.
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		again := queue.Received{ID: "2", Body: []byte(out.Message.Body), Events: out.Message.Events}
		start = time.Now()
		b.flusher.Flush(ctx, []queue.Received{again, message(t, "3", meta(), orders(2))})
		if got := time.Since(start); got < 30*time.Second {
			t.Errorf("a second attempt was cut off after %v", got)
		}
	})
}

func TestFlush_SlowSink_IsNotLeftBehindOnceItIsKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := &scripted{script: always(func(ctx context.Context, _ sink.Batch) (sink.Result, error) {
			select {
			case <-time.After(8 * time.Second):
				return sink.Result{}, nil
			case <-ctx.Done():
				return sink.Result{}, ctx.Err()
			}
		}, 99)}
		b, _ := setupTargets(t, map[string]flush.Target{"slow": {Sink: slow}, "healthy": {Sink: &scripted{}}}, "slow", "healthy")
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(1))})
		out, _ := b.queue.only(t)
		b.flusher.Flush(t.Context(), []queue.Received{{ID: "2", Body: []byte(out.Message.Body), Events: out.Message.Events}})
		if len(slow.taken) != 1 {
			t.Fatalf("the slow sink has %v, want the event at the second attempt", slow.taken)
		}
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "3", meta(), orders(1))})
		if len(slow.taken) != 2 || len(b.queue.got) != 1 {
			t.Errorf("the slow sink has %v and %d residues were written; want its first attempt to get its time now", slow.taken, len(b.queue.got))
		}
	})
}
