package flush_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/millrace-dev/millrace/internal/localaws/dynamodb"
	"github.com/millrace-dev/millrace/pkg/awsconn"
	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo"
	"github.com/millrace-dev/millrace/pkg/dedup/memory"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/flush/gate"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// written returns what a file says, with the dedup settings in it.
func written(t *testing.T, settings string) *config.Config {
	t.Helper()
	c, err := config.Parse("millrace.yaml", []byte(`version: 1
keys: [{ name: web, sha256: d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9, tenant: acme }]
sinks: { http: { type: stdout } }
routes: [{ to: [http] }]
dedup: `+settings+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// deployed is an environment of a deployment with these dedup settings, its table, and a sink
// in the place of the file's.
func deployed(t *testing.T, settings, table string, target flush.Target) *bundle {
	t.Helper()
	c := written(t, settings)
	cfg, err := awsconn.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d, err := flush.NewDedup(c, cfg, table)
	if err != nil {
		t.Fatal(err)
	}
	return environment(t, c, d, target)
}

func environment(t *testing.T, c *config.Config, d *dedup.Deduper, target flush.Target) *bundle {
	t.Helper()
	b := &bundle{ledger: ledger.New()}
	o, err := flush.FromConfig(c, flush.Options{Queue: &b.queue, DeadLetters: &b.letters, Ledger: b.ledger, Logger: discard(), Dedup: d})
	if err != nil {
		t.Fatal(err)
	}
	o.Targets = map[string]flush.Target{"http": target}
	if b.flusher, err = flush.New(o); err != nil {
		t.Fatal(err)
	}
	return b
}

func exposure(id, data string) event.Event {
	return event.Event{ID: id, Source: "web", Type: "exposure", Kind: "event", Tenant: "acme", Receiver: "generic", Data: []byte(data)}
}

// deliver flushes events in one pack and returns the ids that the sink took of them.
func (b *bundle) deliver(t *testing.T, s *scripted, events ...event.Event) []string {
	t.Helper()
	before := len(s.taken)
	m := meta()
	m.Tenant = events[0].Tenant
	if back := b.flusher.Flush(t.Context(), []queue.Received{message(t, "m-"+events[0].ID, m, events)}); len(back) != 0 {
		t.Errorf("the message with %s comes back", events[0].ID)
	}
	return slices.Clone(s.taken[before:])
}

const byFlagAndSubject = `{ rules: [{ match: { type: exposure }, fields: [flag.key, subject.id] }] }`

// dedupTable serves a table of the dedup store where the SDK's environment finds it.
func dedupTable(t *testing.T) (name string) {
	t.Helper()
	service, err := dynamodb.Open(dynamodb.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := service.CreateTable("seen", dynamo.KeyAttribute, "B", dynamo.TTLAttribute); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": server.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	} {
		t.Setenv(name, value)
	}
	return "seen"
}

// A3: exposures are deduplicated by flag and subject, over all environments; a missing
// targeting key is the empty subject, a key like any other. The key is what the
// configuration says for this type of event, and nothing else has it.
//
//nolint:paralleltest // the SDK finds the table by the process's environment
func TestRowA3_Flush_ExposuresAreKeyedByFlagAndSubject(t *testing.T) {
	table := dedupTable(t)
	s := &scripted{}
	environments := []*bundle{
		deployed(t, byFlagAndSubject, table, flush.Target{Sink: s}), deployed(t, byFlagAndSubject, table, flush.Target{Sink: s}),
	}
	otherTenant := exposure("other-tenant", `{"flag":{"key":"dark"},"subject":{"id":"u1"}}`)
	otherTenant.Tenant = "umbrella"
	page := func(id string) event.Event {
		e := exposure(id, `{"flag":{"key":"dark"},"subject":{"id":"u1"}}`)
		e.Type = "page"
		return e
	}
	for _, step := range []struct {
		name        string
		environment int
		events      []event.Event
		want        []string
	}{
		{"three different exposures in one pack", 0, []event.Event{
			exposure("dark-u1", `{"flag":{"key":"dark"},"subject":{"id":"u1"},"at":1}`),
			exposure("dark-nobody", `{"flag":{"key":"dark"},"subject":{}}`),
			exposure("light-u1", `{"flag":{"key":"light"},"subject":{"id":"u1"}}`),
		}, []string{"dark-u1", "dark-nobody", "light-u1"}},
		{"the same flag and subject, from another environment", 1, []event.Event{
			exposure("dark-u1-again", `{"at":2,"subject":{"attributes":{"plan":"pro"},"id":"u1"},"flag":{"key":"d\u0061rk"}}`),
		}, nil},
		{"no subject is the empty subject", 1, []event.Event{
			exposure("dark-nobody-2", `{"flag":{"key":"dark"}}`), exposure("dark-nobody-3", `{"flag":{"key":"dark"},"subject":{"id":""}}`),
		}, nil},
		{"another subject beside a known one", 1, []event.Event{
			exposure("dark-u1-3", `{"flag":{"key":"dark"},"subject":{"id":"u1"}}`), exposure("dark-u2", `{"flag":{"key":"dark"},"subject":{"id":"u2"}}`),
		}, []string{"dark-u2"}},
		{"events of another type have their ids", 0, []event.Event{page("page-1"), page("page-2")}, []string{"page-1", "page-2"}},
		{"another tenant's exposure", 0, []event.Event{otherTenant}, []string{"other-tenant"}},
		{"without any of the fields the id counts", 0, []event.Event{exposure("bare-1", `{}`), exposure("bare-2", `{}`)}, []string{"bare-1", "bare-2"}},
	} {
		if got := environments[step.environment].deliver(t, s, step.events...); !slices.Equal(got, step.want) {
			t.Errorf("%s: the sink took %v, want %v", step.name, got, step.want)
		}
	}
	if got := environments[1].counter(ledger.Deduped, "http"); got != 4 {
		t.Errorf("%d are counted as deduped, want 4", got)
	}
	for i, b := range environments {
		if got := ledger.Balance(b.ledger.Snapshot())["http"]; got != 0 || b.counter(ledger.Conflict, "http") != 0 {
			t.Errorf("environment %d: %d in flight, %d conflicts; want none", i, got, b.counter(ledger.Conflict, "http"))
		}
	}
}

// The memory of an environment is bounded, and forgets what was not used for longest.
func TestRowA3_Flush_WarmEnvironment_RemembersTheLatestKeys(t *testing.T) {
	t.Parallel()
	of := func(id, subject string) event.Event {
		return exposure(id, fmt.Sprintf(`{"flag":{"key":"dark"},"subject":{"id":%q}}`, subject))
	}
	for _, row := range []struct {
		name, settings string
		want           []string
	}{
		{"two keys", `{ hint: 2, rules: [{ fields: [flag.key, subject.id] }] }`, []string{"1", "2", "4", "6"}},
		{"as many as by default", `{ rules: [{ fields: [flag.key, subject.id] }] }`, []string{"1", "2", "4"}},
		{"none", `{ hint: 0, rules: [{ fields: [flag.key, subject.id] }] }`, []string{"1", "2", "3", "4", "5", "6"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := &scripted{}
			b := deployed(t, row.settings, "", flush.Target{Sink: s})
			for _, e := range []event.Event{of("1", "a"), of("2", "b"), of("3", "a"), of("4", "c"), of("5", "a"), of("6", "b")} {
				b.deliver(t, s, e)
			}
			if !slices.Equal(s.taken, row.want) {
				t.Errorf("the sink took %v, want %v", s.taken, row.want)
			}
			if got, want := b.counter(ledger.Deduped, "http"), 6-len(row.want); got != want {
				t.Errorf("%d are counted as deduped, want %d", got, want)
			}
		})
	}
}

func TestNewDedup_WithinFlush_IsSwitched(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]int{`{ within_flush: off }`: 2, `{ within_flush: on }`: 1, `{}`: 1, `{ within_flush: off, scope: event }`: 1} {
		s := &scripted{}
		b := deployed(t, settings, "", flush.Target{Sink: s})
		alone, inCompany := orders(1), append(orders(1), exposure("own", `{}`))
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), alone), message(t, "2", meta(), inCompany)})
		got := 0
		for _, id := range s.taken {
			if id == alone[0].ID {
				got++
			}
		}
		if got != want {
			t.Errorf("dedup: %s: an event in two packs of a flush is delivered %d times, want %d", settings, got, want)
		}
	}
}

