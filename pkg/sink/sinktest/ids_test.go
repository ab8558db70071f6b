package sinktest

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/sink/record"
)

func TestIDs(t *testing.T) {
	t.Parallel()
	ids := IDs{}
	ids.add([]string{"b", "a", "b"})
	ids.add([]string{"d", "d"})
	if n := ids.Total(); n != 5 {
		t.Errorf("Total = %d, want 5", n)
	}
	if diff := cmp.Diff([]string{"c", "e"}, ids.Missing([]string{"a", "c", "b", "e"})); diff != "" {
		t.Errorf("Missing (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"b", "d"}, ids.Repeated()); diff != "" {
		t.Errorf("Repeated (-want +got):\n%s", diff)
	}
}

func TestRecordIDs_Refuses(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"half a record":            `{"id":"a"}` + "\n" + `{"id":`,
		"a record without an id":   `{"id":"a"}` + "\n" + `{}`,
		"half an array":            `[{"id":"a"}`,
		"an item without an id":    `[{}]`,
		"an id that is no text":    `{"id":7}`,
		"something else than JSON": `<html>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if ids, err := RecordIDs(&Request{Body: []byte(body)}); err == nil {
				t.Errorf("RecordIDs(%q) = %q, want an error", body, ids)
			}
		})
	}
}

// TestRecordIDs_Property: what the encoders write, RecordIDs reads.
func TestRecordIDs_Property(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.String(), 1, 10).Draw(t, "ids")
		events := make([]event.Event, len(want))
		for i := range events {
			events[i] = event.Event{ID: want[i], Data: []byte(`{"id":"inner"}`)}
		}
		for _, body := range [][]byte{record.AppendLines(nil, events), record.AppendArray(nil, events)} {
			got, err := RecordIDs(&Request{Body: body})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("ids (-want +got):\n%s", diff)
			}
		}
	})
}

func TestDecompress_Refuses(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"gzip", "zstd", "br"} {
		if data, err := decompress(encoding, bytes.NewReader([]byte("plain"))); err == nil {
			t.Errorf("decompress(%s, plain) = %q, want an error", encoding, data)
		}
	}
}

// FuzzRecordIDs: whatever is read again from the ids is the same.
func FuzzRecordIDs(f *testing.F) {
	f.Add([]byte("{\"id\":\"a\"}\n{\"id\":\"b\",\"data\":{}}\n"))
	f.Add([]byte(`[{"id":"a"},{"id":"\u0000"}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		ids, err := RecordIDs(&Request{Body: body})
		if err != nil {
			return
		}
		events := make([]event.Event, len(ids))
		for i := range events {
			events[i].ID = ids[i]
		}
		again, err := RecordIDs(&Request{Body: record.AppendLines(nil, events)})
		if err != nil || len(again) != len(ids) {
			t.Fatalf("ids of %q read again: %q, %v", ids, again, err)
		}
		for i := range ids {
			if ids[i] != again[i] {
				t.Errorf("id %d = %q, want %q", i, again[i], ids[i])
			}
		}
	})
}
