package dedup

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/event"
)

// Rule says that events are the same when some of their fields are, whatever their ids.
type Rule struct {
	// Match says which events the rule is for. Required.
	Match func(*event.Event) bool
	// Fields are paths into the event's data: names joined by dots ("flag.key"), or a JSON
	// Pointer where a name contains a dot ("/flag.key"). Between 1 and MaxFields.
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
	names []string
	paths [][]string
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
	parsed := rule{match: r.Match, names: r.Fields}
	for _, field := range r.Fields {
		path, err := parsePath(field)
		if err != nil {
			return rule{}, err
		}
		parsed.paths = append(parsed.paths, path)
	}
	return parsed, nil
}

func parsePath(field string) ([]string, error) {
	var path []string
	if strings.HasPrefix(field, "/") {
		pointer := jsontext.Pointer(field)
		if !pointer.IsValid() {
			return nil, fmt.Errorf("field %q is no JSON Pointer", field)
		}
		for name := range pointer.Tokens() {
			path = append(path, name)
		}
		return path, nil
	}
	path = strings.Split(field, ".")
	if slices.Contains(path, "") {
		return nil, fmt.Errorf("field %q has an empty name in it", field)
	}
	return path, nil
}

// key returns the event's key by the rule; false when the rule does not apply.
func (r *rule) key(e *event.Event, sink string) (Key, bool) {
	if !r.match(e) {
		return Key{}, false
	}
	s := search{values: make([]string, len(r.paths)), decoder: jsontext.NewDecoder(bytes.NewReader(e.Data))}
	all := make([]int, len(r.paths))
	for i := range all {
		all[i] = i
	}
	if err := s.descend(r.paths, all, 0); err != nil || s.found == 0 {
		return Key{}, false
	}
	texts := append(make([]string, 0, 5+2*len(r.paths)), fieldsKey, e.Tenant, sink, e.Source, e.Type)
	for i, value := range s.values {
		texts = append(texts, r.names[i], value)
	}
	return hashKey(texts...), true
}

// search is one pass over an event's data that picks up the values of paths.
type search struct {
	decoder *jsontext.Decoder
	values  []string
	found   int
}

// descend reads the value at hand, an object, for those paths whose first depth names
// led here. It goes no deeper than the paths do.
func (s *search) descend(paths [][]string, open []int, depth int) error {
	if s.decoder.PeekKind() != '{' {
		return s.decoder.SkipValue()
	}
	if _, err := s.decoder.ReadToken(); err != nil {
		return err
	}
	for s.decoder.PeekKind() != '}' {
		token, err := s.decoder.ReadToken()
		if err != nil {
			return err
		}
		if err := s.member(paths, open, depth, token.String()); err != nil {
			return err
		}
	}
	_, err := s.decoder.ReadToken()
	return err
}

// member reads one member: it is the end of a path, a step of some, or skipped. A path
// that ends where another goes on wins.
func (s *search) member(paths [][]string, open []int, depth int, name string) error {
	var ends, further []int
	for _, i := range open {
		switch {
		case paths[i][depth] != name:
		case len(paths[i]) == depth+1:
			ends = append(ends, i)
		default:
			further = append(further, i)
		}
	}
	if len(ends) > 0 {
		return s.take(ends)
	}
	if len(further) > 0 {
		return s.descend(paths, further, depth+1)
	}
	return s.decoder.SkipValue()
}

// take reads the value that some paths lead to. A text counts by what it says, so an
// escape does not make it another; everything else by its bytes, with its kind before
// it, so that 1 is not "1".
func (s *search) take(ends []int) error {
	value, err := s.decoder.ReadValue()
	if err != nil {
		return err
	}
	text := ""
	switch value.Kind() {
	case 'n': // null is as good as missing
		return nil
	case '"':
		unquoted, err := jsontext.AppendUnquote(nil, value)
		if err != nil {
			return err
		}
		if len(unquoted) > 0 {
			text = "\"" + string(unquoted)
		}
	default:
		text = string(value)
	}
	for _, i := range ends {
		s.values[i] = text
		s.found++
	}
	return nil
}
