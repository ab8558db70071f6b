package flush_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted is a sink that does what its script says, attempt by attempt, and then
// delivers. It records the ids of every attempt and of what it took.
type scripted struct {
	limits batch.Limits
	script []func(ctx context.Context, b sink.Batch) (sink.Result, error)

	mu       sync.Mutex
	attempts []attempt
	taken    []string
}

type attempt struct {
	number int
	at     time.Time
	ids    []string
	key    string
}

func (s *scripted) Limits() batch.Limits { return s.limits }

func (s *scripted) Send(ctx context.Context, b sink.Batch) (sink.Result, error) {
	s.mu.Lock()
	n := len(s.attempts)
	s.attempts = append(s.attempts, attempt{number: b.Attempt, at: time.Now(), ids: idsOf(b.Events), key: b.Key})
	s.mu.Unlock()
	var result sink.Result
	var err error
	if n < len(s.script) {
		result, err = s.script[n](ctx, b)
	}
	if err != nil {
		return result, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.Events {
		if result.Of(i).Verdict == sink.Delivered {
			s.taken = append(s.taken, b.Events[i].ID)
		}
	}
	return result, nil
}

type step = func(ctx context.Context, b sink.Batch) (sink.Result, error)

// fails answers every event of a batch alike.
func fails(class retry.Class, after time.Duration) step {
	return func(context.Context, sink.Batch) (sink.Result, error) {
		f := sink.Fail(class, "told to", nil)
		f.Outcome.After, f.Outcome.Status = after, 500
		return sink.Result{}, f
	}
}

func always(s step, n int) []step { return slices.Repeat([]step{s}, n) }

// hangs until the attempt is stopped.
func hangs(ctx context.Context, _ sink.Batch) (sink.Result, error) {
	<-ctx.Done()
	return sink.Result{}, ctx.Err()
}

// refuses single events: those whose id is given.
func refuses(ids ...string) step {
	return func(_ context.Context, b sink.Batch) (sink.Result, error) {
		r := sink.Result{Outcomes: make([]sink.Outcome, len(b.Events))}
		for i := range b.Events {
			if slices.Contains(ids, b.Events[i].ID) {
				r.Outcomes[i] = sink.Outcome{Verdict: sink.Rejected, Class: retry.Permanent, Status: 400, Cause: "bad event"}
			}
		}
		return r, nil
	}
}

func idsOf(events []event.Event) []string {
	ids := make([]string, len(events))
	for i := range events {
		ids[i] = events[i].ID
	}
	return ids
}

// toAll is a router that sends every event to the same sinks.
type toAll []string

func (r toAll) Sinks(*event.Event) []string { return r }

// box is a queue that keeps what is sent, and can be told to refuse.
type box struct {
	mu     sync.Mutex
	got    []queue.Outgoing
	refuse func(i int) bool
}

func (b *box) Send(ctx context.Context, messages ...queue.Outgoing) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	var failure queue.SendError
	for i, m := range messages {
		if b.refuse != nil && b.refuse(i) {
			failure.Failed = append(failure.Failed, i)
			failure.Err = errors.New("told to refuse")
			continue
		}
		b.got = append(b.got, m)
	}
	if failure.Err != nil {
		return &failure
	}
	return nil
}

// only returns the single pack that was sent.
func (b *box) only(t *testing.T) (queue.Outgoing, batch.Pack) {
	t.Helper()
	if len(b.got) != 1 {
		t.Fatalf("%d packs were sent, want 1", len(b.got))
	}
	p, err := batch.Decode([]byte(b.got[0].Message.Body), b.got[0].Message.Events)
	if err != nil {
		t.Fatal(err)
	}
	return b.got[0], p
}

func (b *box) ids(t *testing.T, sinkName string) []string {
	t.Helper()
	var ids []string
	for _, m := range b.got {
		p, err := batch.Decode([]byte(m.Message.Body), m.Message.Events)
		if err != nil {
			t.Fatal(err)
		}
		if p.Header.Sink == sinkName {
			ids = append(ids, idsOf(p.Events)...)
		}
	}
	return ids
}

type bundle struct {
	queue, letters box
	ledger         *ledger.Ledger
	flusher        *flush.Flusher
}

