package telemetry_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

var moment = time.UnixMilli(1_790_000_000_123)

// invocation is what a ledger holds after some work.
func invocation() []ledger.Entry {
	var l ledger.Ledger
	l.Add(ledger.Key{Counter: ledger.Received, Receiver: "posthog", Tenant: "acme"}, 50)
	l.Add(ledger.Key{Counter: ledger.Accepted, Receiver: "posthog", Tenant: "acme"}, 48)
	l.Add(ledger.Key{Counter: ledger.Refused, Receiver: "posthog", Tenant: "acme"}, 2)
	l.Add(ledger.Key{Counter: ledger.Received, Receiver: "generic", Tenant: `a "b"`}, 1)
	l.Add(ledger.Key{Counter: ledger.Routed, Sink: "warehouse"}, 48)
	l.Add(ledger.Key{Counter: ledger.Delivered, Sink: "warehouse"}, 40)
	l.Add(ledger.Key{Counter: ledger.DeadLettered, Sink: "warehouse", Class: "permanent"}, 3)
	l.Add(ledger.Key{Counter: ledger.Deferred, Sink: "warehouse", Class: "throttled"}, 5)
	l.Add(ledger.Key{Counter: ledger.Unrouted}, 4)
	return l.Take()
}

func TestAppendEMF_OneLinePerSetOfProperties(t *testing.T) {
	t.Parallel()
	got := string(telemetry.AppendEMF(nil, moment, "req-1", invocation()))
	metrics := func(dimensions string, names ...string) string {
		for i, name := range names {
			names[i] = `{"Name":"` + name + `","Unit":"Count"}`
		}
		return `{"_aws":{"Timestamp":1790000000123,"CloudWatchMetrics":[{"Namespace":"Millrace","Dimensions":` + dimensions +
			`,"Metrics":[` + strings.Join(names, ",") + `]}]},"requestId":"req-1",`
	}
	want := metrics(`[[]]`, "unrouted") + `"unrouted":4}` + "\n" +
		metrics(`[["sink"]]`, "delivered", "routed") + `"sink":"warehouse","delivered":40,"routed":48}` + "\n" +
		metrics(`[["sink"],["sink","class"]]`, "dead_lettered") + `"sink":"warehouse","class":"permanent","dead_lettered":3}` + "\n" +
		metrics(`[["sink"],["sink","class"]]`, "deferred") + `"sink":"warehouse","class":"throttled","deferred":5}` + "\n" +
		metrics(`[["receiver"]]`, "received") + `"receiver":"generic","tenant":"a \"b\"","received":1}` + "\n" +
		metrics(`[["receiver"]]`, "accepted", "received", "refused") + `"receiver":"posthog","tenant":"acme","accepted":48,"received":50,"refused":2}` + "\n"
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("AppendEMF (-want +got):\n%s", diff)
	}
}

func TestAppendEMF_NothingCounted_WritesNothing(t *testing.T) {
	t.Parallel()
	if got := telemetry.AppendEMF(nil, moment, "req-1", nil); len(got) != 0 {
		t.Errorf("AppendEMF = %q, want nothing", got)
	}
}

