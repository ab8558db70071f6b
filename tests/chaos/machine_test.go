package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/internal/localaws/dynamodb"
	"github.com/millrace-dev/millrace/internal/localaws/inprocess"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/queue/queuetest"
	"github.com/millrace-dev/millrace/pkg/replay"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// step is one move of the machine; n means what the verb says.
type step struct {
	verb string
	n    int
}

// verbs that a script is drawn from.
var verbs = []string{"send", "send", "send again", "flush", "flush", "flush and crash", "flush, no deletes", "show", "wait", "replay", "replay and crash", "replay, queue away", "mood", "queue away", "store away", "store busy", "clock"}

// Whatever happens in whatever order: no event leaves the system before its sinks have it, in the end each has it, and only what a
// flush held when it crashed, or could not ask about or settle with the store, may come twice. Real queues, leases, dedup with its
// table, dead letters and replays, in virtual time: a failure shrinks to the few steps that matter.
func TestMachine_Property_OnceUnlessAFlushCrashed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		script := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
			return step{rapid.SampledFrom(verbs).Draw(rt, "verb"), rapid.IntRange(0, 9).Draw(rt, "n")}
		}), 1, 40).Draw(rt, "script")
		scope := rapid.SampledFrom([]dedup.Scope{dedup.ScopePack, dedup.ScopeEvent}).Draw(rt, "scope")
		onFailure := rapid.SampledFrom([]dedup.OnFailure{dedup.FailOpen, dedup.FailClosed}).Draw(rt, "on store failure")
		var problem error
		// Drawing and failing stay outside: rapid does not reach into the bubble.
		synctest.Test(t, func(t *testing.T) { problem = runScript(t, scope, onFailure, script) })
		if problem != nil {
			rt.Fatal(problem)
		}
	})
}

func runScript(t *testing.T, scope dedup.Scope, onFailure dedup.OnFailure, script []step) error {
	m := newMachine(t, scope, onFailure)
	for i, s := range script {
		m.do(s)
		if err := m.check(); err != nil {
			return fmt.Errorf("after step %d, %v: %w", i, s, err)
		}
	}
	return m.settle()
}

// model is what may be and must be: events sent, and by how much each sink's count may exceed one.
type model struct {
	sent  []string
	twice map[string]int // by event; equal for all sinks
}

// machine is the system and its model.
type machine struct {
	model

	t             *testing.T
	scope         dedup.Scope
	service       *sqs.Service
	main, letters *queue.Queue
	flushers      []*flush.Flusher
	replayer      *replay.Replayer
	sinks         map[string]*moodySink
	packs         [][]event.Event // as sent, to be sent again
	away          int             // calls that send and fail
	crashing      bool            // deletes and settlements do not happen
	keeping       bool            // deletes do not happen
	flushes       int
	storeMu       sync.Mutex // calls of one flush come side by side
	store         storeTrouble
	clocks        [2]time.Duration // by how much the clock of each environment is wrong
}

// storeTrouble is what the calls of the store meet.
type storeTrouble struct {
	calls int   // that fail
	fault error // with this
	hit   bool  // since the flush began
}

