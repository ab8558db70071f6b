package flush_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/claimcheck"
	"github.com/millrace-dev/millrace/pkg/claimcheck/claimtest"
	"github.com/millrace-dev/millrace/pkg/deadletter"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/queue/queuetest"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// largeBundle is a flusher between real queues with a bucket.
type largeBundle struct {
	*bundle

	s3            *claimtest.Server
	main, letters *queue.Queue
	sink          *keeping
}

// keeping is a scripted sink that keeps the bytes it took.
type keeping struct {
	scripted

	mu   sync.Mutex
	data map[string][]byte
}

func (k *keeping) Send(ctx context.Context, b sink.Batch) (sink.Result, error) {
	result, err := k.scripted.Send(ctx, b)
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range b.Events {
		if err == nil && result.Of(i).Verdict == sink.Delivered {
			k.data[b.Events[i].ID] = b.Events[i].Data
		}
	}
	return result, err
}

func setupLarge(t *testing.T, script ...step) *largeBundle {
	t.Helper()
	s3 := claimtest.NewServer(t)
	server := queuetest.Start(t, sqs.Options{})
	b := &largeBundle{
		bundle: &bundle{ledger: ledger.New()}, s3: s3,
		main: server.Queue(t, "packs").WithBucket(s3.Bucket()), letters: server.Queue(t, "letters").WithBucket(s3.Bucket()),
		sink: &keeping{scripted: scripted{script: script}, data: make(map[string][]byte)},
	}
	b.flusher = b.newFlusher(t, s3.Bucket())
	return b
}

