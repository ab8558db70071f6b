package flush_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/flush/gate"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/httpsend"
	"github.com/millrace-dev/millrace/pkg/sink/httpsink"
)

// These tests are named after the behaviours that people rely on in five other systems:
// an exposure writer (A), analytics SDKs (B), an outbox sync (C), a trace uploader (D)
// and an event pipeline (E). Others of the same rows are beside what they test.

// A2: a buffer that is full is sent, and the event that found it full is kept.
func TestRowA2_Flush_FullBatch_IsSentAndTheNextEventIsKept(t *testing.T) {
	t.Parallel()
	s := &scripted{limits: batch.Limits{MaxEvents: 10}}
	b, _ := setupTargets(t, map[string]flush.Target{"http": {Sink: s, Gate: gate.Options{Concurrency: 1}}}, "http")
	b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(31))})
	var sizes []int
	for _, a := range s.attempts {
		sizes = append(sizes, len(a.ids))
	}
	if want := []int{10, 10, 10, 1}; !slices.Equal(sizes, want) || !slices.Equal(s.taken, idsOf(orders(31))) {
		t.Errorf("batches of %v took %v, want %v with every event", sizes, s.taken, want)
	}
}

// A7: what is dropped is counted by its cause, apart from what is delivered; and what is
// accepted counts as delivered only when the sink has said so.
func TestRowA7_Flush_Drops_AreCountedByCause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{limits: batch.Limits{MaxEvents: 1}, script: []step{
			fails(retry.Permanent, 0), fails(retry.TooLarge, 0), fails(retry.Throttled, time.Minute), fails(retry.Setup, 0),
		}}
		b, _ := setupTargets(t, map[string]flush.Target{"optional": {Sink: s, Mode: flush.FailOpen, Gate: gate.Options{Concurrency: 1}}}, "optional")
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(4))})
		time.Sleep(time.Minute) // the wrong password opened the breaker
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "2", meta(), orders(1))})
		got := map[string]int{}
		for _, e := range b.ledger.Snapshot() {
			if e.Counter == ledger.Dropped {
				got[e.Class] += e.Count
			}
		}
		if diff := cmp.Diff(map[string]int{"permanent": 1, "too-large": 1, "throttled": 1, "setup": 1}, got); diff != "" {
			t.Errorf("drops by cause (-want +got):\n%s", diff)
		}
		if d, r := b.counter(ledger.Delivered, "optional"), b.counter(ledger.Routed, "optional"); r != 5 || d != 1 || len(s.taken) != 1 {
			t.Errorf("the books say %d delivered of %d accepted, the sink took %d; want 1 of 5", d, r, len(s.taken))
		}
	})
}

// A8: the first drop of an episode is warned about: not each drop, and not only the first
// of a process.
func TestRowA8_Flush_FirstDrop_IsWarnedAboutOncePerEpisode(t *testing.T) {
	t.Parallel()
	s := &scripted{limits: batch.Limits{MaxEvents: 1}}
	bad := fails(retry.Permanent, 0)
	s.script = []step{bad, bad, bad, refuses(), bad, bad, refuses()}
	b, log := setupTargets(t, map[string]flush.Target{"optional": {Sink: s, Mode: flush.FailOpen, Gate: gate.Options{Concurrency: 1}}}, "optional")
	b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(7))})
	if got := strings.Count(log.String(), "best-effort sink drops events"); got != 2 {
		t.Errorf("%d warnings for two episodes of drops, want 2:\n%s", got, log)
	}
}

// B4: a retried event keeps its id and its time, and the batch its key, also when it
// went through the queue; the attempt's number goes up.
func TestRowB4_Flush_RetriedEvent_IsTheSameEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, scene{script: "503, 429, Retry-After: 20, 503, 200", options: httpsink.Options{Compression: httpsend.None}})
		st.playOn(t, st.flush(t, st.messages(t)))
		requests := st.server.Requests()
		if len(requests) != 4 {
			t.Fatalf("%d requests, want 4", len(requests))
		}
		for i, r := range requests {
			if diff := cmp.Diff(string(requests[0].Body), string(r.Body)); diff != "" {
				t.Errorf("attempt %d changed the events:\n%s", i+1, diff)
			}
			if key := r.Header.Get("Idempotency-Key"); key == "" || key != requests[0].Header.Get("Idempotency-Key") {
				t.Errorf("attempt %d has key %q, want that of the first", i+1, key)
			}
		}
		st.close(t)
	})

	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: []step{fails(retry.Transient, 0), fails(retry.Throttled, 20*time.Second), fails(retry.Transient, 0)}}
		b := setup(t, retry.Policy{}, map[string]*scripted{"http": s})
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(2))})
		out, _ := b.queue.only(t)
		time.Sleep(out.Delay)
		b.flusher.Flush(t.Context(), []queue.Received{{ID: "2", Body: []byte(out.Message.Body), Events: out.Message.Events}})
		var numbers []int
		for _, a := range s.attempts {
			numbers = append(numbers, a.number)
		}
		if want := []int{1, 2, 3, 4}; !slices.Equal(numbers, want) {
			t.Errorf("attempts are numbered %v, want %v", numbers, want)
		}
	})
}

