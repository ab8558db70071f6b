package chaos

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/tests/chaos/oracle"
)

// Options say what to run.
type Options struct {
	Plan Plan
	// Dist holds the built functions, as Dist/NAME/bootstrap.
	Dist string
	// Dir takes the configuration and the logs.
	Dir string
	// Patience bounds the time after the load in which everything must come to its end. 0 means DefaultPatience.
	Patience time.Duration
}

// DefaultPatience is far more than the drain takes.
const DefaultPatience = 90 * time.Second

// Report is what a run did, and the verdict.
type Report struct {
	Plan    Plan
	Events  int // sent
	Posts   int // with repeats
	Hits    map[Fault]int
	Risks   map[risk]int
	Bound   map[string]int
	Took    time.Duration
	Verdict oracle.Verdict
}

// Run runs a plan and judges it. An error means that there is nothing to be judged.
func Run(ctx context.Context, o Options) (*Report, error) {
	begin := time.Now()
	if o.Patience == 0 {
		o.Patience = DefaultPatience
	}
	if o.Plan.Has(ClockJump) {
		o.Patience *= 3 // leases look longer than they are
	}
	weather := newWeather(o.Plan)
	world, err := startWorld(ctx, setup{dist: o.Dist, dir: o.Dir}, weather)
	if err != nil {
		return nil, fmt.Errorf("chaos: %w", err)
	}
	defer world.close()
	if o.Plan.Scheduled {
		_ = world.server.Mappings()[0].Stop(ctx) // nothing was taken yet
	}
	sent := &load{}
	if err := world.storm(ctx, o, sent); err != nil {
		return nil, err
	}
	evidence, err := world.evidence(sent, BoundOf(o.Plan))
	if err != nil {
		return nil, err
	}
	if n := refused(evidence.Events); n > 0 {
		return nil, fmt.Errorf("chaos: %d of %d events were never accepted, not even in fair weather", n, len(evidence.Events))
	}
	report := &Report{
		Plan: o.Plan, Events: len(evidence.Events), Posts: sent.posts, Bound: evidence.Bound,
		Took: time.Since(begin), Verdict: oracle.Judge(evidence),
	}
	report.Hits, report.Risks, _ = weather.tally()
	return report, nil
}

// refused counts events that no post got a place for.
func refused(events []oracle.Event) int {
	n := 0
	for i := range events {
		if !events[i].Accepted {
			n++
		}
	}
	return n
}

// storm runs clients and attacks for the time of the load, and then lets everything come to rest.
func (w *world) storm(ctx context.Context, o Options, sent *load) error {
	patient, cancel := context.WithTimeout(ctx, o.Plan.Load+o.Patience)
	defer cancel()
	loading := make(chan struct{})
	var group sync.WaitGroup
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for number := range clients {
		c := &client{
			load: sent, api: w.server.APIURL, number: number, http: &http.Client{Transport: transport},
			random: rand.New(rand.NewPCG(o.Plan.Seed, uint64(number)+1)), //nolint:gosec // repeatable, not secret
		}
		group.Go(func() { c.run(patient, loading) })
	}
	if o.Plan.Scheduled {
		ending, stop := context.WithTimeout(patient, o.Plan.Load)
		defer stop()
		group.Go(func() { w.schedule(ending) })
	}
	w.weather.start()
	w.attacks(patient, o.Plan, &group)
	close(loading)
	w.weather.end()
	group.Wait()
	w.drain(patient)
	return ctx.Err()
}

// attacks carries out each episode at its time and returns at the end of the load.
func (w *world) attacks(ctx context.Context, p Plan, group *sync.WaitGroup) {
	begin := time.Now()
	for i, e := range p.Episodes {
		if !until(ctx, begin.Add(e.At)) {
			return
		}
		r := rand.New(rand.NewPCG(p.Seed, uint64(1000+i))) //nolint:gosec,mnd // as above; beyond the clients' numbers
		group.Go(func() { w.attack(ctx, e, r) })
	}
	until(ctx, begin.Add(p.Load))
}

// until waits for a moment and says whether it came before ctx's end.
func until(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *world) evidence(sent *load, bound Bound) (*oracle.Evidence, error) {
	w.rest()
	left, err := w.leftovers()
	if err != nil {
		return nil, err
	}
	w.weather.risked(riskFlush, int(w.cutOff.Load()))
	_, risks, exposed := w.weather.tally()
	e := &oracle.Evidence{
		Events: sent.evidence(bound), Leftovers: left,
		Deliveries: make(map[string][]oracle.Delivery), Bound: make(map[string]int),
	}
	for name, sink := range w.sinks {
		e.Deliveries[name] = sink.deliveries()
		e.Bound[name] = bound.events(risks, exposed[name])
	}
	if len(risks) == 0 && exposed[sinkOne]+exposed[sinkTwo] == 0 {
		e.Books = w.books()
	}
	return e, nil
}

// books are the product's own counts.
func (w *world) books() map[string]oracle.Books {
	books := make(map[string]oracle.Books)
	entries := w.totals.Entries()
	inFlight := ledger.Balance(entries)
	for name := range w.sinks {
		b := oracle.Books{InFlight: inFlight[name]}
		for _, entry := range entries {
			if entry.Counter == ledger.Delivered && entry.Sink == name {
				b.Delivered += entry.Count
			}
		}
		books[name] = b
	}
	return books
}

// Good says that nothing is wrong.
func (r *Report) Good() bool { return r.Verdict.Good() }

// Kills counts the processes that were killed.
func (r *Report) Kills() int {
	return r.Hits[KillIngest] + r.Hits[KillFlush] + r.Hits[KillReplay] + r.Hits[FreezeFlush]
}

// Struck counts what all faults hit.
func (r *Report) Struck() int {
	n := 0
	for _, hits := range r.Hits {
		n += hits
	}
	return n
}

// Duplicates counts those at all sinks.
func (r *Report) Duplicates() int {
	n := 0
	for _, duplicates := range r.Verdict.Duplicates {
		n += duplicates
	}
	return n
}

// String is one line.
func (r *Report) String() string {
	return fmt.Sprintf("seed %d (%s): %d events in %d posts, %d faults, %d kills, lost %d, duplicates %v of at most %v, in %s",
		r.Plan.Seed, r.Plan.Dedup, r.Events, r.Posts, r.Struck(), r.Kills(), r.Verdict.Lost, r.Verdict.Duplicates, r.Bound, r.Took.Round(time.Millisecond))
}

// Details are the plan, what the faults hit and what is wrong, a line each.
func (r *Report) Details() string {
	var b strings.Builder
	for _, e := range r.Plan.Episodes {
		fmt.Fprintf(&b, "  %v\n", e)
	}
	for _, f := range slices.Sorted(maps.Keys(r.Hits)) {
		fmt.Fprintf(&b, "  %-16s hit %d\n", f, r.Hits[f])
	}
	for _, k := range slices.Sorted(maps.Keys(r.Risks)) {
		fmt.Fprintf(&b, "  %-20s %d\n", k, r.Risks[k])
	}
	for _, p := range r.Verdict.Problems {
		fmt.Fprintf(&b, "  PROBLEM %s\n", p)
	}
	return b.String()
}
