package ingest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/ingest"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/receiver"
	"github.com/millrace-dev/millrace/pkg/receiver/generic"
	"github.com/millrace-dev/millrace/pkg/receiver/posthog"
)

// memory is a queue that keeps what it is sent, or fails with err.
type memory struct {
	mu       sync.Mutex
	messages []batch.Message
	err      error
	before   func()
}

func (m *memory) Send(ctx context.Context, messages ...queue.Outgoing) error {
	if m.before != nil {
		m.before()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(m.err, ctx.Err()); err != nil {
		return err
	}
	for _, o := range messages {
		m.messages = append(m.messages, o.Message)
	}
	return nil
}

// packs decodes what was sent.
func (m *memory) packs(t testing.TB) []batch.Pack {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	packs := make([]batch.Pack, len(m.messages))
	for i, message := range m.messages {
		p, err := batch.Decode([]byte(message.Body), message.Events)
		if err != nil {
			t.Fatalf("message %d is no pack: %v", i, err)
		}
		packs[i] = p
	}
	return packs
}

func (m *memory) events(t testing.TB) []event.Event {
	t.Helper()
	var all []event.Event
	for _, p := range m.packs(t) {
		all = append(all, p.Events...)
	}
	return all
}

func (m *memory) ids(t testing.TB) []string {
	t.Helper()
	var ids []string
	for _, e := range m.events(t) {
		ids = append(ids, e.ID)
	}
	return ids
}

// bundle is a handler with everything around it.
type bundle struct {
	handler        *ingest.Handler
	queue, letters *memory
	books          *ledger.Ledger
	log            *bytes.Buffer
}

const (
	webKey     = "phc_demo"
	otherKey   = "phc_other"
	genericKey = "generic-only"
)

func hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func arrival() time.Time { return time.Date(2026, 3, 1, 10, 0, 5, 0, time.UTC) }

func setup(t testing.TB, change ...func(*ingest.Options)) *bundle {
	t.Helper()
	b := &bundle{queue: new(memory), letters: new(memory), books: ledger.New(), log: new(bytes.Buffer)}
	options := ingest.Options{
		Keys: []config.Key{
			{Name: "web", SHA256: hash(webKey), Tenant: "acme", Receivers: []string{"posthog", "generic"}},
			{Name: "other", SHA256: hash(otherKey), Tenant: "umbrella"},
			{Name: "plain", SHA256: hash(genericKey), Tenant: "acme", Receivers: []string{"generic"}},
		},
		Receivers: []receiver.Receiver{generic.New(), posthog.New()},
		Queue:     b.queue, DeadLetters: b.letters, Ledger: b.books,
		Logger: slog.New(slog.NewTextHandler(b.log, nil)), Now: arrival,
	}
	for _, f := range change {
		f(&options)
	}
	var err error
	if b.handler, err = ingest.New(options); err != nil {
		t.Fatalf("ingest.New: %v", err)
	}
	return b
}

// do sends a request; headers are "Name: value".
func (b *bundle) do(method, target, body string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w.Result()
}

func (b *bundle) post(target, body string, headers ...string) *http.Response {
	return b.do(http.MethodPost, target, body, headers...)
}

func text(t testing.TB, resp *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

func counts(b *bundle) map[ledger.Counter]int {
	totals := make(map[ledger.Counter]int)
	for _, e := range b.books.Snapshot() {
		totals[e.Counter] += e.Count
	}
	return totals
}

func sorted(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return ids
}
