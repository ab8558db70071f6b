package batch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
)

var update = flag.Bool("update", false, "write the golden files anew") //nolint:gochecknoglobals // a test flag

// accepted is a fixed moment, so that packs are reproducible.
func accepted() time.Time { return time.Date(2026, 3, 1, 10, 0, 0, 120_000_000, time.UTC) }

func checkouts(n int) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		events[i] = event.Event{
			ID: fmt.Sprintf("0195e0a4-3c1b-7c55-9d0e-%012d", i), Source: "web", Type: "checkout_started",
			Subject: "user-7", Kind: "event", Tenant: "acme", Receiver: "posthog",
			Time: accepted().Add(time.Duration(i) * time.Millisecond),
			Data: fmt.Appendf(nil, `{"event":"checkout_started","properties":{"cart_value":%d}}`, i),
		}
	}
	return events
}

func meta() batch.Meta {
	return batch.Meta{Tenant: "acme", Receiver: "posthog", First: accepted(), Last: accepted()}
}

func encode(t *testing.T, m batch.Meta, events []event.Event) []batch.Message {
	t.Helper()
	messages, err := batch.Encode(m, events)
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	return messages
}

func TestEncode_Golden_BodyAndEvents(t *testing.T) {
	t.Parallel()
	residue := meta()
	residue.Sink, residue.Attempt, residue.Generation = "warehouse", 3, 1
	residue.Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	residue.NotBefore = accepted().Add(time.Hour)
	residue.Reason = &batch.Reason{
		Class: "throttled", Status: 429, Cause: "slow down", Attempts: 3, First: accepted(), Last: accepted().Add(time.Minute),
	}
	for _, tt := range []struct {
		name   string
		meta   batch.Meta
		events []event.Event
	}{{"fresh", meta(), checkouts(3)}, {"residue", residue, checkouts(3)}, {"claim", meta(), incompressible(1, 2<<20)}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			messages := encode(t, tt.meta, tt.events)
			if len(messages) != 1 {
				t.Fatalf("got %d messages, want 1", len(messages))
			}
			golden(t, tt.name+".header.json", []byte(messages[0].Body))
			if messages[0].Header.Claim == "" { // an object has megabytes, and the claim is their hash
				golden(t, tt.name+".events", messages[0].Events)
			}
		})
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
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from the golden file (-update rewrites it):\n got %q\nwant %q", name, got, want)
	}
}

// The format is a promise to packs that lie on a queue during an upgrade: today's reader
// must read the bytes that were written then.
func TestDecode_Golden_ReadsWhatWasWritten(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"fresh", "residue"} {
		body, err := os.ReadFile(filepath.Join("testdata", name+".header.json"))
		if err != nil {
			t.Fatal(err)
		}
		blob, err := os.ReadFile(filepath.Join("testdata", name+".events"))
		if err != nil {
			t.Fatal(err)
		}
		pack, err := batch.Decode(body, blob)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(checkouts(3), pack.Events); diff != "" {
			t.Errorf("%s: events differ (-want +got):\n%s", name, diff)
		}
	}
}

func genEvent() *rapid.Generator[event.Event] {
	text := rapid.StringN(0, 40, 200)
	return rapid.Custom(func(t *rapid.T) event.Event {
		e := event.Event{
			ID: text.Draw(t, "id"), Source: text.Draw(t, "source"), Type: text.Draw(t, "type"), Name: text.Draw(t, "name"),
			Subject: text.Draw(t, "subject"), Severity: text.Draw(t, "severity"), TraceID: text.Draw(t, "trace"),
			Kind: rapid.SampledFrom([]string{"event", "log", "span"}).Draw(t, "kind"), Group: rapid.SampledFrom([]string{"", `{"env":"prod"}`, `{"env":"test"}`}).Draw(t, "group"),
			Tenant: "acme", Receiver: "posthog",
			Data: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data"),
		}
		if rapid.Bool().Draw(t, "timed") {
			e.Time = time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos")).UTC()
		}
		return e
	})
}

func TestPack_Property_UnpackOfPackIsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(genEvent(), 1, 30).Draw(t, "events")
		messages, err := batch.Encode(meta(), events)
		if err != nil {
			t.Fatalf("Encode: %v", err)
		}
		var got []event.Event
		for _, m := range messages {
			pack, err := batch.Decode([]byte(m.Body), m.Events)
			if err != nil {
				t.Fatalf("Decode: %v", err)
			}
			if pack.Header.Count != len(pack.Events) {
				t.Fatalf("header counts %d, pack holds %d", pack.Header.Count, len(pack.Events))
			}
			got = append(got, pack.Events...)
		}
		for i := range got {
			got[i].Data = append([]byte{}, got[i].Data...)
		}
		for i := range events {
			events[i].Data = append([]byte{}, events[i].Data...)
		}
		if diff := cmp.Diff(events, got); diff != "" {
			t.Fatalf("events differ (-want +got):\n%s", diff)
		}
	})
}

