package dedup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/pkg/event"
)

// Scope is what is claimed and remembered.
type Scope string

// Scopes.
const (
	// ScopePack remembers whole packs for each sink: one key for all events of a pack. It
	// catches repeated requests of SDKs and repeated messages of SQS.
	ScopePack Scope = "pack"
	// ScopeEvent remembers single events for each sink: one key for each. It also catches an
	// event that comes again in other company.
	ScopeEvent Scope = "event"
)

// OnFailure is what happens to events when the store cannot be asked about them.
type OnFailure string

// Ways to fail.
const (
	// FailOpen delivers, perhaps twice.
	FailOpen OnFailure = "open"
	// FailClosed waits, perhaps long.
	FailClosed OnFailure = "closed"
)

// Switch turns a layer off.
type Switch uint8

// Positions of a Switch.
const (
	// On is the default.
	On Switch = iota
	// Off saves what the layer costs.
	Off
)

// The values that a zero field of Options stands for.
const (
	// DefaultWindow is how long a delivered event is remembered.
	DefaultWindow = time.Hour
	// DefaultLease holds claims of a flush that has no deadline.
	DefaultLease = 5 * time.Minute
	// DefaultPatience is how long one call waits for the store, and two milliseconds more for each key.
	DefaultPatience = 2 * time.Second
	// DefaultHintKeys is how many committed keys a warm environment remembers, in about
	// 200 bytes each.
	DefaultHintKeys = 10_000
)

const (
	// leaseMargin is how long a claim outlives the deadline of the flush that holds it: no
	// flush sends past its deadline, and clocks of two machines differ a little.
	leaseMargin = 10 * time.Second
	// patienceForKey is what each key adds to the patience with the store: four times what
	// DynamoDB takes for one of many, at 5 ms a call and ten at once.
	patienceForKey = 2 * time.Millisecond
	// leastKeys are claimed however little time is left.
	leastKeys = 100
	// awayPause is how long events wait that the store could not be asked about.
	awayPause = 5 * time.Second
	// shortestWait keeps a lease that is nearly over from being asked about in a hurry.
	shortestWait = time.Second
)

// Options say what a duplicate is and where it is looked for. Three layers are asked
// in turn; each can be switched off.
type Options struct {
	// Store is the layer that all environments share. It costs two small writes for each key
	// or less, see the store. Nil switches it off.
	Store Store
	// HintKeys bounds the layer of the warm environment, which saves the store call for
	// keys that this environment saw committed. It costs memory. 0 means DefaultHintKeys,
	// less switches it off.
	HintKeys int
	// WithinFlush recognises equal events in different packs of one flush, with ScopePack;
	// ScopeEvent and Rules always do. It costs about a tenth of a microsecond for each event
	// and sink.
	WithinFlush Switch
	// Scope is ScopePack unless set.
	Scope Scope
	// Rules name events whose fields count instead of their id; the first that applies does. They
	// are remembered one by one in either scope.
	Rules []Rule
	// Window is how long a delivered key is remembered. 0 means DefaultWindow.
	Window time.Duration
	// Lease is how long a crashed flush holds its claims. 0 means to the flush's deadline
	// and a little longer, or DefaultLease without a deadline. It must not end before the flush.
	Lease time.Duration
	// Patience is how long one call waits for the store, and two milliseconds more for each
	// key. 0 means DefaultPatience.
	Patience time.Duration
	// OnStoreFailure is FailOpen unless set. A store that throttles makes events
	// wait in either way, because delivering twice would not help it.
	OnStoreFailure OnFailure
}

// Deduper decides what a duplicate is; nothing else does. It is safe for concurrent
// use, and made once for an execution environment.
type Deduper struct {
	Options
	rules []rule
	hint  *hint
}

// New checks the options and returns a Deduper. The error joins all problems.
func New(o Options) (*Deduper, error) {
	d := &Deduper{Options: o}
	var problems []error
	for i, r := range o.Rules {
		parsed, err := newRule(r)
		if err != nil {
			problems = append(problems, fmt.Errorf("dedup: rules[%d]: %w", i, err))
		}
		d.rules = append(d.rules, parsed)
	}
	d.Scope = orDefault(o.Scope, ScopePack)
	d.OnStoreFailure = orDefault(o.OnStoreFailure, FailOpen)
	d.Window = orDefault(o.Window, DefaultWindow)
	d.Patience = orDefault(o.Patience, DefaultPatience)
	d.HintKeys = orDefault(o.HintKeys, DefaultHintKeys)
	d.hint = newHint(d.HintKeys)
	return d, errors.Join(append(problems, d.check())...)
}

func (d *Deduper) check() error {
	var problems []error
	if d.Scope != ScopePack && d.Scope != ScopeEvent {
		problems = append(problems, fmt.Errorf("dedup: scope is %q, known are %q and %q", d.Scope, ScopePack, ScopeEvent))
	}
	if d.OnStoreFailure != FailOpen && d.OnStoreFailure != FailClosed {
		problems = append(problems, fmt.Errorf("dedup: on store failure is %q, known are %q and %q", d.OnStoreFailure, FailOpen, FailClosed))
	}
	if d.Window < 0 || d.Lease < 0 || d.Patience < 0 {
		problems = append(problems, errors.New("dedup: window, lease and patience cannot be negative"))
	}
	return errors.Join(problems...)
}

func orDefault[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// ruleKey returns the key of an event by the first rule that applies.
func (d *Deduper) ruleKey(e *event.Event, sink string) (Key, bool) {
	for i := range d.rules {
		if key, ok := d.rules[i].key(e, sink); ok {
			return key, true
		}
	}
	return Key{}, false
}

// patient bounds one call of the store about so many keys.
func (d *Deduper) patient(ctx context.Context, keys int) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d.Patience+time.Duration(keys)*patienceForKey)
}

// affordable is how many keys are claimed one by one with so much time left: those that take
// two thirds of it from a store as slow as we are patient, so that there is time to send them.
func affordable(left time.Duration) int { return max(leastKeys, int(left*2/3/patienceForKey)) }

// lease is how long claims taken now are held.
func (d *Deduper) lease(deadline time.Time, bounded bool) time.Duration {
	switch {
	case d.Lease > 0:
		return d.Lease
	case bounded:
		return max(0, time.Until(deadline)) + leaseMargin
	}
	return DefaultLease
}