// byType is a router that drops one type of event.
type byType string

func (r byType) Sinks(e *event.Event) []string {
	if e.Type == string(r) {
		return nil
	}
	return []string{"http"}
}

// B9: what a rule drops leaves the in-flight count at once.
func TestRowB9_Flush_DroppedByARule_IsNotInFlight(t *testing.T) {
	t.Parallel()
	s := &scripted{script: []step{fails(retry.Throttled, time.Minute)}}
	b := setup(t, retry.Policy{}, map[string]*scripted{"http": s})
	b.flusher.Router = byType("debug")
	es := orders(5)
	es[1].Type, es[3].Type = "debug", "debug"
	b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), es)})
	if got := ledger.Balance(b.ledger.Snapshot()); got["http"] != 3 || got[""] != 0 {
		t.Errorf("in flight: %v, want the three that no rule dropped", got)
	}
	if got := b.counter(ledger.Unrouted, ""); got != 2 {
		t.Errorf("%d are counted as dropped by a rule, want 2", got)
	}
}

// B12: the pending count covers what is being sent, what waits in the function and what
// waits on the queue, and returns to zero.
func TestRowB12_Flush_PendingCount_ReturnsToZero(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b *bundle
		pending := func() int { return ledger.Balance(b.ledger.Snapshot())["http"] }
		s := &scripted{}
		var during []int
		look := func(then step) step {
			return func(ctx context.Context, batch sink.Batch) (sink.Result, error) {
				during = append(during, pending())
				return then(ctx, batch)
			}
		}
		s.script = []step{look(fails(retry.Transient, 0)), look(fails(retry.Throttled, time.Minute)), look(refuses("e000"))}
		b = setup(t, retry.Policy{}, map[string]*scripted{"http": s})
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(6))})
		if got := pending(); got != 6 {
			t.Errorf("%d are pending while they wait on the queue, want 6", got)
		}
		out, _ := b.queue.only(t)
		b.flusher.Flush(t.Context(), []queue.Received{{ID: "2", Body: []byte(out.Message.Body), Events: out.Message.Events}})
		if want := []int{6, 6, 6}; !slices.Equal(during, want) || pending() != 0 {
			t.Errorf("pending during the attempts %v and %d at the end, want %v and none", during, pending(), want)
		}
	})
}

// watched is a source that notes when messages are deleted.
type watched struct {
	messages []queue.Received
	log      *[]string
}

func (w *watched) Receive(context.Context, int, time.Duration, time.Duration) ([]queue.Received, error) {
	taken := w.messages
	w.messages = nil
	return taken, nil
}

func (w *watched) Hide(_ context.Context, d time.Duration, receipts ...string) error {
	*w.log = append(*w.log, fmt.Sprint("hidden ", receipts, " for ", d))
	return nil
}

func (w *watched) Delete(_ context.Context, receipts ...string) error {
	*w.log = append(*w.log, fmt.Sprint("deleted ", receipts))
	return nil
}

// C2: every POST carries an idempotency key, a UUID, and every batch has its own; also the
// parts of one that was too large.
func TestRowC2_Flush_EveryPOST_CarriesAKeyOfItsBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, scene{events: 12, packs: 3, script: "413, 200", options: httpsink.Options{MaxEvents: 5, Compression: httpsend.None}})
		st.playOn(t, st.flush(t, st.messages(t)))
		uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
		bodies := make(map[string]string)
		for i, r := range st.server.Requests() {
			key := r.Header.Get("Idempotency-Key")
			if r.Method != http.MethodPost || len(r.Header.Values("Idempotency-Key")) != 1 || !uuid.MatchString(key) {
				t.Errorf("request %d is a %s with the keys %q, want a POST with one UUID", i, r.Method, r.Header.Values("Idempotency-Key"))
			}
			if other, used := bodies[key]; used && other != string(r.Body) {
				t.Errorf("two batches share the key %s", key)
			}
			bodies[key] = string(r.Body)
		}
		if len(bodies) < 5 {
			t.Errorf("%d keys, want three batches and two halves at least", len(bodies))
		}
		st.close(t)
	})
}

