package filter_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/processor/filter"
)

func exposures(e *event.Event) bool { return e.Type == "exposure" }

func newFilter(t testing.TB, o filter.Options) *filter.Filter {
	t.Helper()
	f, err := filter.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFilter_Drop_ByWhatTheFieldSays(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, data, field, equals string
		want                      filter.Cause
	}{
		{"the wanted value", `{"doLog":true}`, "doLog", "true", filter.None},
		{"the wanted value inside", `{"flag":{"doLog":true}}`, "flag.doLog", "true", filter.None},
		{"another value", `{"doLog":false}`, "doLog", "true", filter.Unequal},
		{"a text is no truth value", `{"doLog":"true"}`, "doLog", "true", filter.Unequal},
		{"a number is no truth value", `{"doLog":1}`, "doLog", "true", filter.Unequal},
		{"an object", `{"doLog":{"value":true}}`, "doLog", "true", filter.Unequal},
		{"no field", `{}`, "doLog", "true", filter.Missing},
		{"null", `{"doLog":null}`, "doLog", "true", filter.Missing},
		{"the field in another case", `{"dolog":true}`, "doLog", "true", filter.Missing},
		{"no object", `[true]`, "doLog", "true", filter.Missing},
		{"a text", `{"env":"pr\u006fd"}`, "env", `"prod"`, filter.None},
		{"a text in another case", `{"env":"Prod"}`, "env", `"prod"`, filter.Unequal},
		{"a number", `{"n":5}`, "n", "5", filter.None},
		{"a number in another notation", `{"n":5.0}`, "n", "5", filter.Unequal},
		{"the empty text is wanted, and the field is missing", `{}`, "env", `""`, filter.None},
		{"the empty text is wanted", `{"env":""}`, "env", `""`, filter.None},
		{"the empty text is not wanted", `{"env":"x"}`, "env", `""`, filter.Unequal},
		{"broken data", `{"doLog":true`, "doLog", "true", filter.Unreadable},
		{"no data", ``, "doLog", "true", filter.Unreadable},
		{"a field that is there twice", `{"doLog":true,"doLog":false}`, "doLog", "true", filter.Unreadable},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := newFilter(t, filter.Options{Field: row.field, Equals: row.equals})
			if got := f.Drop(&event.Event{Data: []byte(row.data)}); got != row.want {
				t.Errorf("%s, wanted %s = %s: dropped for %q, want %q", row.data, row.field, row.equals, got, row.want)
			}
		})
	}
}

func TestFilter_Drop_OtherEvents_AreKeptUnread(t *testing.T) {
	t.Parallel()
	f := newFilter(t, filter.Options{Match: exposures, Field: "doLog", Equals: "true"})
	for _, data := range []string{`{"doLog":false}`, `no JSON`, ``} {
		if got := f.Drop(&event.Event{Type: "page", Data: []byte(data)}); got != filter.None {
			t.Errorf("an event that does not match is dropped for %q", got)
		}
	}
	if got := f.Drop(&event.Event{Type: "exposure", Data: []byte(`{"doLog":false}`)}); got != filter.Unequal {
		t.Errorf("an event that matches is dropped for %q", got)
	}
}

func TestNew_WrongOptions_AreRefused(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]filter.Options{
		"filter: field: the path is empty":        {Equals: "true"},
		"filter: field: \"a.\" has an empty name": {Field: "a.", Equals: "true"},
		"filter: equals:  is no JSON value":       {Field: "a"},
		"filter: equals: yes is no JSON value":    {Field: "a", Equals: "yes"},
	} {
		if _, err := filter.New(o); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("New(%+v): %v, want %q", o, err, want)
		}
	}
}

// Of any events, those are kept that match and say what is wanted, or do not match.
func TestFilter_Drop_AgreesWithModel(t *testing.T) {
	t.Parallel()
	f := newFilter(t, filter.Options{Match: exposures, Field: "a.b", Equals: "true"})
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{"exposure", "page"}).Draw(t, "type")
		inner := rapid.SampledFrom([]string{`true`, `false`, `"true"`, `null`, `{"b":true}`}).Draw(t, "value")
		name := rapid.SampledFrom([]string{"b", "c"}).Draw(t, "name")
		data := fmt.Sprintf(`{"x":{"b":true},"a":{%q:%s},"b":true}`, name, inner)
		want := kind != "exposure" || name == "b" && inner == "true"
		if got := f.Drop(&event.Event{Type: kind, Data: []byte(data)}); (got == filter.None) != want {
			t.Fatalf("a %s with %s is dropped for %q, want kept = %v", kind, data, got, want)
		}
	})
}

func BenchmarkFilter_Drop(b *testing.B) {
	e := event.Event{Type: "exposure", Data: []byte(`{"doLog":true,"note":"` + strings.Repeat("lorem ipsum ", 80) + `"}`)}
	page := e
	page.Type = "page"
	f := newFilter(b, filter.Options{Match: exposures, Field: "doLog", Equals: "true"})
	for name, e := range map[string]*event.Event{"matches": &e, "does not match": &page} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(e.Data)))
			b.ReportAllocs()
			for b.Loop() {
				f.Drop(e)
			}
		})
	}
}
