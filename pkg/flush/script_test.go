package flush_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink/httpsink"
	"github.com/millrace-dev/millrace/pkg/sink/sinktest"
)

// scene is one line of the scripted table: what a destination and a queue do to a flush,
// and where every event ends.
type scene struct {
	name string
	// events in packs messages; 4 in 1 by default.
	events, packs int
	// script is what the destination does, request by request; then respond, then 200.
	script  string
	respond func(*sinktest.Request) sinktest.Step
	// options of the http sink.
	options httpsink.Options
	// dial replaces the network, and scheme the URL's, in the first flush.
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	scheme string
	// deliver changes what the queue hands over.
	deliver func([]queue.Received) []queue.Received
	// refuse says which residues and letters the queues refuse in the first flush;
	// throttled queues refuse every call.
	refuse    func(i int) bool
	throttled bool

	want ending
	// reason of the residues or letters.
	reason batch.Reason
	// lettersAtLast is how many events are dead letters when nothing waits any more.
	lettersAtLast int
	// doubled is how many events may have arrived twice.
	doubled int
}

// ending is where events are after the first flush.
type ending struct {
	Delivered, Waiting, Letters, Back int
	Requests                          int
	Took                              time.Duration
	// Delay of the residues, and attempts counted on them.
	Delay    time.Duration
	Attempts int
}

// stage is a flusher with the real http sink before a scripted destination.
type stage struct {
	scene
	server         *sinktest.Server
	sink           *httpsink.Sink
	broken         bool // the first flush is under way
	flusher        *flush.Flusher
	queue, letters box
	ledger         *ledger.Ledger
	ids            []string
}

// invocation is what a flush function of one minute has.
const invocation = time.Minute

// sinkTimeout is that of one request.
const sinkTimeout = 20 * time.Second

func newStage(t *testing.T, s scene) *stage {
	t.Helper()
	st := &stage{scene: s, ledger: ledger.New(), broken: true}
	o := sinktest.ServerOptions{Network: sinktest.Memory, Respond: s.respond}
	if s.script != "" {
		o.Script = sinktest.Script(t, s.script)
	}
	st.server = sinktest.NewServer(t, o)
	options := s.options
	options.URL, options.Timeout, options.Dial = st.server.Destination().URL, sinkTimeout, st.connect
	if s.scheme != "" {
		options.URL = s.scheme + "://destination.test/in"
	}
	var err error
	if st.sink, err = httpsink.New(options); err != nil {
		t.Fatal(err)
	}
	st.flusher, err = flush.New(flush.Options{
		Targets: map[string]flush.Target{"http": {Sink: st.sink, Policy: retry.Policy{Jitter: retry.NoJitter}}},
		Router:  toAll{"http"}, Queue: throttling{st, &st.queue}, DeadLetters: throttling{st, &st.letters},
		Ledger: st.ledger, Logger: discard(),
	})
	if err != nil {
		t.Fatal(err)
	}
	st.queue.refuse, st.letters.refuse = s.refuse, s.refuse
	return st
}

// throttling is a queue that takes nothing as long as the stage says so.
type throttling struct {
	stage *stage
	box   *box
}

func (q throttling) Send(ctx context.Context, messages ...queue.Outgoing) error {
	if q.stage.broken && q.stage.throttled {
		return errors.New("RequestThrottled: too many requests")
	}
	return q.box.Send(ctx, messages...)
}

// connect leads to the destination, or into trouble as long as there is some.
func (st *stage) connect(ctx context.Context, network, address string) (net.Conn, error) {
	if st.broken && st.dial != nil {
		return st.dial(ctx, network, address)
	}
	return st.server.Destination().Dial(ctx, network, address)
}

// messages packs the scene's events, each with an id of its own.
func (st *stage) messages(t *testing.T) []queue.Received {
	t.Helper()
	es := orders(cmp.Or(st.events, 4))
	st.ids = idsOf(es)
	var in []queue.Received
	for part := range slices.Chunk(es, len(es)/cmp.Or(st.packs, 1)) {
		in = append(in, message(t, part[0].ID, meta(), part))
	}
	return in
}