// setup returns a flusher with the given sinks; every event goes to all of them.
func setup(t *testing.T, policy retry.Policy, sinks map[string]*scripted) *bundle {
	t.Helper()
	b := &bundle{ledger: ledger.New()}
	targets := make(map[string]flush.Target)
	var names toAll
	for name, s := range sinks {
		targets[name] = flush.Target{Sink: s, Policy: policy}
		names = append(names, name)
	}
	slices.Sort(names)
	f, err := flush.New(flush.Options{
		Targets: targets, Router: names, Queue: &b.queue, DeadLetters: &b.letters,
		Ledger: b.ledger, Logger: discard(), Dedup: forgetful(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.flusher = f
	return b
}

// forgetful recognises no duplicates, so that tests may use the same events again.
func forgetful(t testing.TB) *dedup.Deduper {
	t.Helper()
	d, err := dedup.New(dedup.Options{HintKeys: -1, WithinFlush: dedup.Off})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func orders(n int) []event.Event {
	es := make([]event.Event, n)
	for i := range es {
		es[i] = event.Event{
			ID: fmt.Sprintf("e%03d", i), Source: "web", Type: "order", Kind: "event", Tenant: "acme", Receiver: "generic", Data: []byte(`{}`),
		}
	}
	return es
}

func meta() batch.Meta {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	return batch.Meta{Tenant: "acme", Receiver: "generic", First: at, Last: at, Trace: "00-trace"}
}

// message packs events into one message.
func message(t *testing.T, id string, m batch.Meta, es []event.Event) queue.Received {
	t.Helper()
	packed, err := batch.Encode(m, es)
	if err != nil || len(packed) != 1 {
		t.Fatalf("Encode: %d messages, %v", len(packed), err)
	}
	return queue.Received{ID: id, Receipt: "r-" + id, Body: []byte(packed[0].Body), Events: packed[0].Events, ReceiveCount: 1}
}

func (b *bundle) counter(c ledger.Counter, sinkName string) int {
	n := 0
	for _, e := range b.ledger.Snapshot() {
		if e.Counter == c && e.Sink == sinkName {
			n += e.Count
		}
	}
	return n
}

func TestFlush_AllDelivered_NothingComesBack(t *testing.T) {
	t.Parallel()
	s := &scripted{}
	b := setup(t, retry.Policy{}, map[string]*scripted{"http": s})
	back := b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(3)), message(t, "2", meta(), orders(2))})
	if len(back) != 0 || len(b.queue.got) != 0 || len(b.letters.got) != 0 {
		t.Errorf("back %v, residues %d, letters %d; want none", back, len(b.queue.got), len(b.letters.got))
	}
	if len(s.attempts) != 1 || len(s.taken) != 5 {
		t.Errorf("%d requests took %d events, want one with 5: packs are batched together", len(s.attempts), len(s.taken))
	}
	if got := b.counter(ledger.Delivered, "http"); got != 5 {
		t.Errorf("delivered counts %d, want 5", got)
	}
}

func TestRowB8_Flush_Empty_SendsNothing(t *testing.T) {
	t.Parallel()
	s := &scripted{}
	b := setup(t, retry.Policy{}, map[string]*scripted{"http": s})
	if back := b.flusher.Flush(t.Context(), nil); len(back) != 0 || len(s.attempts) != 0 {
		t.Errorf("back %v after %d requests, want none", back, len(s.attempts))
	}
}

func TestFlush_TransientFailure_IsRetriedInline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: always(fails(retry.Transient, 0), 3)}
		b := setup(t, retry.Policy{Jitter: retry.NoJitter}, map[string]*scripted{"http": s})
		start := time.Now()
		back := b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(2))})
		if len(back) != 0 || len(b.queue.got)+len(b.letters.got) != 0 || len(s.taken) != 2 {
			t.Fatalf("back %v, sent on %d, taken %v", back, len(b.queue.got)+len(b.letters.got), s.taken)
		}
		for i, a := range s.attempts {
			if a.number != i+1 || a.key != s.attempts[0].key {
				t.Errorf("attempt %d is numbered %d with key %s, want %d with %s", i, a.number, a.key, i+1, s.attempts[0].key)
			}
		}
		if got, want := time.Since(start), (200+400+800)*time.Millisecond; got != want {
			t.Errorf("waited %v, want %v", got, want)
		}
	})
}

