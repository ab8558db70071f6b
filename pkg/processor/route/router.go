package route

import (
	"slices"

	"github.com/millrace-dev/millrace/pkg/event"
)

// Match holds a pattern per field of an event; an empty pattern fits everything. Its
// fields are those of config.Match, so that one converts to the other.
type Match struct {
	Receiver string
	Tenant   string
	Source   string
	Type     string
	Name     string
	Kind     string
	Severity string
}

// Rule sends the events that fit to sinks. A rule without sinks drops them.
type Rule struct {
	Match Match
	To    []string
}

// Router finds the rule of an event. It is immutable and safe for concurrent use.
type Router struct {
	rules []rule
}

// rule is a Rule made ready.
type rule struct {
	Matcher

	to []string
}

// Matcher is a Match made ready: only the patterns that can fail. It is immutable and
// safe for concurrent use.
type Matcher struct{ conditions []condition }

type condition struct {
	field   func(*event.Event) string
	pattern glob
}

// New returns a router that tries rules in order. It keeps nothing of the argument.
func New(rules []Rule) *Router {
	r := &Router{rules: make([]rule, len(rules))}
	for i, given := range rules {
		// Clipped, so that a caller that appends to a result cannot reach the next event's.
		r.rules[i] = rule{Matcher: NewMatcher(given.Match), to: slices.Clip(slices.Clone(given.To))}
	}
	return r
}

// Sinks returns the names of the sinks that the event goes to, in the rule's order:
// those of the first rule that fits. It returns none when that rule has none, or when no
// rule fits. The slice is shared between calls and must not be modified.
func (r *Router) Sinks(e *event.Event) []string {
	for i := range r.rules {
		if r.rules[i].Fits(e) {
			return r.rules[i].to
		}
	}
	return nil
}

// NewMatcher makes a match ready.
func NewMatcher(m Match) Matcher { return Matcher{conditions: conditions(m)} }

// Fits says whether an event fits. It allocates nothing.
func (m *Matcher) Fits(e *event.Event) bool {
	for i := range m.conditions {
		c := &m.conditions[i]
		if !c.pattern.match(c.field(e)) {
			return false
		}
	}
	return true
}

// conditions compiles the patterns that are set, those that usually decide first.
func conditions(m Match) []condition {
	var set []condition
	add := func(pattern string, field func(*event.Event) string) {
		if pattern != "" {
			set = append(set, condition{field: field, pattern: compile(pattern)})
		}
	}
	add(m.Receiver, func(e *event.Event) string { return e.Receiver })
	add(m.Tenant, func(e *event.Event) string { return e.Tenant })
	add(m.Kind, func(e *event.Event) string { return e.Kind })
	add(m.Type, func(e *event.Event) string { return e.Type })
	add(m.Name, func(e *event.Event) string { return e.Name })
	add(m.Source, func(e *event.Event) string { return e.Source })
	add(m.Severity, func(e *event.Event) string { return e.Severity })
	return set
}
