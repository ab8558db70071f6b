package dedup

import (
	"errors"
	"fmt"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/event/field"
)

// Rule says that events are the same when some of their fields are, whatever their ids.
type Rule struct {
	// Match says which events the rule is for. Required.
	Match func(*event.Event) bool
	// Fields are paths into the event's data, see package field. Between 1 and MaxFields.
	//
	// A field that is missing or null counts as the empty text, which is a legal value.
	// When all are missing, the rule does not apply to the event and its id counts.
	Fields []string
}

// MaxFields is the most fields of a rule.
const MaxFields = 16

// rule is a Rule with its paths taken apart.
type rule struct {
	match func(*event.Event) bool
	paths field.Paths
}

var (
	errNoMatch = errors.New("rule has no Match")
	errFields  = fmt.Errorf("a rule has between 1 and %d fields", MaxFields)
)

func newRule(r Rule) (rule, error) {
	switch {
	case r.Match == nil:
		return rule{}, errNoMatch
	case len(r.Fields) == 0 || len(r.Fields) > MaxFields:
		return rule{}, errFields
	}
	paths, err := field.ParseAll(r.Fields...)
	return rule{match: r.Match, paths: paths}, err
}

// key returns the event's key by the rule; false when the rule does not apply.
func (r *rule) key(e *event.Event, sink string) (Key, bool) {
	if !r.match(e) {
		return Key{}, false
	}
	values, found, err := r.paths.Read(e.Data)
	if err != nil || found == 0 {
		return Key{}, false
	}
	texts := append(make([]string, 0, 5+2*len(r.paths)), fieldsKey, e.Tenant, sink, e.Source, e.Type)
	for i, value := range values {
		texts = append(texts, r.paths[i].String(), string(value))
	}
	return hashKey(texts...), true
}