// remembers are the settings under which a key is remembered, by what it is.
func remembers() map[string]string {
	return map[string]string{"pack": `{ scope: pack }`, "event": `{ scope: event }`, "rule": byFlagAndSubject}
}

const oneExposure = `{"flag":{"key":"dark"},"subject":{"id":"u1"}}`

// A4: an event that was rejected or dropped is never remembered as seen, whatever is
// remembered and wherever: the same event passes when it comes again.
func TestRowA4_Flush_RejectedOrDropped_IsNotRemembered(t *testing.T) {
	t.Parallel()
	discards := func(retry.Class, int) bool { return true }
	for remembered, settings := range remembers() {
		for _, row := range []struct {
			name    string
			target  flush.Target
			first   step
			counter ledger.Counter
		}{
			{"rejected as a batch", flush.Target{Discard: discards}, fails(retry.Permanent, 0), ledger.Rejected},
			{"rejected one by one", flush.Target{Discard: discards}, refuses("1"), ledger.Rejected},
			{"too large", flush.Target{Discard: discards}, fails(retry.TooLarge, 0), ledger.Rejected},
			{"dropped, because a best-effort sink throttles", flush.Target{Mode: flush.FailOpen}, fails(retry.Throttled, time.Minute), ledger.Dropped},
			{"dropped, because a best-effort sink rejects", flush.Target{Mode: flush.FailOpen}, refuses("1"), ledger.Dropped},
		} {
			t.Run(remembered+" "+row.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					store := memory.New(time.Now)
					s := &scripted{script: []step{row.first}}
					row.target.Sink, row.target.Gate = s, gate.Options{FailuresToOpen: 9}
					var b *bundle
					for range 3 { // the first fails, the second passes, the third is a duplicate
						b = shared(t, settings, store, row.target, b)
						b.deliver(t, s, exposure("1", oneExposure))
					}
					if len(s.attempts) != 2 || len(s.taken) != 1 {
						t.Errorf("%d attempts, delivered %v; want the event to pass once it is well", len(s.attempts), s.taken)
					}
					for counter, want := range map[ledger.Counter]int{ledger.Routed: 3, row.counter: 1, ledger.Delivered: 1, ledger.Deduped: 1} {
						if got := b.counter(counter, "http"); got != want {
							t.Errorf("%d are counted as %s, want %d", got, counter, want)
						}
					}
				})
			})
		}
	}
}

