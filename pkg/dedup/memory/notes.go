package memory

import (
	"context"
	"slices"
	"time"
)

// note is a text that is there for a time.
type note struct {
	text  []byte
	until time.Time
}

// WriteNote leaves a text that can be read under a name for a time. It never fails.
func (s *Store) WriteNote(_ context.Context, name string, text []byte, keep time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes[name] = note{text: slices.Clone(text), until: s.now().Add(keep)}
	return nil
}

// AddNote leaves a text as WriteNote does, unless one is there. It never fails.
func (s *Store) AddNote(_ context.Context, name string, text []byte, keep time.Duration) (added bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, known := s.notes[name]; known && s.now().Before(n.until) {
		return false, nil
	}
	s.notes[name] = note{text: slices.Clone(text), until: s.now().Add(keep)}
	return true, nil
}

// ReadNotes returns the texts that are there for some names. It never fails.
func (s *Store) ReadNotes(_ context.Context, names ...string) (map[string][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := make(map[string][]byte, len(names))
	for _, name := range names {
		if n, known := s.notes[name]; known && s.now().Before(n.until) {
			found[name] = slices.Clone(n.text)
		}
	}
	return found, nil
}