// flush runs one invocation and returns the messages that come back.
func (st *stage) flush(t *testing.T, in []queue.Received) (back []queue.Received) {
	ctx, cancel := context.WithTimeout(t.Context(), invocation)
	defer cancel()
	for _, i := range st.flusher.Flush(ctx, in) {
		back = append(back, in[i])
	}
	return back
}

func unpacked(t *testing.T, messages []queue.Received) []string {
	t.Helper()
	var ids []string
	for _, m := range messages {
		p, err := batch.Decode(m.Body, m.Events)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, idsOf(p.Events)...)
	}
	return ids
}

// play runs a scene: the first flush, and then as many as it takes until nothing waits.
func play(t *testing.T, s scene) {
	t.Helper()
	st := newStage(t, s)
	in := st.messages(t)
	if s.deliver != nil {
		in = s.deliver(in)
	}
	start := time.Now()
	back := st.flush(t, in)
	st.check(t, back, time.Since(start))
	st.broken, st.queue.refuse, st.letters.refuse = false, nil, nil
	if s.scheme == "" { // behind a wrong scheme nothing changes until somebody corrects it
		st.playOn(t, back)
		st.checkLast(t)
	}
	st.close(t)
}

func (st *stage) close(t *testing.T) {
	t.Helper()
	if err := st.sink.Close(); err != nil {
		t.Error(err)
	}
	st.server.Close()
}

// check compares the first flush with what the scene wants, by ids and by the books.
func (st *stage) check(t *testing.T, back []queue.Received, took time.Duration) {
	t.Helper()
	waiting, letters, returned := st.queue.ids(t, "http"), st.letters.ids(t, "http"), unpacked(t, back)
	elsewhere := slices.Concat(waiting, letters, returned)
	arrived := st.server.Taken()
	delivered := 0
	for _, id := range st.ids {
		switch places := count(elsewhere, id); {
		case places > 1:
			t.Errorf("event %s is in %d places", id, places)
		case places == 0 && arrived[id] == 0:
			t.Errorf("event %s is lost", id)
		case places == 0:
			delivered++
		}
	}
	got := ending{
		Delivered: delivered, Waiting: len(waiting), Letters: len(letters), Back: len(returned),
		Requests: len(st.server.Requests()), Took: took,
	}
	for _, out := range st.queue.got {
		got.Delay, got.Attempts = out.Delay, out.Message.Header.Attempt
	}
	if diff := gocmp.Diff(st.want, got); diff != "" {
		t.Errorf("after the first flush (-want +got):\n%s", diff)
	}
	st.checkReasons(t)
	st.checkBooks(t, got)
}

func count(ids []string, id string) int {
	n := 0
	for _, other := range ids {
		if other == id {
			n++
		}
	}
	return n
}

// checkReasons: every residue and letter tells the scene's story.
func (st *stage) checkReasons(t *testing.T) {
	t.Helper()
	for _, out := range slices.Concat(st.queue.got, st.letters.got) {
		r := out.Message.Header.Reason
		if r.Class != st.reason.Class || r.Status != st.reason.Status || r.Stop != st.reason.Stop || !strings.Contains(r.Cause, st.reason.Cause) {
			t.Errorf("reason is %+v, want %+v", *r, st.reason)
		}
	}
}

func (st *stage) checkBooks(t *testing.T, e ending) {
	t.Helper()
	for counter, want := range map[ledger.Counter]int{ledger.Deferred: e.Waiting, ledger.DeadLettered: e.Letters} {
		got := 0
		for _, entry := range st.ledger.Snapshot() {
			if entry.Counter == counter {
				got += entry.Count
			}
		}
		if got != want {
			t.Errorf("the books say %d %s, there are %d", got, counter, want)
		}
	}
}

// playOn lets the queue hand over what waits, in its time, until nothing does.
func (st *stage) playOn(t *testing.T, back []queue.Received) {
	t.Helper()
	for round := 0; len(back) > 0 || len(st.queue.got) > 0; round++ {
		if round == 50 {
			t.Fatalf("%d residues and %d messages still wait after %d flushes", len(st.queue.got), len(back), round)
		}
		in := back
		wait := time.Second // a message that came back is visible again
		for _, out := range st.queue.got {
			in = append(in, queue.Received{ID: out.Message.Header.ID, Body: []byte(out.Message.Body), Events: out.Message.Events, ReceiveCount: 1})
			wait = max(wait, out.Delay)
		}
		st.queue.got = nil
		time.Sleep(wait)
		back = st.flush(t, in)
	}
}