// shared is one of several environments that share a store, and here the books.
func shared(t *testing.T, settings string, store dedup.Store, target flush.Target, before *bundle) *bundle {
	t.Helper()
	c := written(t, settings)
	d, err := flush.NewDedup(c, aws.Config{}, "")
	if err != nil {
		t.Fatal(err)
	}
	d.Store = store // in virtual time there is no network, and so no table
	b := environment(t, c, d, target)
	if before != nil {
		b.ledger, b.flusher.Ledger = before.ledger, before.ledger
	}
	return b
}

// A5: dedup before delivery is confirmed would lose the event whose first copy is lost.
// Here the first copy only claims it: while its fate is open the second waits, and when the first
// is lost, the second is delivered.
func TestRowA5_Flush_FirstCopyLost_SecondIsDelivered(t *testing.T) {
	t.Parallel()
	for remembered, settings := range remembers() {
		t.Run(remembered, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := memory.New(time.Now)
				killed := make(chan struct{})
				s := &scripted{script: []step{func(context.Context, sink.Batch) (sink.Result, error) {
					<-killed // and never tells anybody
					return sink.Result{}, sink.Fail(retry.Cancelled, "killed", nil)
				}}}
				first := shared(t, settings, store, flush.Target{Sink: s}, nil)
				second := shared(t, settings, store, flush.Target{Sink: s}, nil)
				copies := []queue.Received{message(t, "1", meta(), []event.Event{exposure("1", oneExposure)})}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					first.flusher.Flush(ctx, copies)
				}()
				synctest.Wait()
				waiting := second.flusher.Flush(t.Context(), copies)
				if len(waiting)+len(second.queue.got) != 1 || len(s.attempts) != 1 || second.counter(ledger.Deduped, "http") != 0 {
					t.Errorf("back %v with %d residues after %d attempts, %d deduped; want the second copy to wait",
						waiting, len(second.queue.got), len(s.attempts), second.counter(ledger.Deduped, "http"))
				}
				time.Sleep(2 * time.Minute) // the lease of the first ends with its function's time
				if len(waiting) == 0 {
					out, _ := second.queue.only(t)
					copies = []queue.Received{{ID: "2", Body: []byte(out.Message.Body), Events: out.Message.Events}}
				}
				second.flusher.Flush(t.Context(), copies)
				if !slices.Equal(s.taken, []string{"1"}) || second.counter(ledger.Delivered, "http") != 1 {
					t.Errorf("delivered %v; an event whose first copy was lost is owed to the sink", s.taken)
				}
				if got := ledger.Balance(second.ledger.Snapshot())["http"]; got != 0 {
					t.Errorf("%d in flight at the end, want none", got)
				}
				close(killed)
				<-ended
			})
		})
	}
}

// A5, the other half: a copy that comes while the first waits to be tried again is not taken for
// delivered, and of both one arrives.
func TestRowA5_Flush_FirstCopyFailed_OneOfTwoArrives(t *testing.T) {
	t.Parallel()
	for _, remembered := range []string{"event", "rule"} {
		synctest.Test(t, func(t *testing.T) {
			store := memory.New(time.Now)
			s := &scripted{script: []step{fails(retry.Throttled, time.Minute)}}
			target := flush.Target{Sink: s, Gate: gate.Options{FailuresToOpen: 9}}
			b := shared(t, remembers()[remembered], store, target, nil)
			b.deliver(t, s, exposure("1", oneExposure))
			residue, _ := b.queue.only(t)
			again := shared(t, remembers()[remembered], store, target, b)
			copied := exposure("1", oneExposure)
			if got := again.deliver(t, s, copied, exposure("company", `{"flag":{"key":"light"}}`)); !slices.Equal(got, []string{"1", "company"}) {
				t.Errorf("%s: the sink took %v of the second copy, want it with its company", remembered, got)
			}
			time.Sleep(residue.Delay)
			again.flusher.Flush(t.Context(), []queue.Received{{ID: "r", Body: []byte(residue.Message.Body), Events: residue.Message.Events}})
			if want := []string{"1", "company"}; !slices.Equal(s.taken, want) || again.counter(ledger.Deduped, "http") != 1 {
				t.Errorf("%s: delivered %v with %d deduped, want %v and the first copy deduped", remembered, s.taken, again.counter(ledger.Deduped, "http"), want)
			}
			if got := ledger.Balance(again.ledger.Snapshot())["http"]; got != 0 {
				t.Errorf("%s: %d in flight, want none", remembered, got)
			}
		})
	}
}