// incompressible events of n bytes each, the worst case for a message's size.
func incompressible(count, n int) []event.Event {
	random := rand.New(rand.NewPCG(1, 2))
	events := checkouts(count)
	for i := range events {
		events[i].Data = make([]byte, n)
		for k := range events[i].Data {
			events[i].Data[k] = byte(random.Uint32())
		}
	}
	return events
}

func TestEncode_Limits_EveryMessageFitsAndNothingIsLost(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		events   []event.Event
		messages int
	}{
		{"fifty small events are one message", checkouts(50), 1},
		{"the largest event fits alone", incompressible(1, batch.MaxEventBytes-400), 1},
		{"a large event goes alone and leaves its neighbours as they were", slices.Concat(checkouts(50), incompressible(1, 3<<20), checkouts(50)), 3},
		{"large events go one by one", incompressible(2, batch.MaxLargeEventBytes-400), 2},
		{"three of them take three messages", incompressible(3, batch.MaxEventBytes-400), 3},
		{"a megabyte that does not compress is cut at four billing chunks", incompressible(1000, 1024), 4},
		{"more events than one pack may hold", checkouts(batch.MaxEvents + 1), 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			messages := encode(t, meta(), tt.events)
			seen := 0
			for i, m := range messages {
				if m.Bytes() > batch.MaxMessageBytes {
					t.Errorf("message %d has %d bytes, the limit is %d", i, m.Bytes(), batch.MaxMessageBytes)
				}
				if m.Header.Count > batch.MaxEvents || m.Header.Bytes > batch.MaxSectionBytes {
					t.Errorf("message %d breaks a limit of the format: %d events, %d bytes", i, m.Header.Count, m.Header.Bytes)
				}
				seen += m.Header.Count
			}
			if seen != len(tt.events) {
				t.Errorf("messages hold %d events, want %d", seen, len(tt.events))
			}
			if tt.messages > 0 && len(messages) != tt.messages {
				t.Errorf("got %d messages, want %d", len(messages), tt.messages)
			}
		})
	}
}

func TestEncode_BillingChunks_AreMostlyFull(t *testing.T) {
	t.Parallel()
	messages := encode(t, meta(), incompressible(4000, 1024))
	total, chunks := 0, 0
	for _, m := range messages {
		total += m.Bytes()
		chunks += (m.Bytes() + batch.BillingChunkBytes - 1) / batch.BillingChunkBytes
	}
	if least := (total + batch.BillingChunkBytes - 1) / batch.BillingChunkBytes; chunks > least+least/8 {
		t.Errorf("%d billing chunks for %d bytes, %d would do", chunks, total, least)
	}
}

func TestEncode_EventOverTheLimit_NamesTheLimit(t *testing.T) {
	t.Parallel()
	_, err := batch.Encode(meta(), slices.Concat(checkouts(1), incompressible(1, 2<<20), incompressible(1, batch.MaxLargeEventBytes)))
	var tooLarge *batch.TooLargeError
	if !errors.As(err, &tooLarge) {
		t.Fatalf("got %v, want a *TooLargeError", err)
	}
	if tooLarge.LimitBytes != batch.MaxLargeEventBytes || !strings.Contains(err.Error(), fmt.Sprint(batch.MaxLargeEventBytes)) {
		t.Errorf("the error does not name the limit %d: %v", batch.MaxLargeEventBytes, err)
	}
}

func TestEncode_PackID_FollowsFromWhatThePackIs(t *testing.T) {
	t.Parallel()
	id := func(m batch.Meta, events []event.Event) string { return encode(t, m, events)[0].Header.ID }
	base := id(meta(), checkouts(3))
	later := meta()
	later.First, later.Last = accepted().Add(time.Hour), accepted().Add(time.Hour)
	if got := id(later, checkouts(3)); got != base {
		t.Errorf("the same request an hour later has id %s, want %s", got, base)
	}
	for name, other := range map[string]string{
		"another tenant":     id(batch.Meta{Tenant: "zeta", Receiver: "posthog"}, checkouts(3)),
		"another receiver":   id(batch.Meta{Tenant: "acme", Receiver: "generic"}, checkouts(3)),
		"fewer events":       id(meta(), checkouts(2)),
		"addressed":          id(batch.Meta{Tenant: "acme", Receiver: "posthog", Sink: "a"}, checkouts(3)),
		"another attempt":    id(batch.Meta{Tenant: "acme", Receiver: "posthog", Attempt: 1}, checkouts(3)),
		"another generation": id(batch.Meta{Tenant: "acme", Receiver: "posthog", Generation: 1}, checkouts(3)),
	} {
		if other == base {
			t.Errorf("%s: the id is the same", name)
		}
	}
}