// Whatever is counted, each line keeps the rules of the format, and reading the lines
// gives back what was counted.
func TestAppendEMF_AnyEntries_AreValidAndReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		counter := rapid.SampledFrom([]ledger.Counter{
			ledger.Received, ledger.Accepted, ledger.Refused, ledger.Filtered, ledger.Sampled, ledger.Limited,
			ledger.Routed, ledger.Returned, ledger.Delivered, ledger.Deduped, ledger.Rejected, ledger.DeadLettered, ledger.Retried, ledger.Deferred, ledger.Unrouted,
		})
		var books ledger.Ledger
		for range rapid.IntRange(0, 20).Draw(t, "entries") {
			key := ledger.Key{Counter: counter.Draw(t, "counter"), Tenant: rapid.String().Draw(t, "tenant")}
			if rapid.Bool().Draw(t, "at ingest") {
				key.Receiver = rapid.SampledFrom([]string{"generic", "posthog"}).Draw(t, "receiver")
			} else {
				key.Sink = rapid.SampledFrom([]string{"", "http", "archive"}).Draw(t, "sink")
				key.Class = rapid.SampledFrom([]string{"", "permanent", "setup"}).Draw(t, "class")
			}
			books.Add(key, rapid.IntRange(1, 1<<30).Draw(t, "count"))
		}
		want := books.Take()
		lines := telemetry.AppendEMF(nil, moment, "r", want)
		for line := range bytes.Lines(lines) {
			if err := checkEMF(line); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
		}
		var totals telemetry.Totals
		if _, err := totals.Write(lines); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, totals.Entries()); diff != "" {
			t.Errorf("the lines read back (-want +got):\n%s", diff)
		}
	})
}

// emfDocument is the published JSON Schema of the embedded metric format, as a struct:
// members that it does not name may only stand at the root.
type emfDocument struct {
	Timestamp         *int64
	CloudWatchMetrics []struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []struct {
			Name, Unit        string
			StorageResolution int
		}
	}
}

// checkEMF checks one line against the rules of the specification (Amazon CloudWatch
// User Guide, "Specification: Embedded metric format").
func checkEMF(line []byte) error {
	if len(line) > 256<<10 {
		return fmt.Errorf("%d bytes, want at most 256 KiB", len(line))
	}
	var root map[string]json.RawMessage
	if err := json.Unmarshal(line, &root); err != nil {
		return fmt.Errorf("no JSON object: %w", err)
	}
	var document emfDocument
	decoder := json.NewDecoder(bytes.NewReader(root["_aws"]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&document); err != nil {
		return fmt.Errorf("_aws: %w", err)
	}
	if document.Timestamp == nil || *document.Timestamp <= 0 || len(document.CloudWatchMetrics) == 0 {
		return fmt.Errorf("Timestamp %v and %d directives, want both", document.Timestamp, len(document.CloudWatchMetrics))
	}
	for _, directive := range document.CloudWatchMetrics {
		if len(directive.Namespace) < 1 || len(directive.Namespace) > 1024 {
			return fmt.Errorf("Namespace %q, want 1 to 1024 characters", directive.Namespace)
		}
		if err := checkDimensions(root, directive.Dimensions); err != nil {
			return err
		}
		if len(directive.Metrics) < 1 || len(directive.Metrics) > 100 {
			return fmt.Errorf("%d metrics, want 1 to 100", len(directive.Metrics))
		}
		for _, metric := range directive.Metrics {
			var value float64
			if err := json.Unmarshal(root[metric.Name], &value); err != nil || metric.Unit != "Count" || metric.StorageResolution != 0 {
				return fmt.Errorf("metric %+v has the value %s", metric, root[metric.Name])
			}
		}
	}
	return nil
}

func checkDimensions(root map[string]json.RawMessage, sets [][]string) error {
	if len(sets) < 1 {
		return fmt.Errorf("no dimension set")
	}
	for _, set := range sets {
		if set == nil || len(set) > 30 {
			return fmt.Errorf("dimension set %q, want a list of at most 30", set)
		}
		for _, name := range set {
			var value string
			if err := json.Unmarshal(root[name], &value); err != nil || strings.TrimSpace(value) == "" || len(value) > 1024 {
				return fmt.Errorf("dimension %q has the value %s, want a text of 1 to 1024 characters", name, root[name])
			}
		}
	}
	return nil
}

func BenchmarkAppendEMF(b *testing.B) {
	entries := invocation()
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		buffer = telemetry.AppendEMF(buffer[:0], moment, "8f1f7d5e-8a0d-4c43-9e53-6a4a1f1d8a11", entries)
	}
	b.SetBytes(int64(len(buffer)))
}
