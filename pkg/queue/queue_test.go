package queue_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	embedded "github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/queue/queuetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pack makes a pack of one event whose data has about as many bytes as given.
func pack(t testing.TB, tenant string, number, size int) queue.Outgoing {
	t.Helper()
	random := make([]byte, size/2) // hex of noise: a pack keeps it as it is
	if _, err := rand.NewChaCha8([32]byte{byte(number)}).Read(random); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	messages, err := batch.Encode(batch.Meta{Tenant: tenant, Receiver: "generic", First: at, Last: at}, []event.Event{{
		ID: fmt.Sprintf("e%03d", number), Source: "test", Type: "t", Kind: "event", Data: []byte(`{"x":"` + hex.EncodeToString(random) + `"}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return queue.Outgoing{Message: messages[0]}
}

func packs(t testing.TB, n, size int) []queue.Outgoing {
	t.Helper()
	out := make([]queue.Outgoing, n)
	for i := range out {
		out[i] = pack(t, "acme", i, size)
	}
	return out
}

// ids returns the event ids of packs, sorted.
func ids(packs []batch.Pack) []string {
	var out []string
	for _, p := range packs {
		for i := range p.Events {
			out = append(out, p.Events[i].ID)
		}
	}
	slices.Sort(out)
	return out
}

func wantIDs(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("e%03d", i)
	}
	return out
}

// counted counts the calls of each operation and can make them fail.
type counted struct {
	calls map[string]int
	fail  func(op string, n int) error
}

func (c *counted) options() embedded.Options {
	c.calls = make(map[string]int)
	return embedded.Options{Faults: &embedded.Faults{Intercept: func(op string, _ []byte) error {
		c.calls[op]++ // calls come one after another in these tests
		if c.fail == nil {
			return nil
		}
		return c.fail(op, c.calls[op])
	}}}
}

func TestQueue_Send_ArrivesWhole(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		count, size int
		calls       map[string]int
	}{
		{"nothing to send calls nobody", 0, 0, map[string]int{}},
		{"one message goes alone", 1, 1_000, map[string]int{"SendMessage": 1}},
		{"ten go in one call", 10, 1_000, map[string]int{"SendMessageBatch": 1}},
		{"eleven need a second call", 11, 1_000, map[string]int{"SendMessageBatch": 1, "SendMessage": 1}},
		{"many", 57, 1_000, map[string]int{"SendMessageBatch": 6}},
		{"more than 1 MiB in total", 8, 400_000, map[string]int{"SendMessageBatch": 4}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var count counted
			server := queuetest.Start(t, count.options())
			q := server.Queue(t, "packs")
			clear(count.calls)
			if err := q.Send(t.Context(), packs(t, row.count, row.size)...); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.calls, count.calls); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(wantIDs(row.count), ids(queuetest.Packs(t, q)), cmp.Transformer("empty", func(s []string) string { return fmt.Sprint(s) })); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestQueue_Send_TakesEveryTenantName(t *testing.T) {
	t.Parallel()
	q := queuetest.Start(t, embedded.Options{}).Queue(t, "packs")
	tenants := []string{"acme", "two words", "ポスト", strings.Repeat("long", 40), "tab\there", "~"}
	var out []queue.Outgoing
	for i, tenant := range tenants {
		out = append(out, pack(t, tenant, i, 100))
	}
	if err := q.Send(t.Context(), out...); err != nil {
		t.Fatalf("together: %v", err)
	}
	for i := range out {
		if err := q.Send(t.Context(), out[i]); err != nil {
			t.Fatalf("tenant %q alone: %v", tenants[i], err)
		}
	}
	var got []string
	for _, p := range queuetest.Packs(t, q) {
		got = append(got, p.Header.Tenant)
	}
	want := slices.Concat(tenants, tenants)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tenants (-want +got):\n%s", diff)
	}
}

func TestQueue_Send_DelayHidesAtFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queuetest.Start(t, embedded.Options{}).Queue(t, "packs")
		alone, two := pack(t, "acme", 0, 100), packs(t, 3, 100)[1:]
		alone.Delay, two[0].Delay, two[1].Delay = 30*time.Second, 30*time.Second, 30*time.Second
		if err := errors.Join(q.Send(t.Context(), alone), q.Send(t.Context(), two...)); err != nil {
			t.Fatal(err)
		}
		wantDepth(t, q, queue.Depth{Delayed: 3})
		time.Sleep(29 * time.Second)
		if got := receive(t, q, 0); len(got) != 0 {
			t.Fatalf("%d messages before the delay was over", len(got))
		}
		time.Sleep(time.Second)
		if got := receive(t, q, 0); len(got) != 3 {
			t.Fatalf("%d messages after the delay, want 3", len(got))
		}
	})
}

func receive(t *testing.T, q *queue.Queue, wait time.Duration) []queue.Received {
	t.Helper()
	got, err := q.Receive(t.Context(), queue.MaxEntries, wait, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func wantDepth(t *testing.T, q *queue.Queue, want queue.Depth) {
	t.Helper()
	got, err := q.Depth(t.Context())
	if err != nil || got != want {
		t.Errorf("depth is %+v, %v; want %+v", got, err, want)
	}
	if got.Total() != want.Visible+want.InFlight+want.Delayed {
		t.Errorf("total of %+v is %d", got, got.Total())
	}
}

func TestQueue_Receive_TellsWhatSQSKnows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queuetest.Start(t, embedded.Options{}).Queue(t, "packs")
		sent := time.Now()
		out := pack(t, "acme", 7, 2_000)
		if err := q.Send(t.Context(), out); err != nil {
			t.Fatal(err)
		}
		for count := 1; count <= 3; count++ {
			got := receive(t, q, 0)
			if len(got) != 1 {
				t.Fatalf("receive %d: %d messages, want 1", count, len(got))
			}
			m := got[0]
			if m.ID == "" || m.Receipt == "" {
				t.Errorf("receive %d: id %q, receipt %q", count, m.ID, m.Receipt)
			}
			if m.ReceiveCount != count || !m.Sent.Equal(sent) || m.Sent.Location() != time.UTC {
				t.Errorf("receive %d: count %d, sent %v; want sent %v", count, m.ReceiveCount, m.Sent, sent.UTC())
			}
			if string(m.Body) != out.Message.Body || !bytes.Equal(m.Events, out.Message.Events) {
				t.Errorf("receive %d: the pack is not as it was sent", count)
			}
			time.Sleep(time.Minute) // visibility ends
		}
	})
}

func TestQueue_Receive_WaitsForTheFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queuetest.Start(t, embedded.Options{}).Queue(t, "packs")
		start := time.Now()
		if got := receive(t, q, 3*time.Second); len(got) != 0 || time.Since(start) != 3*time.Second {
			t.Errorf("empty queue: %d messages after %v, want none after 3s", len(got), time.Since(start))
		}
		out := pack(t, "acme", 1, 100)
		time.AfterFunc(time.Second, func() { _ = q.Send(t.Context(), out) })
		start = time.Now()
		if got := receive(t, q, 20*time.Second); len(got) != 1 || time.Since(start) != time.Second {
			t.Errorf("%d messages after %v, want 1 after 1s", len(got), time.Since(start))
		}
	})
}

func TestQueue_Receive_TakesAtMostTheLimit(t *testing.T) {
	t.Parallel()
	q := queuetest.Start(t, embedded.Options{}).Queue(t, "packs")
	if err := q.Send(t.Context(), packs(t, 30, 100)...); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ limit, most int }{{3, 3}, {1, 1}, {1000, queue.MaxEntries}} {
		got, err := q.Receive(t.Context(), row.limit, 0, time.Minute)
		if err != nil || len(got) == 0 || len(got) > row.most {
			t.Errorf("limit %d: %d messages, %v; want 1 to %d", row.limit, len(got), err, row.most)
		}
	}
}

func TestQueue_Receive_MessageThatIsNoPack(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t, embedded.Options{})
	q := server.Queue(t, "packs")
	if _, err := server.Service.Send(t.Context(), "packs", embedded.SendInput{Body: "hello"}); err != nil {
		t.Fatal(err)
	}
	got := receive(t, q, 0)
	if len(got) != 1 || string(got[0].Body) != "hello" || got[0].Events != nil {
		t.Errorf("got %+v, want one message with the body \"hello\" and no events", got)
	}
}

func TestQueue_UnknownQueue_EveryCallSaysSo(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t, embedded.Options{})
	q := queue.New(server.Client, server.Queue(t, "packs").URL()+"-gone")
	if !strings.HasSuffix(q.URL(), "/packs-gone") {
		t.Fatalf("URL is %q", q.URL())
	}
	for name, call := range map[string]func(context.Context) error{
		"send one":  func(ctx context.Context) error { return q.Send(ctx, pack(t, "acme", 1, 10)) },
		"send many": func(ctx context.Context) error { return q.Send(ctx, packs(t, 2, 10)...) },
		"receive":   func(ctx context.Context) error { _, err := q.Receive(ctx, 1, 0, 0); return err },
		"delete":    func(ctx context.Context) error { return q.Delete(ctx, "receipt") },
		"hide":      func(ctx context.Context) error { return q.Hide(ctx, 0, "receipt") },
		"depth":     func(ctx context.Context) error { _, err := q.Depth(ctx); return err },
	} {
		if err := call(t.Context()); err == nil || !strings.Contains(err.Error(), q.URL()) || !strings.Contains(err.Error(), "does not exist") {
			t.Errorf("%s: error is %v, want one that names the queue and says it does not exist", name, err)
		}
	}
}