// checkLast: nothing waits, and each event arrived or is a dead letter; twice at most
// those that the scene lets.
func (st *stage) checkLast(t *testing.T) {
	t.Helper()
	letters := st.letters.ids(t, "http")
	if len(letters) != st.lettersAtLast {
		t.Errorf("%d events are dead letters at last, want %d", len(letters), st.lettersAtLast)
	}
	if missing := without(st.server.Taken().Missing(st.ids), letters); len(missing) > 0 {
		t.Errorf("lost: %v", missing)
	}
	if n := len(without(st.server.Taken().Repeated(), letters)); n > st.doubled {
		t.Errorf("%d events arrived more than once, at most %d may: %v", n, st.doubled, st.server.Taken().Repeated())
	}
}

func without(ids, others []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(others, id) })
}

func TestFlush_Script(t *testing.T) {
	t.Parallel()
	for _, s := range slices.Concat(networkScenes(), replyScenes(), waitingScenes(), itemScenes(), queueScenes()) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { play(t, s) })
		})
	}
}

// refusedBy returns a dialler that always fails.
func refusedBy(err error) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) { return nil, err }
}

// answering returns a dialler to a server that says one thing, whatever it is told.
func answering(bytes string) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			_, _ = server.Read(make([]byte, 4096))
			_, _ = io.WriteString(server, bytes)
		}()
		return client, nil
	}
}

// waitsAfter is an ending where all events wait after a number of attempts.
func waitsAfter(attempts, requests int, took, delay time.Duration) ending {
	return ending{Waiting: 4, Requests: requests, Took: took, Delay: delay, Attempts: attempts}
}

func networkScenes() []scene {
	// After 200, 400, 800 and 1600 ms the fifth failure opens the breaker; 3.2 s later the
	// sixth attempt meets it, open for 26.8 s yet.
	const (
		tries     = 6
		untilOpen = 6200 * time.Millisecond
		open      = 26800 * time.Millisecond
	)
	return []scene{
		{
			name:   "a refused connection is tried again until the breaker opens, then waits",
			dial:   refusedBy(&net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect: connection refused")}),
			want:   waitsAfter(tries, 0, untilOpen, open),
			reason: batch.Reason{Class: "transient", Cause: "connection refused"},
		},
		{
			name:   "a name that is not found",
			dial:   refusedBy(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "destination.test", IsNotFound: true}}),
			want:   waitsAfter(tries, 0, untilOpen, open),
			reason: batch.Reason{Class: "transient", Cause: "no such host"},
		},
		{
			name: "a TLS alert is trouble of the destination", scheme: "https",
			dial:   answering("\x15\x03\x03\x00\x02\x02\x28"), // handshake_failure
			want:   waitsAfter(tries, 0, untilOpen, open),
			reason: batch.Reason{Class: "transient", Cause: "handshake failure"},
		},
		{
			name: "http behind an https URL is a matter of setup", scheme: "https",
			dial:   answering("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
			want:   waitsAfter(0, 0, 0, 30*time.Second),
			reason: batch.Reason{Class: "setup", Cause: "speaks http, not https"},
		},
		{
			name: "503, then a reset in the place of a reply", script: "503, reset, 200",
			want: ending{Delivered: 4, Requests: 3, Took: 600 * time.Millisecond},
		},
		{
			name: "a reset in the headers", script: "reset-headers, 200",
			want: ending{Delivered: 4, Requests: 2, Took: 200 * time.Millisecond},
		},
		{
			name: "a reset in the body of a 200 does not take the delivery back", script: "reset-body",
			want: ending{Delivered: 4, Requests: 1},
		},
		{
			name: "a reset in the body of a 503 is a 503", script: "503 reset-body, 200",
			want: ending{Delivered: 4, Requests: 2, Took: 200 * time.Millisecond},
		},
	}
}

