package chaos

import (
	"maps"
	"sync"
	"time"
)

// weather says which faults are on, and counts what they hit.
type weather struct {
	plan Plan

	mu    sync.Mutex
	begin time.Time // zero before the load
	calm  bool      // the faults are over
	rolls map[string]uint64
	hits  map[Fault]int
	risks map[risk]int
	// doubts are the failures that were counted once and are not counted again.
	doubts map[asked]bool
	// exposed counts, by sink, the events that it took without its answer being sure to arrive.
	exposed map[string]int
}

func newWeather(p Plan) *weather {
	return &weather{
		plan: p, rolls: make(map[string]uint64), hits: make(map[Fault]int), risks: make(map[risk]int),
		doubts: make(map[asked]bool), exposed: make(map[string]int),
	}
}

func (w *weather) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begin = time.Now()
}

func (w *weather) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calm = true
}

func (w *weather) isCalm() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calm
}

// strikes says whether a fault hits this call, at a sink or, where sink is empty, anywhere.
func (w *weather) strikes(f Fault, sink string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begin.IsZero() || w.calm {
		return false
	}
	at := time.Since(w.begin)
	for _, e := range w.plan.Episodes {
		if e.Fault != f || e.Sink != sink || !e.covers(at) {
			continue
		}
		purpose := string(f) + sink
		w.rolls[purpose]++
		if w.plan.roll(purpose, w.rolls[purpose]) < e.Rate {
			w.hits[f]++
			return true
		}
	}
	return false
}

// count returns how often a purpose was rolled for, this time included.
func (w *weather) count(purpose string) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rolls[purpose]++
	return w.rolls[purpose]
}

// hit counts a fault that was not decided by strikes.
func (w *weather) hit(f Fault, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hits[f] += n
}

// risked notes that something may be repeated because of a fault; no risk is none.
func (w *weather) risked(r risk, n int) {
	if r == "" || n == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.risks[r] += n
}

// expose notes events whose sender may not learn that a sink took them.
func (w *weather) expose(sink string, events int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.exposed[sink] += events
}

func (w *weather) tally() (hits map[Fault]int, risks map[risk]int, exposed map[string]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.hits), maps.Clone(w.risks), maps.Clone(w.exposed)
}