func (b *largeBundle) newFlusher(t *testing.T, bucket *claimcheck.Bucket) *flush.Flusher {
	t.Helper()
	f, err := flush.New(flush.Options{
		Targets: map[string]flush.Target{"http": {Sink: b.sink, Policy: retry.Policy{MaxInlineWait: 1, MaxAttempts: 2}}}, Router: toAll{"http"},
		Queue: b.main, DeadLetters: b.letters, Bucket: bucket, Ledger: b.ledger, Logger: discard(), Dedup: forgetful(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// largeEvents do not compress.
func largeEvents(n, size int) []event.Event {
	es := orders(n)
	random := rand.NewChaCha8([32]byte{byte(n)})
	for i := range es {
		es[i].Data = make([]byte, size)
		_, _ = random.Read(es[i].Data)
	}
	return es
}

// send puts events on the main queue and takes their messages off it.
func (b *largeBundle) send(t *testing.T, m batch.Meta, es []event.Event) []queue.Received {
	t.Helper()
	packs, err := batch.Encode(m, es)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]queue.Outgoing, len(packs))
	for i := range packs {
		out[i].Message = packs[i]
	}
	if err := b.main.Send(t.Context(), out...); err != nil {
		t.Fatal(err)
	}
	return take(t, b.main)
}

func take(t *testing.T, q *queue.Queue) []queue.Received {
	t.Helper()
	messages, err := q.Receive(t.Context(), queue.MaxEntries, 20*time.Second, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

// claimOf is the header of the one message, which must be a claim that the bucket honours.
func (b *largeBundle) claimOf(t *testing.T, messages []queue.Received) batch.Header {
	t.Helper()
	if len(messages) != 1 {
		t.Fatalf("%d messages, want 1", len(messages))
	}
	h, err := batch.ParseHeader(messages[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := batch.DecodeEvents(&h, b.s3.Objects()[h.Claim]); h.Claim == "" || err != nil {
		t.Errorf("claim %q: %v, want events in the bucket", h.Claim, err)
	}
	return h
}

func TestFlush_LargeEvents_AreDeliveredWhole(t *testing.T) {
	t.Parallel()
	b := setupLarge(t)
	es := append(largeEvents(5, 3<<20), event.Event{ID: "small", Source: "web", Type: "order", Kind: "event", Tenant: "acme", Receiver: "generic", Data: []byte(`{}`)})
	if back := b.flusher.Flush(t.Context(), b.send(t, meta(), es)); len(back) != 0 {
		t.Fatalf("messages %v come back, want none", back)
	}
	for _, e := range es {
		if !bytes.Equal(b.sink.data[e.ID], e.Data) {
			t.Errorf("event %s: sink has %d bytes, want the %d that were sent", e.ID, len(b.sink.data[e.ID]), len(e.Data))
		}
	}
	if got := b.counter(ledger.Delivered, "http"); got != len(es) {
		t.Errorf("delivered counts %d, want %d", got, len(es))
	}
}

func TestFlush_LargeEvent_SinkInTrouble_ResidueThenLetterClaimTheSame(t *testing.T) {
	t.Parallel()
	b := setupLarge(t, fails(retry.Transient, time.Second), fails(retry.Transient, 0))
	es := largeEvents(1, 3<<20)
	fresh := b.send(t, meta(), es)
	claim := b.claimOf(t, fresh).Claim
	if back := b.flusher.Flush(t.Context(), fresh); len(back) != 0 {
		t.Fatalf("messages %v come back, want none", back)
	}
	residue := take(t, b.main)
	if h := b.claimOf(t, residue); h.Claim != claim || h.Sink != "http" || h.Attempt != 1 {
		t.Errorf("residue claims %q for %q after %d attempts, want %q for http after 1", h.Claim, h.Sink, h.Attempt, claim)
	}
	if back := b.flusher.Flush(t.Context(), residue); len(back) != 0 {
		t.Fatalf("messages %v come back, want none", back)
	}
	if h := b.claimOf(t, take(t, b.letters)); h.Claim != claim || h.Reason.Attempts != 2 {
		t.Errorf("letter claims %q after %d attempts, want %q after 2", h.Claim, h.Reason.Attempts, claim)
	}
	puts := 0
	for _, call := range b.s3.Calls() {
		if strings.HasPrefix(call, "PUT") {
			puts++
		}
	}
	if puts != 3 || len(b.s3.Objects()) != 1 {
		t.Errorf("%d puts made %d objects, want the one put anew for each message", puts, len(b.s3.Objects()))
	}
}

func TestFlush_BucketAway_MessageComesBackAndIsDeliveredLater(t *testing.T) {
	t.Parallel()
	b := setupLarge(t)
	es := largeEvents(1, 3<<20)
	in := append(b.send(t, meta(), es), message(t, "small", meta(), orders(2)[1:]))
	for name, flusher := range map[string]*flush.Flusher{"no permission": b.flusher, "no bucket": b.newFlusher(t, nil)} {
		b.s3.Break(claimtest.Failure{Status: http.StatusForbidden, Code: "AccessDenied"})
		if diff := cmp.Diff([]int{0}, flusher.Flush(t.Context(), in)); diff != "" {
			t.Errorf("%s: messages that come back (-want +got):\n%s", name, diff)
		}
	}
	if got := len(b.sink.data); got != 1 {
		t.Errorf("sink has %d events, want the one whose message is whole", got)
	}
	b.s3.Heal()
	if back := b.flusher.Flush(t.Context(), in[:1]); len(back) != 0 {
		t.Fatalf("messages %v come back, want none", back)
	}
	if !bytes.Equal(b.sink.data["e000"], es[0].Data) {
		t.Error("the large event was not delivered after the bucket was back")
	}
}

func TestFlush_EventsMissing_LetterKeepsTheHeader(t *testing.T) {
	t.Parallel()
	addressed := meta()
	addressed.Sink, addressed.Attempt, addressed.Reason = "http", 1, &batch.Reason{Class: "transient", First: meta().First}
	replayed := meta()
	replayed.Sink, replayed.Generation = "http", 1
	garbage := bytes.Repeat([]byte("x"), 3<<20)
	for _, tt := range []struct {
		name   string
		meta   batch.Meta
		object func(of []byte) []byte
		says   string
		routed int // and dead-lettered, in the books of the sink
		dead   int
	}{
		{"no object, fresh", meta(), func([]byte) []byte { return nil }, "object is missing", 0, 0},
		{"no object, addressed", addressed, func([]byte) []byte { return nil }, "object is missing", 0, 1},
		{"no object, replayed", replayed, func([]byte) []byte { return nil }, "object is missing", 1, 1},
		{"another object", meta(), func([]byte) []byte { return garbage }, "checksum", 0, 0},
		{"an empty object", meta(), func([]byte) []byte { return []byte{} }, "checksum", 0, 0},
		{"half the object", meta(), func(o []byte) []byte { return o[:len(o)/2] }, "checksum", 0, 0},
		{"a larger object", meta(), func(o []byte) []byte { return append(bytes.Clone(o), garbage...) }, "larger than", 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setupLarge(t)
			in := b.send(t, tt.meta, largeEvents(1, 3<<20))
			was := b.claimOf(t, in)
			b.s3.Change(was.Claim, tt.object(b.s3.Objects()[was.Claim]))
			after := b.s3.Objects()
			if back := b.flusher.Flush(t.Context(), in); len(back) != 0 {
				t.Fatalf("messages %v come back, want a dead letter", back)
			}
			letters := take(t, b.letters)
			if len(letters) != 1 {
				t.Fatalf("%d letters, want 1", len(letters))
			}
			h, err := batch.ParseHeader(letters[0].Body)
			if err != nil {
				t.Fatal(err)
			}
			if h.Reason == nil || h.Reason.Stop != deadletter.StopMissing || h.Reason.Class != "permanent" || !strings.Contains(h.Reason.Cause, tt.says) {
				t.Errorf("reason is %+v, want %s because of %q", h.Reason, deadletter.StopMissing, tt.says)
			}
			was.Reason, h.Reason = nil, nil
			if diff := cmp.Diff(was, h); diff != "" {
				t.Errorf("the rest of the header (-want +got):\n%s", diff)
			}
			if !maps.EqualFunc(after, b.s3.Objects(), bytes.Equal) {
				t.Error("the flush has changed the bucket")
			}
			if routed, dead := b.counter(ledger.Routed, "http"), b.counter(ledger.DeadLettered, "http"); routed != tt.routed || dead != tt.dead {
				t.Errorf("books: routed %d, dead-lettered %d, want %d and %d", routed, dead, tt.routed, tt.dead)
			}
		})
	}
}

// A claim of another tenant is not looked up: the message is no readable pack.
func TestFlush_ForeignClaim_IsParkedUnasked(t *testing.T) {
	t.Parallel()
	b := setupLarge(t)
	in := b.send(t, meta(), largeEvents(1, 3<<20))
	in[0].Body = bytes.Replace(in[0].Body, []byte("packs/acme/"), []byte("packs/zeta/"), 1)
	before := len(b.s3.Calls())
	if back := b.flusher.Flush(t.Context(), in); len(back) != 0 {
		t.Fatalf("messages %v come back, want a dead letter", back)
	}
	if calls := b.s3.Calls()[before:]; len(calls) != 0 {
		t.Errorf("S3 was asked %v", calls)
	}
	packs := queuetest.Packs(t, b.letters)
	if len(packs) != 1 || packs[0].Header.Reason.Stop != deadletter.StopUnreadable || !bytes.Contains(packs[0].Events[0].Data, []byte("packs/zeta/")) {
		t.Errorf("letters are %+v, want an unreadable message with its body", packs)
	}
}

// counting counts the objects that are held between a Get and the delivery.
type counting struct {
	flush.Bucket

	mu        sync.Mutex
	now, most int
}

func (c *counting) Get(ctx context.Context, key string, maxBytes int) ([]byte, error) {
	c.mu.Lock()
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	return c.Bucket.Get(ctx, key, maxBytes)
}

// However many large events there are, no more are fetched than fit the memory at once.
func TestFlush_ManyLargeEvents_AreFetchedInWaves(t *testing.T) {
	t.Parallel()
	b := setupLarge(t)
	es := largeEvents(10, batch.MaxLargeEventBytes-1000)
	bucket := &counting{Bucket: b.s3.Bucket()}
	deliver := func(_ context.Context, batch sink.Batch) (sink.Result, error) {
		bucket.mu.Lock()
		defer bucket.mu.Unlock()
		bucket.now -= len(batch.Events)
		return sink.Result{}, nil
	}
	b.sink.script = always(deliver, len(es))
	f, err := flush.New(flush.Options{
		Targets: map[string]flush.Target{"http": {Sink: &b.sink.scripted}}, Router: toAll{"http"},
		Queue: b.main, DeadLetters: b.letters, Bucket: bucket, Logger: discard(), Dedup: forgetful(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	if back := f.Flush(t.Context(), b.send(t, meta(), es)); len(back) != 0 {
		t.Fatalf("messages %v come back, want none", back)
	}
	if diff := cmp.Diff(fmt.Sprint(len(es), 0), fmt.Sprint(len(b.sink.taken), bucket.now)); diff != "" {
		t.Errorf("events taken, objects still held (-want +got):\n%s", diff)
	}
	if bucket.most != 2 {
		t.Errorf("%d objects of 6 MiB were held at once, want 2: each counts twice, packed and unpacked", bucket.most)
	}
}
