package audit

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tester is what tests, benchmarks and properties have in common.
type tester interface {
	Helper()
	TempDir() string
	Context() context.Context
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

// ev is an event of the tests: type "page" goes to archive only.
func ev(tenant, source, id string) event.Event {
	return event.Event{Tenant: tenant, Source: source, ID: id, Type: "order", Kind: "event", Receiver: "generic"}
}

// journalOf writes a journal of requests, one for each tenant in a row.
func journalOf(t tester, events ...event.Event) Journal {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "accepted-*.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	log := telemetry.AcceptedLog(file)
	for len(events) > 0 {
		n := slices.IndexFunc(events, func(e event.Event) bool { return e.Tenant != events[0].Tenant })
		if n < 0 {
			n = len(events)
		}
		log(t.Context(), events[:n])
		events = events[n:]
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return Journal{Files: []string{file.Name()}}
}

func record(tenant, source, id string) string {
	return fmt.Sprintf(`{"id":%q,"source":%q,"type":"order","tenant":%q,"data":{"id":"other","a":1,"a":2}}`, id, source, tenant)
}

func outputOf(lines ...string) io.Reader {
	if len(lines) == 0 {
		return strings.NewReader("")
	}
	return strings.NewReader(strings.Join(lines, "\n") + "\n")
}

// compared compares a sink that wants everything with a journal.
func compared(t tester, journal *Journal, where *Whereabouts, output io.Reader) (Counts, []Finding) {
	t.Helper()
	by, rest := Identify(output)
	sink := Sink{Name: "archive", By: by, Wants: func(*event.Event) bool { return true }, Delivered: ReadDelivered(rest)}
	var findings []Finding
	counts, err := Compare(journal, where, &sink, func(f *Finding) { findings = append(findings, *f) })
	if err != nil {
		t.Fatal(err)
	}
	for i := range findings {
		if age := time.Since(findings[i].AcceptedAt); age < 0 || age > time.Hour {
			t.Errorf("%s was accepted at %v", findings[i].ID, findings[i].AcceptedAt)
		}
		findings[i].AcceptedAt = time.Time{}
	}
	return counts, findings
}
