package dedup_test

import (
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/memory"
	"github.com/millrace-dev/millrace/pkg/event"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

func always(*event.Event) bool { return true }

func exposure(id, data string) event.Event {
	return event.Event{Tenant: "acme", Source: "web", ID: id, Type: "exposure", Data: []byte(data)}
}

// A3: exposures are the same when flag and subject are, whatever their ids; a missing
// targeting key is the empty text, which is a key like any other.
func TestRule_A3_ExposuresCountByFlagAndSubject(t *testing.T) {
	t.Parallel()
	const base = `{"flag":{"key":"dark","kind":"bool"},"subject":{"id":"u1","attributes":{"a":[1,{"id":"x"}]}},"at":1}`
	tests := []struct {
		name, data string
		same       bool
	}{
		{"another time and id", `{"at":2,"subject":{"id":"u1"},"flag":{"key":"dark"}}`, true},
		{"an escape says the same", `{"flag":{"key":"d\u0061rk"},"subject":{"id":"u1"}}`, true},
		{"another subject", `{"flag":{"key":"dark"},"subject":{"id":"u2"}}`, false},
		{"another flag", `{"flag":{"key":"light"},"subject":{"id":"u1"}}`, false},
		{"no targeting key", `{"flag":{"key":"dark"},"subject":{}}`, false},
		{"no subject", `{"flag":{"key":"dark"}}`, false},
		{"a subject that is no object", `{"flag":{"key":"dark"},"subject":["u1"]}`, false},
		{"swapped", `{"flag":{"key":"u1"},"subject":{"id":"dark"}}`, false},
		{"case", `{"flag":{"key":"Dark"},"subject":{"id":"u1"}}`, false},
	}
	for _, scope := range []dedup.Scope{dedup.ScopePack, dedup.ScopeEvent} {
		for _, tt := range tests {
			t.Run(string(scope)+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				o := flags(dedup.Options{Store: memory.New(nil), Scope: scope})
				p := begin(t, environment(t, o)).pack("p", exposure("1", base)).begin(dedup.Send)
				p.Delivered(0)
				release(t, p)
				want := dedup.Send
				if tt.same {
					want = dedup.Skip
				}
				p = begin(t, environment(t, o)).pack("q", exposure("2", tt.data)).begin(want)
				if p.Verdict(0).Conflict {
					t.Error("bytes differ on purpose, that is no conflict")
				}
			})
		}
	}
}

func flags(o dedup.Options) dedup.Options {
	o.Rules = []dedup.Rule{{
		Match:  func(e *event.Event) bool { return e.Type == "exposure" },
		Fields: []string{"flag.key", "subject.id"},
	}}
	return o
}

func TestRule_MissingFields_AreEmptyTexts(t *testing.T) {
	t.Parallel()
	same := []string{
		`{"flag":{"key":"dark"}}`, `{"flag":{"key":"dark"},"subject":{}}`, `{"flag":{"key":"dark"},"subject":{"id":null}}`,
		`{"flag":{"key":"dark"},"subject":{"id":""}}`,
	}
	d := environment(t, flags(dedup.Options{}))
	f := begin(t, d)
	for i, data := range same {
		f.pack("p", exposure(string(rune('a'+i)), data))
	}
	p := f.begin(dedup.Send, dedup.Follow, dedup.Follow, dedup.Follow)
	p.Delivered(0)
	p.Resolve()
	expect(t, p, dedup.Send, dedup.Skip, dedup.Skip, dedup.Skip)
}

// Events without any of the fields, or not readable, are told apart by their ids: one key for
// all of them would lose all but the first.
func TestRule_NoFieldAtAll_TheIdCounts(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`{}`, `{"flag":null}`, `[1]`, `{"flag":{"key":`, ``, `{"a":1,"a":2}`} {
		d := environment(t, flags(dedup.Options{Scope: dedup.ScopeEvent}))
		begin(t, d).pack("p", exposure("1", data), exposure("2", data), exposure("1", data)).begin(dedup.Send, dedup.Send, dedup.Follow)
	}
}

func TestRule_Values_KeepTheirTypes(t *testing.T) {
	t.Parallel()
	d := environment(t, dedup.Options{Scope: dedup.ScopeEvent, Rules: []dedup.Rule{{Match: always, Fields: []string{"/a.b", "c"}}}})
	f := begin(t, d)
	values := []string{`1`, `"1"`, `1.0`, `true`, `"true"`, `[1]`, `{"x":1}`}
	want := make([]dedup.Action, len(values))
	for i, v := range values {
		f.pack("p", exposure(string(rune('a'+i)), `{"a.b":`+v+`}`))
	}
	f.begin(want...)
}

// Other events are not touched by a rule, in the pack that they share.
func TestRule_MixedPack_EachByItsOwnKey(t *testing.T) {
	t.Parallel()
	o := flags(dedup.Options{Store: memory.New(nil)})
	const data = `{"flag":{"key":"dark"},"subject":{"id":"u1"}}`
	p := begin(t, environment(t, o)).pack("p", one("1"), exposure("2", data)).begin(dedup.Send, dedup.Send)
	p.Delivered(1)
	p.Kept(0, "residue")
	release(t, p)
	begin(t, environment(t, o)).pack("q", one("1"), exposure("3", data)).begin(dedup.Send, dedup.Skip)
	begin(t, environment(t, o)).pack("p", one("1"), exposure("2", data)).begin(dedup.Skip, dedup.Skip)
}

// Whatever the bytes: no panic, and the same bytes under another id are the same exactly when a
// field was found; the same id with the same bytes always is.
func FuzzRule_Key(f *testing.F) {
	for _, seed := range []string{
		`{"flag":{"key":"dark"},"subject":{"id":"u1"}}`, `{"flag":{"key":null}}`, `{"flag":{"key":{"key":1}}}`, `{"flag":[`, `{"flag":{"key":"\ud800"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := environment(t, flags(dedup.Options{Scope: dedup.ScopeEvent}))
		p := begin(t, d).pack("p", exposure("1", string(data)), exposure("1", string(data)), exposure("2", string(data)))
		plan, err := d.Begin(t.Context(), p.packs, p.units)
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.Verdict(1).Action; got != dedup.Follow {
			t.Errorf("the same event again: %v, want follow", got)
		}
		if found := plan.Verdict(2).Action == dedup.Follow; found && !contains(string(data), ":") {
			t.Errorf("a field was found in %q", data)
		}
	})
}
