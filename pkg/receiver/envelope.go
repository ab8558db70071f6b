package receiver

import "github.com/go-json-experiment/json/jsontext"

// Envelope says how a request object carries a list of events.
type Envelope struct {
	// Fields are members of the object itself.
	Fields Fields
	// List is the member that holds the events.
	List string
	// ItemFields are members of each event.
	ItemFields Fields
}

// Envelope reads an object that carries a list of events beside other members, in any
// order. The members go into values, the items to take. Without a list member found
// is false, and object is all that was read.
func (s *Scanner) Envelope(e *Envelope, values []jsontext.Value, take func(*Item)) (object jsontext.Value, found bool, err error) {
	clear(values)
	s.Kind()
	start := s.at
	if !s.accept('{') {
		return nil, false, s.expected("{")
	}
	seen := make(map[string]struct{}, len(e.Fields))
	for more := !s.accept('}'); more; {
		name, err := s.name(seen)
		if err != nil {
			return nil, found, err
		}
		if name == e.List && s.Kind() == '[' {
			found = true
			err = s.Array(e.ItemFields, take)
		} else {
			err = s.member(e.Fields, name, values)
		}
		if err != nil {
			return nil, found, err
		}
		if more = s.accept(','); !more && !s.accept('}') {
			return nil, found, s.expected(", or }")
		}
	}
	return s.body[start:s.at:s.at], found, nil
}

// name reads a member name and its colon.
func (s *Scanner) name(seen map[string]struct{}) (string, error) {
	if s.Kind() != '"' {
		return "", s.expected("a member name")
	}
	at := s.at
	value, err := s.Value()
	if err != nil {
		return "", err
	}
	name, _ := Text(value)
	if _, known := seen[name]; known {
		return "", Malformed("duplicate object member name %q at byte %d", Excerpt(name), at)
	}
	seen[name] = struct{}{}
	if !s.accept(':') {
		return "", s.expected(":")
	}
	return name, nil
}

// member reads the value of a member.
func (s *Scanner) member(fields Fields, name string, values []jsontext.Value) error {
	value, err := s.Value()
	if err != nil {
		return err
	}
	for i, field := range fields {
		if field == name {
			values[i] = value
		}
	}
	return nil
}