// C5: a message is marked as sent only after its sink accepted it; and how the sink does
// (well, or its last error) can be read.
func TestRowC5_Drain_MarksAsSentAfterTheSinkAccepted(t *testing.T) {
	t.Parallel()
	var order []string
	s := &scripted{script: []step{func(_ context.Context, b sink.Batch) (sink.Result, error) {
		order = append(order, fmt.Sprint("accepted ", len(b.Events)))
		return sink.Result{}, nil
	}}}
	b := setup(t, retry.Policy{}, map[string]*scripted{"http": s})
	source := &watched{messages: []queue.Received{message(t, "1", meta(), orders(2))}, log: &order}
	if _, err := b.flusher.Drain(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	if want := []string{"accepted 2", "deleted [r-1]"}; !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
	order = nil
	s.script = append(s.script, fails(retry.Throttled, time.Minute))
	b.queue.refuse = func(int) bool { return true }
	source.messages = []queue.Received{message(t, "not-sent", meta(), orders(1))}
	if done, err := b.flusher.Drain(t.Context(), source); err != nil || done.Back != 1 {
		t.Errorf("drained %+v (%v), want one message back", done, err)
	}
	if want := []string{"deleted []", "hidden [r-not-sent] for 15s"}; !slices.Equal(order, want) {
		t.Errorf("what was neither sent nor kept elsewhere: %q, want %q", order, want)
	}
	b.queue.refuse = nil
	s.script = append(s.script, fails(retry.Setup, 0))
	b.flusher.Flush(t.Context(), []queue.Received{message(t, "2", meta(), orders(3)[2:])})
	if _, p := b.queue.only(t); p.Header.Reason.Cause != "told to" || p.Header.Reason.Class != "setup" {
		t.Errorf("the last error reads %+v", p.Header.Reason)
	}
}

// C6: every flush says how many requests it made and how many events it had.
func TestRowC6_Flush_TellsItsStatistics(t *testing.T) {
	t.Parallel()
	s := &scripted{limits: batch.Limits{MaxEvents: 4}}
	b, log := setupTargets(t, map[string]flush.Target{"http": {Sink: s}}, "http")
	b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(6)), {ID: "2", Body: []byte(`{"v":2,"id":"x"}`)}})
	if want := "msg=flushed messages=2 events=6 requests=2 back=1"; !containsText(log, want) {
		t.Errorf("the log does not say %q:\n%s", want, log)
	}
}

// D4: a flush on request returns when everything is sent, and says so.
func TestRowD4_Drain_AcknowledgesWhenEverythingIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{}
		f, main, _ := drained(t, s)
		for i := range 3 {
			send(t, main, fmt.Sprint("pack", i), 5)
		}
		done, err := f.Drain(t.Context(), main)
		if err != nil || done != (flush.Drained{Messages: 3, Empty: true}) || len(s.taken) != 15 {
			t.Errorf("drained %+v (%v) with %d events sent, want three messages, an empty queue and 15", done, err, len(s.taken))
		}
	})
}

// A message that somebody else deletes while its events are being sent is delivered all
// the same, once, and hurts nothing.
func TestDrain_MessageDeletedUnderUs_IsNoError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{}
		f, main, letters := drained(t, s)
		send(t, main, "pack", 5)
		taken, err := main.Receive(t.Context(), queue.MaxEntries, 0, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		source := &deletedUnderUs{watched: watched{messages: taken, log: &order}, main: main}
		s.script = []step{func(ctx context.Context, _ sink.Batch) (sink.Result, error) {
			return sink.Result{}, main.Delete(ctx, taken[0].Receipt)
		}}
		done, err := f.Drain(t.Context(), source)
		if err != nil || done.Messages != 1 || done.Back != 0 || len(s.taken) != 5 {
			t.Errorf("drained %+v (%v) with %d events sent", done, err, len(s.taken))
		}
		for _, q := range []*queue.Queue{main, letters} {
			if depth, err := q.Depth(t.Context()); err != nil || depth.Total() != 0 {
				t.Errorf("a queue holds %+v (%v), want nothing", depth, err)
			}
		}
	})
}

// deletedUnderUs deletes on the real queue what it handed out.
type deletedUnderUs struct {
	watched
	main *queue.Queue
}

func (d *deletedUnderUs) Delete(ctx context.Context, receipts ...string) error {
	return d.main.Delete(ctx, receipts...)
}

// The certificate of the destination is not accepted: a person has to act.
func TestFlush_UntrustedCertificate_KeepsTheEvents(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(nil)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	s, err := httpsink.New(httpsink.Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b, _ := setupTargets(t, map[string]flush.Target{"http": {Sink: s}}, "http")
	b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(2))})
	out, p := b.queue.only(t)
	if p.Header.Attempt != 0 || p.Header.Reason.Class != "setup" || out.Delay != retry.DefaultMaxDelay || len(p.Events) != 2 {
		t.Errorf("residue %+v with %+v delayed %v", p.Header, p.Header.Reason, out.Delay)
	}
}