func TestReaddress_Twice_IsTheSamePackOfTheNextGeneration(t *testing.T) {
	t.Parallel()
	m := meta()
	m.Sink, m.Attempt, m.Reason = "warehouse", 12, &batch.Reason{Class: "transient", Stop: "attempts"}
	letter := encode(t, m, checkouts(3))[0]
	one, err := batch.Readdress(letter.Header, letter.Events, "warehouse")
	if err != nil {
		t.Fatal(err)
	}
	two, err := batch.Readdress(letter.Header, letter.Events, "warehouse")
	if err != nil {
		t.Fatal(err)
	}
	if one.Body != two.Body {
		t.Errorf("two replays differ:\n%s\n%s", one.Body, two.Body)
	}
	pack, err := batch.Decode([]byte(one.Body), one.Events)
	if err != nil {
		t.Fatal(err)
	}
	h := pack.Header
	if h.Generation != 1 || h.Attempt != 0 || h.Reason != nil || h.Sink != "warehouse" || h.ID == letter.Header.ID {
		t.Errorf("not a fresh pack of generation 1 for warehouse: %+v", h)
	}
	if diff := cmp.Diff(checkouts(3), pack.Events); diff != "" {
		t.Errorf("events differ (-want +got):\n%s", diff)
	}
}

// Nobody gave up a pack that SQS moved by itself: it may have been delivered, and must be known again.
func TestReaddress_MovedBySQS_KeepsItsIDOnItsWay(t *testing.T) {
	t.Parallel()
	fresh := encode(t, meta(), checkouts(3))[0]
	m := meta()
	m.Sink, m.Attempt, m.Reason = "warehouse", 3, &batch.Reason{Class: "transient"}
	residue := encode(t, m, checkouts(3))[0]
	for _, row := range []struct {
		name   string
		letter batch.Message
		to     string
		keeps  bool
	}{
		{"a fresh pack to the front", fresh, "", true},
		{"a fresh pack to one sink", fresh, "warehouse", false},
		{"a residue to its sink", residue, "warehouse", true},
		{"a residue to another sink", residue, "archive", false},
		{"a residue to the front", residue, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := batch.Readdress(row.letter.Header, row.letter.Events, row.to)
			if err != nil {
				t.Fatal(err)
			}
			if keeps := got.Header.ID == row.letter.Header.ID; keeps != row.keeps || got.Header.Generation != 1 {
				t.Errorf("keeps its id %v, generation %d; want %v, 1", keeps, got.Header.Generation, row.keeps)
			}
			want := row.letter.Header.Reason
			if !row.keeps {
				want = nil // it begins anew
			}
			if diff := cmp.Diff(want, got.Header.Reason); diff != "" {
				t.Errorf("reason (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecode_BadInput_IsToldApart(t *testing.T) {
	t.Parallel()
	good := encode(t, meta(), checkouts(3))[0]
	change := func(member string, value any) []byte {
		var h map[string]any
		if err := json.Unmarshal([]byte(good.Body), &h); err != nil {
			t.Fatal(err)
		}
		h[member] = value
		body, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	flipped := bytes.Clone(good.Events)
	flipped[len(flipped)-1] ^= 1
	tests := []struct {
		name string
		body []byte
		blob []byte
		want error
	}{
		{"no body", nil, nil, batch.ErrNotPack},
		{"text", []byte("hello"), nil, batch.ErrNotPack},
		{"another JSON object", []byte(`{"hello":"world"}`), nil, batch.ErrNotPack},
		{"an array", []byte(`[1]`), nil, batch.ErrNotPack},
		{"broken JSON", []byte(`{"v":1,`), nil, batch.ErrNotPack},
		{"a member twice", []byte(`{"v":1,"v":2}`), nil, batch.ErrNotPack},
		{"a body over the header limit", []byte(`{"v":1,"x":"` + strings.Repeat("x", batch.MaxHeaderBytes) + `"}`), nil, batch.ErrNotPack},
		{"a newer version", change("v", 2), good.Events, batch.ErrNewerVersion},
		{"no tenant", change("tenant", ""), good.Events, batch.ErrCorrupt},
		{"no events", change("count", 0), good.Events, batch.ErrCorrupt},
		{"more events than allowed", change("count", batch.MaxEvents+1), good.Events, batch.ErrCorrupt},
		{"more events than there are", change("count", 4), good.Events, batch.ErrCorrupt},
		{"fewer events than there are", change("count", 2), good.Events, batch.ErrCorrupt},
		{"more bytes than allowed", change("bytes", batch.MaxSectionBytes+1), good.Events, batch.ErrCorrupt},
		{"another size than announced", change("bytes", 1), good.Events, batch.ErrCorrupt},
		{"an unknown encoding", change("enc", "lz4"), good.Events, batch.ErrCorrupt},
		{"a wrong type", change("count", "three"), good.Events, batch.ErrCorrupt},
		{"a negative attempt", change("attempt", -1), good.Events, batch.ErrCorrupt},
		{"a flipped bit", []byte(good.Body), flipped, batch.ErrCorrupt},
		{"no attribute", []byte(good.Body), nil, batch.ErrCorrupt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := batch.Decode(tt.body, tt.blob); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