func TestFlush_LongWait_BecomesAnAddressedResidue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: []step{fails(retry.Throttled, 20*time.Second)}}
		healthy := &scripted{}
		b := setup(t, retry.Policy{Jitter: retry.NoJitter}, map[string]*scripted{"http": s, "archive": healthy})
		start := time.Now()
		back := b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(2))})
		if len(back) != 0 || time.Since(start) != 0 {
			t.Fatalf("back %v after %v; want to hand the wait to the queue at once", back, time.Since(start))
		}
		out, p := b.queue.only(t)
		h := p.Header
		if out.Delay != 20*time.Second || h.Sink != "http" || h.Attempt != 1 || h.Reason == nil {
			t.Fatalf("residue: delay %v, header %+v", out.Delay, h)
		}
		want := batch.Reason{Class: "throttled", Status: 500, Cause: "told to", Attempts: 1, First: start.UTC(), Last: start.UTC()}
		if *h.Reason != want {
			t.Errorf("reason is %+v, want %+v", *h.Reason, want)
		}
		if len(p.Events) != 2 || h.Trace != "00-trace" || !h.First.Equal(meta().First) {
			t.Errorf("residue lost something of its parent: %+v", p)
		}
		if len(healthy.taken) != 2 {
			t.Errorf("the healthy sink has %v", healthy.taken)
		}
	})
}

func TestFlush_Residue_TouchesOnlyItsSink(t *testing.T) {
	t.Parallel()
	sick, healthy := &scripted{}, &scripted{}
	b := setup(t, retry.Policy{}, map[string]*scripted{"sick": sick, "healthy": healthy})
	m := meta()
	m.Sink, m.Attempt, m.Reason = "sick", 3, &batch.Reason{Class: "transient", First: time.Now(), Last: time.Now()}
	b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", m, orders(2))})
	if len(healthy.attempts) != 0 || len(sick.taken) != 2 {
		t.Errorf("healthy sink got %d requests, sick sink has %v", len(healthy.attempts), sick.taken)
	}
	if sick.attempts[0].number != 4 {
		t.Errorf("attempt is numbered %d, want 4", sick.attempts[0].number)
	}
	if got := b.counter(ledger.Routed, "sick"); got != 0 {
		t.Errorf("a residue was counted as routed again: %d", got)
	}
}

func TestFlush_PermanentFailure_BecomesADeadLetterThatExplainsItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: []step{refuses("e001")}}
		b := setup(t, retry.Policy{}, map[string]*scripted{"http": s})
		back := b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(3))})
		if len(back) != 0 || !slices.Equal(s.taken, []string{"e000", "e002"}) {
			t.Fatalf("back %v, taken %v", back, s.taken)
		}
		_, p := b.letters.only(t)
		want := batch.Reason{
			Class: "permanent", Stop: "permanent", Status: 400, Cause: "bad event", Attempts: 1, First: time.Now().UTC(), Last: time.Now().UTC(),
		}
		if p.Header.Sink != "http" || *p.Header.Reason != want || len(p.Events) != 1 || string(p.Events[0].Data) != `{}` {
			t.Errorf("letter %+v with reason %+v, want %+v", p, p.Header.Reason, want)
		}
		if got := b.counter(ledger.DeadLettered, "http"); got != 1 {
			t.Errorf("dead_lettered counts %d, want 1", got)
		}
	})
}

func TestFlush_AttemptsUsedUp_BecomesADeadLetter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: always(fails(retry.Transient, 0), 99)}
		b := setup(t, retry.Policy{MaxAttempts: 12}, map[string]*scripted{"http": s})
		m := meta()
		first := time.Now().Add(-time.Hour).UTC()
		m.Sink, m.Attempt, m.Reason = "http", 11, &batch.Reason{Class: "transient", First: first, Last: first}
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", m, orders(1))})
		_, p := b.letters.only(t)
		if r := p.Header.Reason; r.Stop != string(retry.ReasonAttempts) || r.Attempts != 12 || !r.First.Equal(first) {
			t.Errorf("reason is %+v, want 12 attempts since %v", r, first)
		}
	})
}

