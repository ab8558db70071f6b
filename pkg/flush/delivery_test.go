package flush_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/flush/gate"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

var update = flag.Bool("update", false, "rewrite the table of docs/delivery.md")

// answer is a row of the table: what a sink says, to every request alike.
type answer struct {
	name   string
	events int
	say    step
}

func answers() []answer {
	delivered := func(context.Context, sink.Batch) (sink.Result, error) { return sink.Result{}, nil }
	refusing := func(class retry.Class, status int) step { return refusesBatchesWith(class, status, idsOf(orders(8))) }
	return []answer{
		{"delivered", 8, delivered},
		{"`transient`", 8, fails(retry.Transient, 0)},
		{"`throttled`, asks for 2 s", 8, fails(retry.Throttled, 2*time.Second)},
		{"`throttled`, asks for 20 s", 8, fails(retry.Throttled, 20*time.Second)},
		{"`too-large`, a batch", 8, fails(retry.TooLarge, 0)},
		{"`too-large`, one event", 1, fails(retry.TooLarge, 0)},
		{"`permanent`, 400 or 422 for a batch", 8, refusing(retry.Permanent, 400)},
		{"`permanent`, any other", 8, refusing(retry.Permanent, 404)},
		{"`setup`", 8, fails(retry.Setup, 0)},
		{"nothing until the deadline", 8, hangs},
	}
}

// state is a column of the table: how the sink stands when the events come.
type state string

const (
	well          state = "well"
	lastAttempt   state = "well, last attempt"
	nearDeadline  state = "well, deadline near"
	breakerOpen   state = "breaker open"
	stopped       state = "stopped by `setup`"
	bestEffort    state = "`fail_open`"
	tableAttempts       = 12
)

func states() []state {
	return []state{well, lastAttempt, nearDeadline, breakerOpen, stopped, bestEffort}
}

// observe flushes once and says in the table's words what became of the events.
func observe(t *testing.T, a answer, st state) string {
	t.Helper()
	s := &scripted{}
	target := flush.Target{Sink: s, Policy: retry.Policy{Jitter: retry.NoJitter, MaxAttempts: tableAttempts}, Gate: gate.Options{Concurrency: 1}}
	timeout, m := time.Minute, meta()
	switch st {
	case lastAttempt:
		m.Sink, m.Attempt = "http", tableAttempts-1
		m.Reason = &batch.Reason{Class: "transient", First: time.Now().Add(-time.Hour), Last: time.Now().Add(-time.Minute)}
	case nearDeadline:
		timeout = 100 * time.Millisecond
	case bestEffort:
		target.Mode = flush.FailOpen
	case well, breakerOpen, stopped:
	}
	b, _ := setupTargets(t, map[string]flush.Target{"http": target}, "http")
	switch st {
	case breakerOpen:
		fail(t, b, s, gate.DefaultFailuresToOpen, fails(retry.Throttled, 10*time.Second))
	case stopped:
		fail(t, b, s, 1, fails(retry.Setup, 0))
	default:
	}
	before, asked := b.ledger.Snapshot(), len(s.attempts)
	s.script = append(s.script[:asked:asked], always(a.say, 100)...)
	sent := len(b.queue.got)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	if back := b.flusher.Flush(ctx, []queue.Received{message(t, "1", m, orders(a.events))}); len(back) != 0 {
		t.Errorf("messages %v come back", back)
	}
	now := b.ledger.Snapshot()
	ends := map[string]int{}
	for counter, word := range map[ledger.Counter]string{
		ledger.Delivered: "delivered", ledger.Deferred: "waits", ledger.DeadLettered: "dead letter", ledger.Dropped: "dropped",
	} {
		if n := total(now, counter) - total(before, counter); n > 0 {
			ends[word] = n
		}
	}
	if len(ends) != 1 {
		t.Fatalf("%d events ended in %v, want one place", a.events, ends)
	}
	for word, n := range ends {
		if n != a.events {
			t.Errorf("%d events %s, want all %d", n, word, a.events)
		}
		return describe(s.attempts[asked:], word, m.Attempt, b.queue.got[sent:])
	}
	return ""
}

