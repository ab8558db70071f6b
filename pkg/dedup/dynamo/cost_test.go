package dynamo_test

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/dynamodb"
	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo"
	"github.com/millrace-dev/millrace/pkg/event"
)

// List prices of DynamoDB on demand in dollars, us-east-1, since November 2024. Source:
// https://aws.amazon.com/dynamodb/pricing/on-demand/
const (
	writeUnit = 0.625e-6 // up to 1 KB
	readUnit  = 0.125e-6 // up to 4 KB, consistent
)

// What docs/cost.md says: a flush of packs of 50 events makes one write for each pack and one for
// all of them. So the bound of $0.02 holds from two packs on; a flush of one pack makes the two
// writes without which a claim and a commit would not be durable, each at its time.
func TestStore_Cost_PerMillionEvents(t *testing.T) {
	t.Parallel()
	const perPack = 50
	tests := []struct {
		name        string
		scope       dedup.Scope
		perFlush    int
		repeated    bool
		calls       map[string]int
		mostDollars float64
	}{
		{"new packs", dedup.ScopePack, 2000, false, map[string]int{"PutItem": 41}, 0.02},
		{"two new packs", dedup.ScopePack, 100, false, map[string]int{"PutItem": 3}, 0.02},
		{"one new pack", dedup.ScopePack, 50, false, map[string]int{"PutItem": 2}, 0.025},
		{"packs that were delivered", dedup.ScopePack, 2000, true, map[string]int{"PutItem": 40, "BatchGetItem": 1}, 0.02},
		{"one pack that was delivered", dedup.ScopePack, 50, true, map[string]int{"PutItem": 1, "BatchGetItem": 1}, 0.02},
		{"new events", dedup.ScopeEvent, 2000, false, map[string]int{"PutItem": 2001}, 0.63},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			calls := make(map[string]int)
			client, _ := serve(t, "", &dynamodb.Faults{Intercept: func(op string, _ []byte) error {
				mu.Lock()
				defer mu.Unlock()
				calls[op]++
				return nil
			}})
			store := dynamo.New(dynamo.Options{Client: client, Table: table})
			if tt.repeated {
				flushOnce(t, store, tt.scope, tt.perFlush, perPack)
				clear(calls)
			}
			flushOnce(t, store, tt.scope, tt.perFlush, perPack)
			if diff := cmp.Diff(tt.calls, maps.Clone(calls)); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			// All claims of a repeated flush have one settlement to be read.
			dollars := (float64(calls["PutItem"])*writeUnit + float64(calls["BatchGetItem"])*readUnit) * 1e6 / float64(tt.perFlush)
			t.Logf("$%.4f for a million events", dollars)
			if dollars > tt.mostDollars {
				t.Errorf("a million events cost $%.4f, want at most $%.3f", dollars, tt.mostDollars)
			}
		})
	}
}

// flushOnce delivers events in packs, in a new environment.
func flushOnce(t *testing.T, store dedup.Store, scope dedup.Scope, events, perPack int) {
	t.Helper()
	d, err := dedup.New(dedup.Options{Store: store, Scope: scope, Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	var packs []string
	units := make([]dedup.Unit, events)
	for i := range units {
		if i%perPack == 0 {
			packs = append(packs, fmt.Sprint("pack ", i/perPack))
		}
		e := event.Event{Tenant: "acme", Source: "web", ID: fmt.Sprint(i)}
		units[i] = dedup.Unit{Pack: len(packs) - 1, Sink: "warehouse", Event: &e}
	}
	p, err := d.Begin(t.Context(), packs, units)
	if err != nil {
		t.Fatal(err)
	}
	for i := range units {
		if p.Verdict(i).Action == dedup.Send {
			p.Delivered(i)
		}
	}
	if err := p.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}
