package oracle_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/tests/chaos/oracle"
)

func key(tenant, id string) oracle.Key { return oracle.Key{Tenant: tenant, ID: id} }

// evidence of a run without any trouble: two tenants use one id, one event is for one sink only.
func evidence() *oracle.Evidence {
	both := []string{"one", "two"}
	took := func(tenant, id string) oracle.Delivery {
		return oracle.Delivery{Key: key(tenant, id), Data: `{"n":1}`}
	}
	return &oracle.Evidence{
		Events: []oracle.Event{
			{Key: key("acme", "a"), Data: `{"n":1}`, Sinks: both, Posts: 1, Accepted: true},
			{Key: key("umbra", "a"), Data: `{"n":1}`, Sinks: both, Posts: 1, Accepted: true},
			{Key: key("acme", "b"), Data: `{"n":1}`, Sinks: []string{"two"}, Posts: 1, Accepted: true},
		},
		Deliveries: map[string][]oracle.Delivery{
			"one": {took("acme", "a"), took("umbra", "a")},
			"two": {took("acme", "a"), took("umbra", "a"), took("acme", "b")},
		},
		Bound: map[string]int{"one": 0, "two": 0},
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(e *oracle.Evidence)
		want   oracle.Verdict // without the words
		says   string         // part of the only problem, empty for none
	}{
		{name: "all is well", change: func(*oracle.Evidence) {}},
		{
			name:   "an accepted event is nowhere",
			change: func(e *oracle.Evidence) { e.Deliveries["two"] = e.Deliveries["two"][:2] },
			want:   oracle.Verdict{Lost: 1}, says: "sink two: acme/b is lost",
		},
		{
			name: "the other tenant's event of the same id does not count",
			change: func(e *oracle.Evidence) {
				e.Deliveries["one"] = append(e.Deliveries["one"][:1], e.Deliveries["one"][0])
				e.Bound["one"] = 1
			},
			want: oracle.Verdict{Lost: 1, Duplicates: map[string]int{"one": 1, "two": 0}}, says: "sink one: umbra/a is lost",
		},
		{
			name: "an event that was never accepted may be missing",
			change: func(e *oracle.Evidence) {
				e.Deliveries["two"] = e.Deliveries["two"][:2]
				e.Events[2].Accepted = false
			},
		},
		{name: "or be there", change: func(e *oracle.Evidence) { e.Events[2].Accepted = false }},
		{
			name:   "one duplicate over the bound",
			change: func(e *oracle.Evidence) { e.Deliveries["one"] = append(e.Deliveries["one"], e.Deliveries["one"][0]) },
			want:   oracle.Verdict{Duplicates: map[string]int{"one": 1, "two": 0}}, says: "sink one: 1 duplicates, the bound is 0",
		},
		{
			name: "one duplicate within the bound",
			change: func(e *oracle.Evidence) {
				e.Deliveries["one"] = append(e.Deliveries["one"], e.Deliveries["one"][0])
				e.Bound["one"] = 1
			},
			want: oracle.Verdict{Duplicates: map[string]int{"one": 1, "two": 0}},
		},
		{
			name: "a client that posted twice asked for two",
			change: func(e *oracle.Evidence) {
				e.Deliveries["one"] = append(e.Deliveries["one"], e.Deliveries["one"][0])
				e.Events[0].Posts = 2
			},
		},
		{
			name:   "an event at a sink that it is not for",
			change: func(e *oracle.Evidence) { e.Deliveries["one"] = append(e.Deliveries["one"], e.Deliveries["two"][2]) },
			want:   oracle.Verdict{Invented: 1}, says: "sink one: acme/b was not sent to it",
		},
		{
			name: "an event that nobody sent",
			change: func(e *oracle.Evidence) {
				e.Deliveries["one"] = append(e.Deliveries["one"], oracle.Delivery{Key: key("acme", "z")})
			},
			want: oracle.Verdict{Invented: 1}, says: "sink one: acme/z was not sent to it",
		},
		{
			name:   "other bytes",
			change: func(e *oracle.Evidence) { e.Deliveries["one"][0].Data = `{"n": 1}` },
			want:   oracle.Verdict{Altered: 1}, says: "acme/a arrived as",
		},
		{
			name: "a dead letter that could be replayed",
			change: func(e *oracle.Evidence) {
				e.Deliveries["two"] = e.Deliveries["two"][:2]
				e.Leftovers = []oracle.Leftover{{Key: key("acme", "b"), Sink: "two", Where: "dead letter"}}
			},
			want: oracle.Verdict{Left: 1}, says: `left: acme/b for "two": dead letter`,
		},
		{
			name: "a dead letter for a person",
			change: func(e *oracle.Evidence) {
				e.Deliveries["two"] = e.Deliveries["two"][:2]
				e.Leftovers = []oracle.Leftover{{Key: key("acme", "b"), Sink: "two", Terminal: true}}
			},
		},
		{
			name: "a dead letter of another sink excuses nothing",
			change: func(e *oracle.Evidence) {
				e.Deliveries["two"] = e.Deliveries["two"][:2]
				e.Leftovers = []oracle.Leftover{{Key: key("acme", "b"), Sink: "one", Terminal: true}}
			},
			want: oracle.Verdict{Lost: 1}, says: "sink two: acme/b is lost",
		},
		{
			name: "books that agree",
			change: func(e *oracle.Evidence) {
				e.Books = map[string]oracle.Books{"one": {Delivered: 2}, "two": {Delivered: 3}}
			},
		},
		{
			name:   "books that say more than the sink",
			change: func(e *oracle.Evidence) { e.Books = map[string]oracle.Books{"one": {Delivered: 3}} },
			says:   "books of sink one: 3 delivered, the sink took 2",
		},
		{
			name:   "books that do not balance",
			change: func(e *oracle.Evidence) { e.Books = map[string]oracle.Books{"one": {Delivered: 2, InFlight: 1}} },
			says:   "books of sink one: 1 in flight",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e := evidence()
			row.change(e)
			got := oracle.Judge(e)
			if good := row.says == ""; got.Good() != good {
				t.Errorf("good is %v, want %v: %q", got.Good(), good, got.Problems)
			}
			if row.says != "" && (len(got.Problems) != 1 || !strings.Contains(got.Problems[0], row.says)) {
				t.Errorf("problems %q, want one with %q", got.Problems, row.says)
			}
			if row.want.Duplicates == nil {
				row.want.Duplicates = map[string]int{"one": 0, "two": 0}
			}
			got.Problems = nil
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJudge_ManyProblems_NamesAFew(t *testing.T) {
	t.Parallel()
	e := &oracle.Evidence{Deliveries: map[string][]oracle.Delivery{"one": {}}}
	for range 100 {
		e.Events = append(e.Events, oracle.Event{Sinks: []string{"one"}, Accepted: true})
	}
	got := oracle.Judge(e)
	if got.Lost != 100 || len(got.Problems) != 6 {
		t.Errorf("%d lost and %d problems, want 100 and 6", got.Lost, len(got.Problems))
	}
}