// fail lets a sink fail as often as it takes to open its breaker.
func fail(t *testing.T, b *bundle, s *scripted, times int, how step) {
	t.Helper()
	for i := range times {
		s.script = append(s.script, how)
		es := orders(1)
		es[0].ID = fmt.Sprint("before", i)
		b.flusher.Flush(t.Context(), []queue.Received{message(t, es[0].ID, meta(), es)})
	}
}

func total(entries []ledger.Entry, c ledger.Counter) int {
	n := 0
	for _, e := range entries {
		if e.Counter == c {
			n += e.Count
		}
	}
	return n
}

// describe puts requests and an end in words.
func describe(requests []attempt, end string, attemptsBefore int, residues []queue.Outgoing) string {
	if end == "waits" && residues[0].Message.Header.Attempt == attemptsBefore {
		end += ", no attempt counted"
	}
	switch {
	case len(requests) == 0:
		return "not asked: " + end
	case len(requests) == 1:
		return end
	case len(requests[1].ids) < len(requests[0].ids):
		return "halved, then " + end
	}
	return "tried again, then " + end
}

const deliveryPage = "../../docs/delivery.md"

// TestDelivery_Table enumerates the table of docs/delivery.md: each of its cells is
// played, and what happens is what the cell says.
func TestDelivery_Table(t *testing.T) { //nolint:tparallel // it waits for its cells, which run in parallel
	t.Parallel()
	const begin, end = "<!-- table: begin -->\n", "<!-- table: end -->\n"
	page, err := os.ReadFile(deliveryPage)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, begins := strings.Cut(string(page), begin)
	table, tail, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no marks %q and %q", deliveryPage, begin, end)
	}
	got := playTable(t)
	if *update {
		if err := os.WriteFile(deliveryPage, []byte(head+begin+got+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(table, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the table says other than what happens (-table +happens):\n%s", diff)
	}
}

func playTable(t *testing.T) string {
	t.Helper()
	rows, columns := answers(), states()
	cells := make([][]string, len(rows))
	t.Run("cells", func(t *testing.T) {
		for i, a := range rows {
			cells[i] = make([]string, len(columns))
			for k, st := range columns {
				t.Run(a.name+", "+string(st), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { cells[i][k] = observe(t, a, st) })
				})
			}
		}
	})
	return markdown(rows, columns, cells)
}

func markdown(rows []answer, columns []state, cells [][]string) string {
	var b strings.Builder
	b.WriteString("\n| the sink says \\ the sink is |")
	for _, st := range columns {
		fmt.Fprintf(&b, " %s |", st)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(columns)))
	for i, a := range rows {
		fmt.Fprintf(&b, "\n| %s | %s |", a.name, strings.Join(cells[i], " | "))
	}
	return b.String() + "\n\n"
}

// The numbers that the page gives are those of the code.
func TestDelivery_Numbers(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(deliveryPage)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(page)), " ")
	for _, want := range []string{
		fmt.Sprintf("from %d ms doubling to %.0f s", retry.DefaultInitialDelay.Milliseconds(), retry.DefaultMaxDelay.Seconds()),
		fmt.Sprintf("Up to %.0f s", retry.DefaultMaxInlineWait.Seconds()),
		fmt.Sprintf("at most %.0f minutes", retry.DefaultMaxRetryAfter.Minutes()),
		fmt.Sprintf("after %d attempts or %.0f hours", retry.DefaultMaxAttempts, retry.DefaultMaxAge.Hours()),
		fmt.Sprintf("%d failures in a row", gate.DefaultFailuresToOpen),
		fmt.Sprintf("for %.0f s", gate.DefaultOpenFor.Seconds()),
		fmt.Sprintf("%d requests at once", gate.DefaultConcurrency),
		fmt.Sprintf("last %.0f s", flush.DefaultMargin.Seconds()),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s does not say %q", deliveryPage, want)
		}
	}
}