func newMachine(t *testing.T, scope dedup.Scope, onFailure dedup.OnFailure) *machine {
	m := &machine{t: t, scope: scope, model: model{twice: map[string]int{}}, sinks: map[string]*moodySink{"a": {}, "b": {}}}
	server := queuetest.Start(t, sqs.Options{Faults: &sqs.Faults{Intercept: m.intercept}})
	m.service, m.letters, m.main = server.Service, server.Queue(t, "letters"), server.Queue(t, "main")
	// What comes back too often SQS moves by itself.
	policy := map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:letters","maxReceiveCount":3}`}
	if err := m.service.SetQueueAttributes(t.Context(), "main", policy); err != nil {
		t.Fatal(err)
	}
	table := m.newTable()
	for i := range m.clocks {
		store := crashStore{dynamo.New(dynamo.Options{
			Client: table, Table: "dedup", Now: func() time.Time { return time.Now().Add(m.clocks[i]) },
		}), m}
		d, err := dedup.New(dedup.Options{Store: store, Scope: scope, Window: 1000 * time.Hour, Lease: time.Minute, OnStoreFailure: onFailure})
		if err != nil {
			t.Fatal(err)
		}
		targets := map[string]flush.Target{}
		for name, s := range m.sinks {
			targets[name] = flush.Target{Sink: s, Policy: retry.Policy{MaxAttempts: 3, MaxInlineWait: 1}}
		}
		f, err := flush.New(flush.Options{
			Targets: targets, Router: toBoth{}, Queue: m.main, DeadLetters: m.letters, Dedup: d, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		m.flushers = append(m.flushers, f)
	}
	r, err := replay.New(replay.Options{Letters: m.letters, Queue: m.main, Sinks: []string{"a", "b"}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	m.replayer = r
	return m
}

// newTable returns the client of a real table.
func (m *machine) newTable() *awsdynamodb.Client {
	service, err := dynamodb.Open(dynamodb.Options{Faults: &dynamodb.Faults{Intercept: m.interceptStore}}, nil)
	if err == nil {
		err = service.CreateTable("dedup", dynamo.KeyAttribute, "B", dynamo.TTLAttribute)
	}
	if err != nil {
		m.t.Fatal(err)
	}
	return awsdynamodb.New(awsdynamodb.Options{
		BaseEndpoint: aws.String("http://dynamodb.test"), Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), HTTPClient: inprocess.Transport{Handler: service},
	})
}

func (m *machine) interceptStore(string, []byte) error {
	m.storeMu.Lock()
	defer m.storeMu.Unlock()
	if m.store.calls == 0 {
		return nil
	}
	m.store.calls--
	m.store.hit = true
	return m.store.fault
}

func (m *machine) intercept(op string, _ []byte) error {
	switch {
	case (m.crashing || m.keeping) && op == "DeleteMessageBatch":
		return errCrashed
	case m.away > 0 && (op == "SendMessage" || op == "SendMessageBatch"):
		m.away--
		return sqs.Unavailable()
	}
	return nil
}

var errCrashed = errors.New("crashed")

func (m *machine) do(s step) {
	switch s.verb {
	case "send":
		m.send(s.n)
	case "send again":
		if len(m.packs) > 0 {
			m.put(m.packs[s.n%len(m.packs)])
		}
	case "flush", "flush and crash", "flush, no deletes":
		m.crashing, m.keeping = s.verb == "flush and crash", s.verb == "flush, no deletes"
		m.flush(1 + s.n)
	case "show":
		m.show(func(held sqs.Held) (time.Duration, bool) { return 0, held == sqs.HeldInFlight })
	case "wait":
		time.Sleep(time.Duration(s.n*s.n) * time.Second)
	case "replay", "replay and crash", "replay, queue away":
		m.crashing = s.verb == "replay and crash"
		if s.verb == "replay, queue away" {
			m.away = 1
		}
		_, _ = m.replayer.Run(m.t.Context(), replay.Request{Limit: s.n, MaxGeneration: 1000})
	case "mood":
		m.sinks["a"].mood, m.sinks["b"].mood = s.n%4, s.n*7%4
	case "queue away":
		m.away = s.n
	case "store away":
		m.store = storeTrouble{calls: s.n, fault: dynamodb.Unavailable()}
	case "store busy":
		m.store = storeTrouble{calls: s.n, fault: dynamodb.Throttled()}
	case "clock":
		m.clocks[s.n%len(m.clocks)] = []time.Duration{0, time.Hour, -time.Hour, 30 * time.Second, -30 * time.Second}[s.n/2]
	}
	m.crashing, m.keeping = false, false
}

// send makes a new pack of n+1 events.
func (m *machine) send(n int) {
	events := make([]event.Event, 1+n)
	for i := range events {
		id := fmt.Sprint("e", len(m.sent))
		events[i] = event.Event{ID: id, Source: "web", Kind: "event", Tenant: "acme", Receiver: "generic", Data: []byte(`{}`)}
		m.sent = append(m.sent, id)
	}
	m.packs = append(m.packs, events)
	m.put(events)
}

func (m *machine) put(events []event.Event) {
	away := m.away
	m.away = 0 // this is what ingest has confirmed
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	packs, err := batch.Encode(batch.Meta{Tenant: "acme", Receiver: "generic", First: at, Last: at}, events)
	if err != nil || len(packs) != 1 || m.main.Send(m.t.Context(), queue.Outgoing{Message: packs[0]}) != nil {
		m.t.Fatalf("send %d packs: %v", len(packs), err)
	}
	m.away = away
}

// flush takes up to n messages to one of the two environments, in turn.
func (m *machine) flush(n int) {
	messages, err := m.main.Receive(m.t.Context(), n, 0, 30*time.Second)
	if err != nil || len(messages) == 0 {
		return
	}
	if m.crashing {
		m.hold(messages)
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), 20*time.Second)
	defer cancel()
	m.flushes++
	away := m.away
	m.store.hit = false
	back := m.flushers[m.flushes%len(m.flushers)].Flush(ctx, messages)
	if m.store.hit && !m.crashing {
		m.hold(messages) // delivered without having asked, or without a settlement
	}
	var done []string
	for i := range messages {
		if len(back) > 0 && back[0] == i {
			back = back[1:]
			if away > m.away && m.scope == dedup.ScopePack {
				m.hold(messages[i : i+1]) // a pack that a sink took in part, and whose rest was not written, is not remembered
			}
			continue
		}
		done = append(done, messages[i].Receipt)
	}
	_ = m.main.Delete(m.t.Context(), done...) // what stays comes again
}

// hold notes what a flush had in hand when it crashed.
func (m *machine) hold(messages []queue.Received) {
	for i := range messages {
		p, err := batch.Decode(messages[i].Body, messages[i].Events)
		if err != nil {
			m.t.Fatal(err)
		}
		for k := range p.Events {
			m.twice[p.Events[k].ID]++
		}
	}
}

func (m *machine) show(pick func(sqs.Held) (time.Duration, bool)) {
	for _, name := range []string{"main", "letters"} {
		if _, err := m.service.Disturb(name, pick); err != nil {
			m.t.Fatal(err)
		}
	}
}

// check compares the system with the model: each event is somewhere, and no sink has one too often.
func (m *machine) check() error {
	for name, s := range m.sinks {
		queued := m.queued(name)
		for _, id := range m.sent {
			switch n := s.taken[id]; {
			case n == 0 && !queued[id]:
				return fmt.Errorf("sink %s: %s is lost", name, id)
			case n > 1+m.twice[id]:
				return fmt.Errorf("sink %s has %s %d times, allowed are %d", name, id, n, 1+m.twice[id])
			}
		}
	}
	return nil
}

// queued are the events on both queues that are for a sink.
func (m *machine) queued(sinkName string) map[string]bool {
	ids := map[string]bool{}
	for _, name := range []string{"main", "letters"} {
		messages, err := m.service.Peek(name)
		if err != nil {
			m.t.Fatal(err)
		}
		for _, message := range messages {
			p, err := batch.Decode([]byte(message.Body), message.MessageAttributes[batch.AttributeName].BinaryValue)
			if err != nil {
				m.t.Fatal(err)
			}
			for i := range p.Events {
				if p.Header.Sink == "" || p.Header.Sink == sinkName {
					ids[p.Events[i].ID] = true
				}
			}
		}
	}
	return ids
}

// settle ends all trouble and waits until nothing is left.
func (m *machine) settle() error {
	m.away, m.sinks["a"].mood, m.sinks["b"].mood = 0, 0, 0
	m.store, m.clocks = storeTrouble{}, [2]time.Duration{}
	for range 200 {
		if len(m.queued("a"))+len(m.queued("b")) == 0 {
			return m.check()
		}
		time.Sleep(2 * time.Minute) // leases, breakers and delays
		m.show(func(held sqs.Held) (time.Duration, bool) { return 0, held != sqs.HeldVisible })
		m.flush(queue.MaxEntries)
		if _, err := m.replayer.Run(m.t.Context(), replay.Request{MaxGeneration: 1000}); err != nil {
			return err
		}
	}
	return fmt.Errorf("never empty: %d events for a and %d for b are left", len(m.queued("a")), len(m.queued("b")))
}

// moodySink is well (0), fails for now (1), refuses for good (2) or takes every second event (3).
type moodySink struct {
	mood int

	mu    sync.Mutex
	taken map[string]int
}

func (*moodySink) Limits() batch.Limits { return batch.Limits{} }

func (s *moodySink) Send(_ context.Context, b sink.Batch) (sink.Result, error) {
	switch s.mood {
	case 1:
		return sink.Result{}, sink.Fail(retry.Transient, "in a mood", nil)
	case 2:
		return sink.Result{}, sink.Fail(retry.Permanent, "in a mood", nil)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken == nil {
		s.taken = map[string]int{}
	}
	result := sink.Result{Outcomes: make([]sink.Outcome, len(b.Events))}
	for i := range b.Events {
		if s.mood == 3 && i%2 == 1 {
			result.Outcomes[i] = sink.Fail(retry.Transient, "in a mood", nil).Outcome
			continue
		}
		s.taken[b.Events[i].ID]++
	}
	return result, nil
}

type toBoth struct{}

func (toBoth) Sinks(*event.Event) []string { return []string{"a", "b"} }

// crashStore does not hear the end of a flush that crashed.
type crashStore struct {
	dedup.Store

	m *machine
}

func (s crashStore) Settle(ctx context.Context, t dedup.Ticket, settlement dedup.Settlement) error {
	if s.m.crashing {
		return errCrashed
	}
	return s.Store.Settle(ctx, t, settlement)
}