func TestFlush_TooLarge_IsHalvedAndOnlyThePoisonIsLeft(t *testing.T) {
	t.Parallel()
	const n = 512
	requests := 0
	s := &scripted{limits: batch.Limits{MaxEvents: n}}
	tooLarge := func(_ context.Context, b sink.Batch) (sink.Result, error) {
		requests++
		if slices.Contains(idsOf(b.Events), "e137") {
			return sink.Result{}, sink.Fail(retry.TooLarge, "over 1 MB", nil)
		}
		return sink.Result{}, nil
	}
	s.script = always(tooLarge, 10*n)
	b := setup(t, retry.Policy{}, map[string]*scripted{"http": s})
	b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(n))})
	_, p := b.letters.only(t)
	if len(p.Events) != 1 || p.Events[0].ID != "e137" || p.Header.Reason.Stop != string(retry.ReasonTooLarge) {
		t.Errorf("letter holds %v with %+v", idsOf(p.Events), p.Header.Reason)
	}
	if len(s.taken) != n-1 {
		t.Errorf("%d events delivered, want %d", len(s.taken), n-1)
	}
	if most := 2*9 + 1; requests > most { // 2*log2(512), and the first
		t.Errorf("%d requests to find one poison event among %d, at most %d", requests, n, most)
	}
}

func TestFlush_SetupFailure_KeepsTheEventsOnTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: always(fails(retry.Setup, 0), 9)}
		b := setup(t, retry.Policy{}, map[string]*scripted{"http": s})
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(2))})
		out, p := b.queue.only(t)
		if p.Header.Attempt != 0 || p.Header.Reason.Class != "setup" || out.Delay < retry.DefaultMaxDelay {
			t.Errorf("residue %+v delayed %v; want no attempt counted and a pause", p.Header, out.Delay)
		}
		if len(s.attempts) != 1 {
			t.Errorf("%d attempts with a wrong password, want 1", len(s.attempts))
		}
	})
}

func TestRowB11_Flush_Deadline_HandsBackWhatIsInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: []step{hangs}}
		b := setup(t, retry.Policy{}, map[string]*scripted{"hanging": s})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		back := b.flusher.Flush(ctx, []queue.Received{message(t, "1", meta(), orders(2))})
		if got := time.Since(start); got != 27*time.Second || len(back) != 0 {
			t.Errorf("returned %v after %v, want none at the deadline less the margin", back, got)
		}
		_, p := b.queue.only(t)
		if p.Header.Sink != "hanging" || p.Header.Attempt != 1 || p.Header.Reason.Class != "transient" || len(p.Events) != 2 {
			t.Errorf("residue %+v for %+v; want an attempt counted: the sink had 27 s to answer", p.Header, p.Header.Reason)
		}
	})
}

func TestRowB11_Flush_DeadlineSoonAfterTheStart_IsNoAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: []step{hangs}}
		b := setup(t, retry.Policy{}, map[string]*scripted{"hanging": s})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		b.flusher.Flush(ctx, []queue.Received{message(t, "1", meta(), orders(2))})
		out, p := b.queue.only(t)
		if p.Header.Attempt != 0 || p.Header.Reason.Class != "cancelled" || out.Delay != 0 {
			t.Errorf("residue %+v delayed %v; four seconds say nothing of the sink", p.Header, out.Delay)
		}
	})
}

func TestFlush_ResidueRefused_OnlyThenTheMessageComesBack(t *testing.T) {
	t.Parallel()
	s := &scripted{script: always(fails(retry.Throttled, time.Minute), 9)}
	b := setup(t, retry.Policy{}, map[string]*scripted{"http": s})
	refused := 1
	b.queue.refuse = func(i int) bool { return i == refused }
	in := []queue.Received{message(t, "1", meta(), orders(2)), message(t, "2", meta(), orders(3)), message(t, "3", meta(), orders(4))}
	back := b.flusher.Flush(t.Context(), in)
	if len(back) != 1 || len(b.queue.got) != 2 {
		t.Fatalf("back %v with %d residues written, want one message and two residues", back, len(b.queue.got))
	}
	kept := len(b.queue.ids(t, "http"))
	lost := map[int]int{0: 2, 1: 3, 2: 4}[back[0]]
	if kept+lost != 9 {
		t.Errorf("residues hold %d events and the message %d, want 9 together", kept, lost)
	}
	if got := b.counter(ledger.Deferred, "http"); got != kept {
		t.Errorf("deferred counts %d, want what was confirmed: %d", got, kept)
	}
}

