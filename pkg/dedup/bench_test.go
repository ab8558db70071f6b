package dedup_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/memory"
	"github.com/millrace-dev/millrace/pkg/event"
)

// BenchmarkDeduper_Flush is what dedup costs a flush of 40 packs of 50 events of 1 KB in its own
// CPU time: Begin, a verdict and a note for each event, Release.
func BenchmarkDeduper_Flush(b *testing.B) {
	const packs, perPack = 40, 50
	text := strings.Repeat("x", 1000)
	events := make([]event.Event, packs*perPack)
	units := make([]dedup.Unit, len(events))
	for i := range events {
		data := fmt.Appendf(nil, `{"flag":{"key":"dark"},"subject":{"id":"u%d"},"event":%q}`, i, text)
		events[i] = event.Event{Tenant: "acme", Source: "web", ID: fmt.Sprintf("0198f2c4-7d1e-7a3b-9c55-%012d", i), Data: data}
		units[i] = dedup.Unit{Pack: i / perPack, Sink: "warehouse", Event: &events[i]}
	}
	for _, layers := range []struct {
		name string
		o    dedup.Options
	}{
		{"pack", dedup.Options{WithinFlush: dedup.Off}},
		{"pack, within the flush too", dedup.Options{}},
		{"event", dedup.Options{Scope: dedup.ScopeEvent}},
		{"rule", dedup.Options{Rules: []dedup.Rule{{Match: always, Fields: []string{"flag.key", "subject.id"}}}}},
	} {
		b.Run(layers.name, func(b *testing.B) {
			ids := make([]string, packs)
			round := 0
			b.SetBytes(int64(len(events) * len(events[0].Data)))
			b.ReportAllocs()
			for b.Loop() {
				round++
				for i := range ids {
					ids[i] = fmt.Sprintf("%032x", round*packs+i)
				}
				layers.o.Store = memory.New(nil)
				d, err := dedup.New(layers.o)
				if err != nil {
					b.Fatal(err)
				}
				p, err := d.Begin(b.Context(), ids, units)
				if err != nil {
					b.Fatal(err)
				}
				for i := range units {
					if p.Verdict(i).Action == dedup.Send {
						p.Delivered(i)
					}
				}
				if err := p.Release(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(units)), "ns/event")
		})
	}
}
