package telemetry_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

// writes collects what is written, one text a write.
type writes []string

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, string(p))
	return len(p), nil
}

func accepted(t testing.TB, lines []string) []telemetry.Accepted {
	t.Helper()
	var all []telemetry.Accepted
	for _, line := range lines {
		events, err := telemetry.ParseAccepted([]byte(strings.TrimSuffix(line, "\n")))
		if err != nil || len(events) == 0 {
			t.Fatalf("ParseAccepted(%s): %d events, %v", line, len(events), err)
		}
		all = append(all, events...)
	}
	return all
}

func TestAcceptedLog_TellsAllThatRoutesLookAt(t *testing.T) {
	t.Parallel()
	var lines writes
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
	events := []event.Event{
		{ID: "1", Tenant: "acme", Receiver: "posthog", Source: "web", Type: "signup", Name: "Signed Up", Kind: "event", Severity: "warn", Data: []byte(`{"secret":1}`)},
		{ID: "quote \" and \xff", Tenant: "acme", Receiver: "posthog"},
	}
	before := time.Now()
	telemetry.AcceptedLog(&lines)(ctx, events)
	want := []telemetry.Accepted{
		{RequestID: "r-1", Tenant: "acme", Receiver: "posthog", ID: "1", Source: "web", Type: "signup", Name: "Signed Up", Kind: "event", Severity: "warn"},
		{RequestID: "r-1", Tenant: "acme", Receiver: "posthog", ID: "quote \" and \uFFFD"},
	}
	got := accepted(t, lines)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(telemetry.Accepted{}, "Time")); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if at := got[0].Time; at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("time is %v, want about %v", at, before)
	}
	if strings.Contains(strings.Join(lines, ""), "secret") {
		t.Errorf("the line holds data of an event: %s", lines)
	}
}

func TestAcceptedLog_NothingAccepted_WritesNothing(t *testing.T) {
	t.Parallel()
	if telemetry.AcceptedLog(nil) != nil {
		t.Error("without a log there is a function")
	}
	var lines writes
	telemetry.AcceptedLog(&lines)(t.Context(), nil)
	if len(lines) > 0 {
		t.Errorf("got %q, want nothing", lines)
	}
}

// TestAcceptedLog_Property: whatever the texts, lines are short enough for every log they go through, and no event is missing.
func TestAcceptedLog_Property(t *testing.T) {
	t.Parallel()
	text := rapid.Custom(func(t *rapid.T) string {
		return strings.Repeat(rapid.StringN(1, 4, -1).Draw(t, "piece"), rapid.SampledFrom([]int{0, 1, 10, 300, 2000}).Draw(t, "times"))
	})
	rapid.Check(t, func(t *rapid.T) {
		events := make([]event.Event, rapid.IntRange(1, 60).Draw(t, "events"))
		for i := range events {
			events[i] = event.Event{
				ID: text.Draw(t, "id"), Source: text.Draw(t, "source"), Type: text.Draw(t, "type"), Tenant: "acme", Receiver: "generic",
				Name: text.Draw(t, "name"), Kind: "event", Severity: "\x01\x02",
			}
		}
		var lines writes
		telemetry.AcceptedLog(&lines)(t.Context(), events)
		for _, line := range lines {
			if len(line) > 64<<10 || strings.Count(line, "\n") != 1 {
				t.Fatalf("a line has %d bytes and %d line ends", len(line), strings.Count(line, "\n"))
			}
		}
		var got []telemetry.Accepted
		for _, line := range lines {
			more, err := telemetry.ParseAccepted([]byte(line))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, more...)
		}
		if len(got) != len(events) {
			t.Fatalf("%d events in %d lines, want %d", len(got), len(lines), len(events))
		}
		for i := range events {
			if got[i].ID != telemetry.AcceptedText(events[i].ID) || got[i].Type != telemetry.AcceptedText(events[i].Type) {
				t.Fatalf("event %d is %+v, want %+v", i, got[i], events[i])
			}
		}
	})
}

func TestAcceptedText_LongTexts_StayDistinct(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 2000)
	if telemetry.AcceptedText(long) == telemetry.AcceptedText(long+"y") || len(telemetry.AcceptedText(long)) > 100 {
		t.Errorf("AcceptedText(2000 bytes) = %s", telemetry.AcceptedText(long))
	}
	if short := strings.Repeat("x", 1024); telemetry.AcceptedText(short) != short {
		t.Error("AcceptedText changes a text of 1 KiB")
	}
}

func TestParseAccepted_OtherLines(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"a log line":    `{"level":"INFO","message":"accepted"}`,
		"nothing":       "",
		"a metric line": `{"_aws":{},"accepted":5}`,
		"text":          "accepted",
	} {
		if events, err := telemetry.ParseAccepted([]byte(line)); len(events) > 0 || err != nil {
			t.Errorf("%s: %d events, %v; want none", name, len(events), err)
		}
	}
	for name, line := range map[string]string{
		"half a line":         `{"accepted":{"time":"2026-03-01T10:00:00Z","events":[{"id":"1"`,
		"a time that is none": `{"accepted":{"time":"now","events":[{"id":"1"}]}}`,
		"an endless line":     `{"accepted":{"events":[]}}` + strings.Repeat(" ", 1<<20),
	} {
		if _, err := telemetry.ParseAccepted([]byte(line)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func FuzzParseAccepted(f *testing.F) {
	f.Add([]byte(`{"accepted":{"time":"2026-03-01T10:00:00Z","requestId":"r","tenant":"acme","receiver":"generic","events":[{"id":"1","source":"web"}]}}`))
	f.Add([]byte(`{"accepted":{`))
	f.Add([]byte(`{"accepted":{"events":[{"id":"1"},{"id":"2"}]}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		events, err := telemetry.ParseAccepted(line)
		if err != nil && len(events) > 0 {
			t.Errorf("%d events beside the error %v", len(events), err)
		}
		if len(events) > 0 && !telemetry.IsAccepted(line) {
			t.Errorf("events in %q, which is no line of accepted events", line)
		}
		if len(events) > len(line)/2 {
			t.Errorf("%d events in %d bytes", len(events), len(line))
		}
	})
}

func BenchmarkAcceptedLog(b *testing.B) {
	events := make([]event.Event, 50)
	for i := range events {
		events[i] = event.Event{ID: fmt.Sprintf("0195e0a4-3c1b-7c55-9a00-%012d", i), Source: "web", Type: "checkout_started", Kind: "event", Tenant: "acme", Receiver: "generic"}
	}
	var out bytes.Buffer
	log := telemetry.AcceptedLog(&out)
	log(b.Context(), events)
	b.SetBytes(int64(out.Len()))
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		log(b.Context(), events)
	}
	b.ReportMetric(float64(out.Len())/float64(len(events)), "bytes/event")
}
