package demosink

import "maps"

// Stats are a sink's counts at one moment.
type Stats struct {
	// Requests that carried events, or tried to.
	Requests int `json:"requests"`
	// Failed requests: answered with 300 or above, or not at all.
	Failed int `json:"failed"`
	// Events that were taken, repeats included.
	Events int `json:"events"`
	// Unique ids among them.
	Unique int `json:"unique"`
	// Duplicates are events whose id was taken before.
	Duplicates int `json:"duplicates"`
	// Unnamed events had no id to count by.
	Unnamed int `json:"unnamed"`
	// Behaviour of this moment.
	Behaviour Behaviour `json:"behaviour"`
	// IDs tells how often each id was taken; nil where it was not asked for.
	IDs map[string]int `json:"ids,omitzero"`
}

// books hold the counts. The sink's lock guards them.
type books struct {
	stats Stats
	ids   map[string]int
}

func newBooks() books { return books{ids: make(map[string]int)} }

func (b *books) enter(a Arrival) {
	b.stats.Requests++
	if a.Status == 0 || a.Status >= 300 {
		b.stats.Failed++
	}
	for _, record := range a.Records[:a.Taken] {
		b.stats.Events++
		switch {
		case record.ID == "":
			b.stats.Unnamed++
			continue
		case b.ids[record.ID] > 0:
			b.stats.Duplicates++
		}
		b.ids[record.ID]++
	}
}

// Stats returns the counts without the ids.
func (s *Sink) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.books.stats
	stats.Unique = len(s.books.ids)
	stats.Behaviour = s.behaviour
	return stats
}

// Counts returns how often each id was taken.
func (s *Sink) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.books.ids)
}

// Forget starts the counts over.
func (s *Sink) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.books = newBooks()
}
