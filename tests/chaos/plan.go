package chaos

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Episode is one fault for a while.
type Episode struct {
	Fault Fault
	// At is when it begins, counted from the start of the load; For is how long it lasts.
	At, For time.Duration
	// Rate is the share of calls or requests that it hits.
	Rate float64
	// Sink is the one that a sink's fault is about.
	Sink string
}

func (e Episode) String() string {
	return strings.TrimSpace(fmt.Sprintf("%6s +%-6s %-16s %3.0f%% %s",
		e.At.Round(time.Millisecond), e.For.Round(time.Millisecond), e.Fault, 100*e.Rate, e.Sink)) //nolint:mnd // per cent
}

// covers says whether the episode is on at a moment.
func (e Episode) covers(at time.Duration) bool { return at >= e.At && at < e.At+e.For }

// Has says whether a fault is possible.
func (p Plan) Has(f Fault) bool {
	return slices.ContainsFunc(p.Episodes, func(e Episode) bool { return e.Fault == f })
}

// Plan is all the trouble of a run.
type Plan struct {
	Seed uint64
	Load time.Duration
	// Scheduled runs have no event-source mapping: the queue is drained as by a schedule.
	Scheduled bool
	// Dedup is how flushes recognise duplicates.
	Dedup    Dedup
	Episodes []Episode // by time
}

// Dedup is the part of the configuration that says what may come twice.
type Dedup struct {
	// Scope is "pack" or "event", of a store that all flushes share; empty means that they share none.
	Scope string
	// OnStoreFailure is "open" or "closed".
	OnStoreFailure string
}

func (d Dedup) String() string {
	if d.Scope == "" {
		return "no store"
	}
	return d.Scope + ", " + d.OnStoreFailure
}

// window is how long flushes remember: longer than a run, unless clocks jump.
func (p Plan) window() time.Duration {
	if p.Has(ClockJump) {
		return clockWindow
	}
	return time.Hour
}

const clockWindow = 30 * time.Second

const (
	scopePack, scopeEvent = "pack", "event"
	failOpen, failClosed  = "open", "closed"
)

// drawDedup draws one: of four runs, two remember packs, one events and one nothing.
func drawDedup(r *rand.Rand) Dedup {
	return Dedup{
		Scope:          []string{scopePack, scopePack, scopeEvent, ""}[r.IntN(4)],
		OnStoreFailure: []string{failOpen, failClosed}[r.IntN(2)],
	}
}

const (
	// episodeEvery is the mean time between the beginnings of two episodes.
	episodeEvery = 350 * time.Millisecond
	// minEpisode and maxEpisode bound an episode's length: from a hiccup to more than the SDK's retries last.
	minEpisode = 100 * time.Millisecond
	maxEpisode = 2500 * time.Millisecond
	// minFaults and maxFaults bound how many different faults a run has.
	minFaults = 4
	maxFaults = 8
	// scheduledOneIn so many runs is scheduled.
	scheduledOneIn = 4
)

// NewPlan decides everything from a seed. In each run only some faults of one theme are possible, because a fault that never
// rests hides others.
func NewPlan(seed uint64, load time.Duration) Plan {
	r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // repeatable, not secret
	faults := themes()[r.IntN(len(themes()))]
	r.Shuffle(len(faults), func(i, k int) { faults[i], faults[k] = faults[k], faults[i] })
	faults = faults[:min(len(faults), minFaults+r.IntN(maxFaults-minFaults+1))]
	p := Plan{Seed: seed, Load: load, Scheduled: r.IntN(scheduledOneIn) == 0}
	for range 2 + int(load/episodeEvery) {
		e := Episode{
			Fault: faults[r.IntN(len(faults))],
			At:    time.Duration(r.Float64() * float64(load)),
			For:   minEpisode + time.Duration(r.Float64()*float64(maxEpisode-minEpisode)),
			Rate:  0.2 + 0.8*r.Float64(),
			Sink:  []string{sinkOne, sinkTwo}[r.IntN(2)],
		}
		if !strings.HasPrefix(string(e.Fault), "sink-") {
			e.Sink = ""
		}
		if slices.Contains([]Fault{FailSend, FailDelete, StoreAway, StoreThrottle}, e.Fault) {
			e.Rate = 1 - (1-e.Rate)/4 //nolint:mnd // 80 to 100 %: the SDK tries three times, only a lasting failure is one
		}
		p.Episodes = append(p.Episodes, e)
	}
	p.Dedup = drawDedup(r)
	if p.Scheduled && p.Dedup.Scope == scopeEvent {
		p.Dedup.Scope = scopePack // a drain takes more events than it can claim one by one in four seconds on a busy machine
	}
	slices.SortFunc(p.Episodes, func(a, b Episode) int { return cmp.Compare(a.At, b.At) })
	return p
}

// roll is the n-th random number in [0, 1) for a purpose: the same for the same seed, whatever else happens.
func (p Plan) roll(purpose string, n uint64) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(purpose))
	return rand.New(rand.NewPCG(p.Seed^h.Sum64(), n)).Float64() //nolint:gosec // as above
}