func TestFlush_ForeignMessage_IsParkedWithTheReason(t *testing.T) {
	t.Parallel()
	b := setup(t, retry.Policy{}, map[string]*scripted{"http": {}})
	foreign := queue.Received{ID: "1", Body: []byte(`hello`), Events: []byte{1, 2}}
	if back := b.flusher.Flush(t.Context(), []queue.Received{foreign}); len(back) != 0 {
		t.Fatalf("back %v: it would come back for ever", back)
	}
	_, p := b.letters.only(t)
	if p.Header.Reason.Stop != "unreadable" || !strings.Contains(p.Header.Reason.Cause, "not a pack") {
		t.Errorf("reason is %+v", p.Header.Reason)
	}
	if got := string(p.Events[0].Data); got != `{"body":"hello","events":"AQI="}` {
		t.Errorf("the letter keeps %s", got)
	}
}

func TestFlush_NewerPack_IsLeftForANewerFlush(t *testing.T) {
	t.Parallel()
	b := setup(t, retry.Policy{}, map[string]*scripted{"http": {}})
	newer := queue.Received{ID: "1", Body: []byte(`{"v":2,"id":"x"}`)}
	back := b.flusher.Flush(t.Context(), []queue.Received{message(t, "0", meta(), orders(1)), newer})
	if !slices.Equal(back, []int{1}) || len(b.letters.got) != 0 {
		t.Errorf("back %v with %d letters, want the newer pack only", back, len(b.letters.got))
	}
}

func TestFlush_UnknownSink_BecomesADeadLetterOfClassSetup(t *testing.T) {
	t.Parallel()
	b := setup(t, retry.Policy{}, map[string]*scripted{"http": {}})
	m := meta()
	m.Sink = "gone"
	b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", m, orders(2))})
	_, p := b.letters.only(t)
	if p.Header.Sink != "gone" || p.Header.Reason.Class != "setup" || !strings.Contains(p.Header.Reason.Cause, `"gone" is not configured`) {
		t.Errorf("letter %+v, reason %+v", p.Header, p.Header.Reason)
	}
}

func TestFlush_ResidueBeforeItsTime_WaitsOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{}
		b := setup(t, retry.Policy{}, map[string]*scripted{"http": s})
		m := meta()
		at := time.Now().Add(time.Hour)
		m.Sink, m.Attempt, m.NotBefore = "http", 2, at
		m.Reason = &batch.Reason{Class: "throttled", First: time.Now().UTC(), Last: time.Now().UTC()}
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", m, orders(2))})
		out, p := b.queue.only(t)
		if len(s.attempts) != 0 || out.Delay != queue.MaxDelay || !p.Header.NotBefore.Equal(at) {
			t.Errorf("%d attempts, delay %v, not before %v; want none, %v, %v", len(s.attempts), out.Delay, p.Header.NotBefore, queue.MaxDelay, at)
		}
		if p.Header.Attempt != 2 || *p.Header.Reason != *m.Reason {
			t.Errorf("waiting changed the story: %+v", p.Header)
		}
	})
}

func TestFlush_PanickingSink_HurtsNobodyElse(t *testing.T) {
	t.Parallel()
	s := &scripted{script: always(func(context.Context, sink.Batch) (sink.Result, error) { panic("bug") }, 99)}
	healthy := &scripted{}
	b := setup(t, retry.Policy{MaxAttempts: 1}, map[string]*scripted{"buggy": s, "healthy": healthy})
	back := b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(2))})
	_, p := b.letters.only(t)
	if len(back) != 0 || len(healthy.taken) != 2 || !strings.Contains(p.Header.Reason.Cause, "panicked: bug") {
		t.Errorf("back %v, healthy %v, reason %+v", back, healthy.taken, p.Header.Reason)
	}
}

func TestFlush_PartialRetry_SendsOnlyTheRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: []step{func(_ context.Context, b sink.Batch) (sink.Result, error) {
			r := sink.Result{Outcomes: make([]sink.Outcome, len(b.Events)-1)} // nothing said of the last
			r.Outcomes[1] = sink.Outcome{Verdict: sink.Retry, Class: retry.Throttled, After: time.Second}
			return r, nil
		}}}
		b := setup(t, retry.Policy{}, map[string]*scripted{"http": s})
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(4))})
		if len(s.attempts) != 2 || !slices.Equal(s.attempts[1].ids, []string{"e001", "e003"}) {
			t.Fatalf("attempts %+v, want a second with e001 and e003", s.attempts)
		}
		if got := s.attempts[1].at.Sub(s.attempts[0].at); got < time.Second {
			t.Errorf("waited %v, asked for 1s", got)
		}
		if got := b.counter(ledger.Retried, "http"); got != 2 {
			t.Errorf("retried counts %d, want 2", got)
		}
	})
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
