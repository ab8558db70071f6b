package route_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/processor/route"
)

func TestRouter_Sinks_FirstMatchWins(t *testing.T) {
	t.Parallel()
	router := route.New([]route.Rule{
		{Match: route.Match{Receiver: "posthog", Type: "payment.*"}, To: []string{"warehouse", "archive"}},
		{Match: route.Match{Kind: "log", Severity: "debug"}, To: []string{}},
		{Match: route.Match{Tenant: "acme"}, To: []string{"acme"}},
		{Match: route.Match{Source: "web", Name: "Signed*"}, To: []string{"signups"}},
		{To: []string{"rest"}},
	})
	for _, row := range []struct {
		name  string
		event event.Event
		want  []string
	}{
		{"every field fits", event.Event{Receiver: "posthog", Type: "payment.done", Tenant: "acme"}, []string{"warehouse", "archive"}},
		{"one field does not fit", event.Event{Receiver: "generic", Type: "payment.done", Tenant: "acme"}, []string{"acme"}},
		{"a rule without sinks ends the search", event.Event{Kind: "log", Severity: "debug", Tenant: "acme"}, nil},
		{"source and name", event.Event{Source: "web", Name: "Signed Up"}, []string{"signups"}},
		{"nothing else fits", event.Event{Tenant: "other"}, []string{"rest"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := router.Sinks(&row.event)
			if len(got) == 0 && len(row.want) == 0 {
				return
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("Sinks(%+v) (-want +got):\n%s", row.event, diff)
			}
		})
	}
}

func TestRouter_Sinks_WithoutRule_IsEmpty(t *testing.T) {
	t.Parallel()
	if got := route.New(nil).Sinks(&event.Event{}); len(got) != 0 {
		t.Errorf("Sinks = %v, want none", got)
	}
}

func TestRouter_Sinks_KeepsNothingOfItsRules(t *testing.T) {
	t.Parallel()
	rules := []route.Rule{{To: []string{"a", "b"}}}
	router := route.New(rules)
	rules[0].To[0] = "changed"
	_ = append(router.Sinks(&event.Event{}), "c")
	if diff := cmp.Diff([]string{"a", "b"}, router.Sinks(&event.Event{})); diff != "" {
		t.Errorf("Sinks (-want +got):\n%s", diff)
	}
}

// A model that is as plain as can be: exact texts only, one rule after the other.
func TestRouter_Sinks_AgreesWithModel(t *testing.T) {
	t.Parallel()
	word := rapid.SampledFrom([]string{"", "a", "b"})
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) route.Rule {
			return route.Rule{
				Match: route.Match{Receiver: word.Draw(t, "r"), Tenant: word.Draw(t, "t"), Kind: word.Draw(t, "k")},
				To:    []string{fmt.Sprint(rapid.Int().Draw(t, "to"))},
			}
		}), 0, 6).Draw(t, "rules")
		e := event.Event{Receiver: word.Draw(t, "receiver"), Tenant: word.Draw(t, "tenant"), Kind: word.Draw(t, "kind")}
		fits := func(pattern, text string) bool { return pattern == "" || pattern == text }
		var want []string
		if i := slices.IndexFunc(rules, func(r route.Rule) bool {
			return fits(r.Match.Receiver, e.Receiver) && fits(r.Match.Tenant, e.Tenant) && fits(r.Match.Kind, e.Kind)
		}); i >= 0 {
			want = rules[i].To
		}
		if got := route.New(rules).Sinks(&e); !slices.Equal(got, want) {
			t.Errorf("Sinks(%+v) = %v, want %v for rules %+v", e, got, want, rules)
		}
	})
}

//nolint:paralleltest // AllocsPerRun counts the allocations of the whole process
func TestRouter_Sinks_AllocatesNothing(t *testing.T) {
	router, e := benchmarkRouter(), benchmarkEvent()
	if allocations := testing.AllocsPerRun(100, func() { router.Sinks(&e) }); allocations != 0 {
		t.Errorf("Sinks allocates %v times, want 0", allocations)
	}
}

func BenchmarkRouter_Sinks(b *testing.B) {
	router, e := benchmarkRouter(), benchmarkEvent()
	b.ReportAllocs()
	for b.Loop() {
		router.Sinks(&e)
	}
}

// benchmarkRouter has the routes of a busy installation; the event fits the last only.
func benchmarkRouter() *route.Router {
	var rules []route.Rule
	for i := range 8 {
		rules = append(rules, route.Rule{
			Match: route.Match{Receiver: "posthog", Type: fmt.Sprintf("family%d.*.failed", i)},
			To:    []string{"warehouse"},
		})
	}
	return route.New(append(rules, route.Rule{To: []string{"warehouse", "archive"}}))
}

func benchmarkEvent() event.Event {
	return event.Event{Receiver: "posthog", Tenant: "acme", Type: "checkout_started", Source: "web", Kind: "event"}
}