func replyScenes() []scene {
	json := httpsink.Options{RequireJSON: true}
	return []scene{
		{name: "a 200 that never ends is a delivery", script: "endless", want: ending{Delivered: 4, Requests: 1}},
		{name: "a 200 of 1 GB is a delivery", script: "huge", want: ending{Delivered: 4, Requests: 1}},
		{name: "a 503 that never ends is a 503", script: "503 endless, 200", want: ending{Delivered: 4, Requests: 2, Took: 200 * time.Millisecond}},
		{
			name: "a slow-loris body is waited for a second", script: "slow-body",
			want: ending{Delivered: 4, Requests: 1, Took: time.Second},
		},
		{
			name: "slow-loris headers use up the time of an attempt", script: "slow-headers, 200",
			want: ending{Delivered: 4, Requests: 2, Took: sinkTimeout + 200*time.Millisecond},
		},
		{
			name: "a destination that hangs is left in time to hand everything back", script: "hang x3",
			// 20 s + 200 ms + 20 s + 400 ms, and then 16.4 s to the deadline less its margin: long enough to count
			want:   waitsAfter(3, 3, invocation-flush.DefaultMargin, 800*time.Millisecond),
			reason: batch.Reason{Class: "transient", Cause: "no answer within 16.4s"},
		},
		{
			name: "a redirect is refused as a matter of setup", script: "redirect",
			want:   waitsAfter(0, 1, 0, 30*time.Second),
			reason: batch.Reason{Class: "setup", Status: 302, Cause: "redirects are not followed"},
		},
		{name: "a login page is a delivery where bodies are not read", script: "html", want: ending{Delivered: 4, Requests: 1}},
		{
			name: "a login page is a matter of setup where JSON is required", script: "html", options: json,
			want:    waitsAfter(0, 1, 0, 30*time.Second),
			reason:  batch.Reason{Class: "setup", Status: 200, Cause: "the reply is not JSON: <!DOCTYPE html>"},
			doubled: 4, // the page said 200, and nobody knows what stood behind it
		},
		{
			name: "wrong credentials keep the events on the queue", script: "401",
			want:   waitsAfter(0, 1, 0, 30*time.Second),
			reason: batch.Reason{Class: "setup", Status: 401},
		},
		{
			name: "a 400 for the request is final", script: "400", events: 1,
			want: ending{Letters: 1, Requests: 1}, lettersAtLast: 1,
			reason: batch.Reason{Class: "permanent", Stop: "permanent", Status: 400, Cause: "status 400 Bad Request"},
		},
		{
			name: "a 413 halves the batch", script: "413, 200",
			want: ending{Delivered: 4, Requests: 3},
		},
		{
			name: "a 413 for a batch of one names the size and the limit", script: "413", events: 1, options: httpsink.Options{MaxBytes: 5000},
			want: ending{Letters: 1, Requests: 1}, lettersAtLast: 1,
			reason: batch.Reason{Class: "too-large", Stop: "too-large", Status: 413, Cause: "the event alone has 72 bytes, a batch at most 5000: status 413"},
		},
	}
}

func waitingScenes() []scene {
	return []scene{
		{
			name: "503 and Retry-After, a reset, then a 200", script: "503, Retry-After: 2, reset, 200",
			want: ending{Delivered: 4, Requests: 3, Took: 2400 * time.Millisecond},
		},
		{
			name: "Retry-After above the inline limit is handed to the queue", script: "429, Retry-After: 20",
			want:   waitsAfter(1, 1, 0, 20*time.Second),
			reason: batch.Reason{Class: "throttled", Status: 429},
		},
		{
			name: "an absurd Retry-After is capped", script: "429, Retry-After: 99999999999",
			want:   waitsAfter(1, 1, 0, retry.DefaultMaxRetryAfter),
			reason: batch.Reason{Class: "throttled", Status: 429},
		},
		{name: "Retry-After: -1 is no wait", script: "429, Retry-After: -1", want: ending{Delivered: 4, Requests: 2, Took: 200 * time.Millisecond}},
		{
			name: "a Retry-After in the past is no wait", script: "503",
			respond: respondOnce(sinktest.Step{Status: 503, Header: http.Header{"Retry-After": {"Fri, 31 Dec 1999 23:59:59 GMT"}}}),
			want:    ending{Delivered: 4, Requests: 3, Took: 600 * time.Millisecond},
		},
		{name: "a Retry-After that is garbage is no wait", script: "503, Retry-After: soon", want: ending{Delivered: 4, Requests: 2, Took: 200 * time.Millisecond}},
	}
}
