package flush_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/flush/gate"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

const configText = `version: 1
keys: [{ name: web, sha256: d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9, tenant: acme }]
sinks:
  warehouse:
    type: http
    url: "${env:SINK_URL}"
    headers: { authorization: "Bearer ${env:SINK_TOKEN}" }
    retry: { max_inline_wait: 0s, max_attempts: 3, max_age: 1h }
    mode: fail_open
    limits: { concurrency: 2, events_per_second: 100 }
    breaker: { failures: 3, open_for: 1m }
    responses: [{ status: 418, class: delivered }]
    dead_letters: [{ status: 422, save: always }, { class: permanent, save: never }]
  archive: { type: file, path: events.ndjson }
  console: { type: stdout }
routes:
  - { match: { type: "order*" }, to: [warehouse, archive] }
  - { to: [console] }
`

func fromConfig(t *testing.T, text string) flush.Options {
	t.Helper()
	c, err := config.Parse("millrace.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Resolve(t.Context(), config.EnvResolver()); err != nil {
		t.Fatal(err)
	}
	o, err := flush.FromConfig(c, flush.Options{Queue: &box{}, DeadLetters: &box{}, Logger: discard()})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestFromConfig_Targets_AreTreatedAsWritten(t *testing.T) {
	t.Setenv("SINK_URL", "http://127.0.0.1:1")
	t.Setenv("SINK_TOKEN", "secret")
	o := fromConfig(t, configText)
	got := o.Targets["warehouse"]
	if want := (retry.Policy{MaxInlineWait: 1, MaxAttempts: 3, MaxAge: time.Hour}); got.Policy != want {
		t.Errorf("policy is %+v, want %+v", got.Policy, want)
	}
	if got.Mode != flush.FailOpen || o.Targets["archive"].Mode != flush.Required {
		t.Errorf("modes are %v and %v", got.Mode, o.Targets["archive"].Mode)
	}
	wantGate := gate.Options{Concurrency: 2, EventsPerSecond: 100, FailuresToOpen: 3, OpenFor: time.Minute}
	if g := got.Gate; g.Concurrency != wantGate.Concurrency || g.EventsPerSecond != wantGate.EventsPerSecond ||
		g.FailuresToOpen != wantGate.FailuresToOpen || g.OpenFor != wantGate.OpenFor {
		t.Errorf("gate is %+v, want %+v", g, wantGate)
	}
	for status, want := range map[int]bool{422: false, 400: true} {
		if got.Discard(retry.Permanent, status) != want {
			t.Errorf("Discard(permanent, %d) = %v, want %v", status, !want, want)
		}
	}
	if got.Discard(retry.Transient, 500) {
		t.Error("a class that no rule names is discarded")
	}
	for typ, want := range map[string][]string{"order.paid": {"warehouse", "archive"}, "login": {"console"}} {
		if sinks := o.Router.Sinks(&event.Event{Type: typ}); !slices.Equal(sinks, want) {
			t.Errorf("%s goes to %v, want %v", typ, sinks, want)
		}
	}
}

func TestFromConfig_HTTPSink_SendsSecretsAndReadsReplies(t *testing.T) {
	var authorization atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		authorization.Store(r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusTeapot)
	}))
	defer server.Close()
	t.Setenv("SINK_URL", server.URL)
	t.Setenv("SINK_TOKEN", "secret")
	o := fromConfig(t, configText)
	o.Router, o.Ledger = toAll{"warehouse"}, ledger.New()
	f, err := flush.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = o.Targets["warehouse"].Sink.(sink.Closer).Close() }() //nolint:forcetypeassert // an http sink is one
	f.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(3))})
	if got := authorization.Load(); got != "Bearer secret" {
		t.Errorf("authorization is %v", got)
	}
	want := []ledger.Entry{{Key: ledger.Key{Counter: ledger.Delivered, Sink: "warehouse"}, Count: 3}, {Key: ledger.Key{Counter: ledger.Routed, Sink: "warehouse"}, Count: 3}}
	if diff := cmp.Diff(want, o.Ledger.Snapshot()); diff != "" {
		t.Errorf("a 418 that the configuration calls delivered: books differ (-want +got):\n%s", diff)
	}
}
