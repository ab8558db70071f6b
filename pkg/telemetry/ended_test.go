package telemetry_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

func TestEndedLog_IsReadBack(t *testing.T) {
	t.Parallel()
	if telemetry.EndedLog(nil) != nil {
		t.Error("without a log there is a function")
	}
	var lines writes
	log := telemetry.EndedLog(&lines)
	long := strings.Repeat("\x01", 50_000)
	log(ledger.Deduped, "http", &event.Event{Tenant: "acme", Source: "web", ID: "quote \"", Data: []byte(`{"secret":1}`)})
	log(ledger.Dropped, "best", &event.Event{Tenant: "acme", Source: long, ID: long})
	want := []telemetry.Ended{
		{How: ledger.Deduped, Sink: "http", Tenant: "acme", Source: "web", ID: "quote \""},
		{How: ledger.Dropped, Sink: "best", Tenant: "acme", Source: telemetry.AcceptedText(long), ID: telemetry.AcceptedText(long)},
	}
	var got []telemetry.Ended
	for _, line := range lines {
		e, ok, err := telemetry.ParseEnded([]byte(line))
		if !ok || err != nil || time.Since(e.Time) > time.Hour || strings.Contains(line, "secret") || len(line) > 64<<10 {
			t.Errorf("line %s: %v, %v, time %v", line, ok, err, e.Time)
		}
		got = append(got, e)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(telemetry.Ended{}, "Time")); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func FuzzParseEnded(f *testing.F) {
	f.Add([]byte(`{"ended":{"time":"2026-03-01T10:00:00Z","how":"deduped","sink":"http","tenant":"acme","source":"web","id":"1"}}`))
	f.Add([]byte(`{"ended":{"id":"1","id":"2"}}`))
	f.Add([]byte(`{"ended":{`))
	f.Add([]byte(`{"level":"INFO"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, ok, err := telemetry.ParseEnded(line)
		if ok && (err != nil || !telemetry.IsEnded(line)) {
			t.Errorf("%q is %+v and %v", line, e, err)
		}
		if !ok && e != (telemetry.Ended{}) {
			t.Errorf("%+v beside a refusal", e)
		}
	})
}
