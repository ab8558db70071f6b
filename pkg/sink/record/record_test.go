package record_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/sink/record"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// goldenEvents are one event of each sort that a record treats differently.
func goldenEvents() []event.Event {
	at := time.Date(2026, 3, 1, 10, 0, 0, 120_000_000, time.FixedZone("", 2*60*60))
	return []event.Event{
		{
			ID: "0195e0a4-3c1b-7c55", Source: "web", Type: "signup", Time: at, Subject: "user-7", Tenant: "acme",
			Data: []byte(`{"event":"signup","properties":{"plan":"free"}}`),
		},
		{ID: "no time, no subject", Source: "web", Type: "t", Tenant: "acme", Data: []byte(`{}`)},
		{ID: "no data", Source: "web", Type: "t", Tenant: "acme"},
		{
			ID: `quote " backslash \ tab` + "\t\x01\n", Source: "grüße/☃", Type: "bad\xffutf8", Tenant: "acme",
			Data: []byte(`"a string is data too"`),
		},
		{
			ID: "pretty", Source: "web", Type: "t", Tenant: "acme",
			Data: []byte("{\r\n  \"a b\": [1, 2],\n\t\"c \\\" d\\\\\": \"e  f\"\n}\n"),
		},
		{ID: "spaces kept", Source: "web", Type: "t", Tenant: "acme", Data: []byte(`{ "a" : 1 }`)},
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path) //nolint:gosec // a path of the tests
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestAppendLines_Golden(t *testing.T) {
	t.Parallel()
	golden(t, "records.ndjson", record.AppendLines(nil, goldenEvents()))
}

func TestAppendArray_Golden(t *testing.T) {
	t.Parallel()
	golden(t, "records.json", record.AppendArray(nil, goldenEvents()))
}

func TestAppendArray_NoEvents(t *testing.T) {
	t.Parallel()
	if got := string(record.AppendArray(nil, nil)); got != "[]" {
		t.Errorf("AppendArray(nil) = %s, want []", got)
	}
}

//nolint:paralleltest // AllocsPerRun counts the allocations of all goroutines
func TestAppend_DoesNotAllocate(t *testing.T) {
	e := goldenEvents()[0]
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { buf = record.Append(buf[:0], &e) }); n != 0 {
		t.Errorf("Append allocates %v times, want 0", n)
	}
}

// TestAppend_Property: a record is valid JSON on one line, says what the event said, and
// is never longer than Size.
func TestAppend_Property(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		line := record.Append(nil, &e)
		if bytes.ContainsAny(line, "\r\n") {
			t.Fatalf("record holds a line break: %q", line)
		}
		if size := record.Size(&e); len(line)+1 > size {
			t.Fatalf("Size = %d, want at least %d for %q", size, len(line)+1, line)
		}
		var got struct {
			ID, Source, Type, Subject, Tenant string
			Time                              time.Time
			Data                              json.RawMessage
		}
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("record %q: %v", line, err)
		}
		want := []string{e.ID, e.Source, e.Type, e.Subject, e.Tenant}
		if diff := cmp.Diff(want, []string{got.ID, got.Source, got.Type, got.Subject, got.Tenant}); diff != "" {
			t.Fatalf("text members (-want +got):\n%s", diff)
		}
		if !got.Time.Equal(e.Time) {
			t.Fatalf("time = %v, want %v", got.Time, e.Time)
		}
		sameJSON(t, e.Data, got.Data)
	})
}

// TestSize_Exact: Size is exact for an event without time whose data is one line.
func TestSize_Exact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := event.Event{
			ID: string(rapid.SliceOf(rapid.Byte()).Draw(t, "id")), Subject: rapid.String().Draw(t, "subject"),
			Data: []byte(`{"a":1}`),
		}
		if got, want := record.Size(&e), len(record.AppendLines(nil, []event.Event{e})); got != want {
			t.Fatalf("Size = %d, want %d", got, want)
		}
	})
}

func drawEvent(t *rapid.T) event.Event {
	e := event.Event{
		ID: rapid.String().Draw(t, "id"), Source: rapid.String().Draw(t, "source"), Type: rapid.String().Draw(t, "type"),
		Subject: rapid.String().Draw(t, "subject"), Tenant: rapid.String().Draw(t, "tenant"),
	}
	if rapid.Bool().Draw(t, "has time") {
		e.Time = time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
	}
	value := rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.String())).Draw(t, "data")
	data, err := json.MarshalIndent(value, rapid.StringMatching(`[ \t]*`).Draw(t, "prefix"), "  ")
	if err != nil {
		t.Fatal(err)
	}
	e.Data = data
	return e
}

func sameJSON(t interface{ Fatalf(string, ...any) }, want, got []byte) {
	var a, b any
	if err := json.Unmarshal(want, &a); err != nil {
		t.Fatalf("data %q: %v", want, err)
	}
	if err := json.Unmarshal(got, &b); err != nil {
		t.Fatalf("data %q: %v", got, err)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Fatalf("data (-want +got):\n%s", diff)
	}
}

// FuzzAppend: any data gives one line; valid data gives a valid record with equal data.
func FuzzAppend(f *testing.F) {
	f.Add("id", []byte("{\n \"a\": \"b c\\\\\" ,\r\n\"d\":[1, 2 ]}"))
	f.Add("\xff", []byte(`"`))
	f.Add("", []byte("\"a\nb\""))
	f.Fuzz(func(t *testing.T, id string, data []byte) {
		e := event.Event{ID: id, Data: data}
		line := record.Append(nil, &e)
		if bytes.ContainsAny(line, "\r\n") {
			t.Fatalf("record holds a line break: %q", line)
		}
		if len(line)+1 > record.Size(&e) {
			t.Fatalf("Size = %d, want at least %d", record.Size(&e), len(line)+1)
		}
		if !json.Valid(data) {
			return
		}
		var got struct{ Data json.RawMessage }
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("record %q: %v", line, err)
		}
		sameJSON(t, data, got.Data)
	})
}

func BenchmarkAppendLines(b *testing.B) {
	events := make([]event.Event, 500)
	for i := range events {
		events[i] = event.Event{
			ID: fmt.Sprintf("0195e0a4-3c1b-7c55-9d0e-%012d", i), Source: "web", Type: "signup", Subject: "user-7", Tenant: "acme",
			Time: time.Date(2026, 3, 1, 10, 0, 0, i*1000, time.UTC),
			Data: []byte(`{"event":"signup","properties":{"note":"` + strings.Repeat("a word ", 130) + `"}}`),
		}
	}
	buf := record.AppendLines(nil, events)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = record.AppendLines(buf[:0], events)
	}
}

func BenchmarkSize(b *testing.B) {
	e := goldenEvents()[0]
	b.ReportAllocs()
	for b.Loop() {
		record.Size(&e)
	}
}
