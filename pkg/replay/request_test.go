package replay

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/deadletter"
)

func TestParseRequest_ReadsEveryMember(t *testing.T) {
	t.Parallel()
	got, err := parseRequest([]byte(`{"sink":"warehouse","tenant":"acme","receiver":"posthog","kind":"event","class":"transient","status":503,` +
		`"since":"2026-03-01T10:00:00Z","until":"2026-03-01T12:00:00+01:00","to":"front","limit":7,"dry_run":true,"max_generation":9}`))
	if err != nil {
		t.Fatal(err)
	}
	want := Request{
		Filter: deadletter.Filter{
			Sink: "warehouse", Tenant: "acme", Receiver: "posthog", Kind: "event", Class: "transient", Status: 503,
			Since: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), Until: time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC),
		},
		To: "front", Limit: 7, DryRun: true, MaxGeneration: 9,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	for _, payload := range []string{"", "{}"} {
		if got, err := parseRequest([]byte(payload)); err != nil || got != (Request{}) {
			t.Errorf("%q is %+v, %v; want the zero request", payload, got, err)
		}
	}
}

func TestRequest_WhatIsRefused(t *testing.T) {
	t.Parallel()
	sinks := []string{"archive", "warehouse"}
	for _, row := range []struct{ name, payload, want string }{
		{"an unknown member", `{"tennant":"acme"}`, "tennant"},
		{"a member in another case", `{"Tenant":"acme"}`, "Tenant"},
		{"a member twice", `{"tenant":"a","tenant":"b"}`, "duplicate"},
		{"invalid UTF-8", "{\"tenant\":\"\xff\"}", "UTF-8"},
		{"a number as text", `{"limit":"7"}`, "limit"},
		{"a time that is none", `{"since":"yesterday"}`, "since"},
		{"no object", `[1]`, "replay request"},
		{"two objects", `{}{}`, "replay request"},
		{"broken off", `{"tenant":`, "replay request"},
		{"larger than any request", `{"tenant":"` + strings.Repeat("a", maxRequestBytes) + `"}`, "allowed are 65536"},
		{"an unknown target", `{"to":"warehause"}`, `to: there is no sink "warehause"; choose one of front, archive, warehouse`},
		{"a negative limit", `{"limit":-1}`, "must not be negative"},
		{"a negative generation", `{"max_generation":-1}`, "must not be negative"},
		{"a range that is empty", `{"since":"2026-03-02T00:00:00Z","until":"2026-03-01T00:00:00Z"}`, "is not before until"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r, err := parseRequest([]byte(row.payload))
			if err == nil {
				err = r.check(sinks)
			}
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error is %v, want one that says %q", err, row.want)
			}
		})
	}
}

// FuzzParseRequest: what is accepted means the same when it is written and read again, so
// that no spelling of a filter replays more than it says.
func FuzzParseRequest(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "null", `{"sink":"*","dry_run":true}`, `{"since":"2026-03-01T10:00:00+05:30","limit":3}`, `{"tennant":"a"}`, `{"to":"front"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		r, err := parseRequest(payload)
		if err != nil {
			return
		}
		if len(payload) > maxRequestBytes {
			t.Fatalf("%d bytes were accepted", len(payload))
		}
		written, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("%+v, read from %q, cannot be written: %v", r, payload, err)
		}
		again, err := parseRequest(written)
		if err != nil {
			t.Fatalf("%s, read from %q, is refused: %v", written, payload, err)
		}
		if !cmp.Equal(r, again) {
			t.Fatalf("%+v came back as %+v", r, again)
		}
		var members map[string]any
		if bytes.ContainsRune(payload, '{') && json.Unmarshal(payload, &members) == nil && members["tenant"] != nil && r.Tenant != members["tenant"] {
			t.Fatalf("tenant is %q, payload says %v", r.Tenant, members["tenant"])
		}
	})
}
