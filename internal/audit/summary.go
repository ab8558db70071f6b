package audit

import (
	"time"

	"github.com/millrace-dev/millrace/pkg/event"
)

// Summary describes a journal as a whole.
type Summary struct {
	// Events that were accepted, repeats included; From and To are the times of the first and the last.
	Events int       `json:"events"`
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to,omitzero"`
	// Unrouted events are for no sink.
	Unrouted int `json:"unrouted"`
	// Unreadable lines begin as those of accepted events and are none, as a crash leaves them.
	Unreadable int `json:"unreadable"`
	// Removed files were gone before they could be read for every sink, because a journal keeps no more than its newest
	// gibibyte. The events in them are not compared, or not with every sink.
	Removed int `json:"removed_files"`
}

// Summarise goes through a journal. sinks returns the sinks that an event is for.
func Summarise(j *Journal, sinks func(*event.Event) []string) (Summary, error) {
	var s Summary
	var e event.Event // one for all: it escapes
	for a, err := range j.events(&s.Unreadable) {
		if err != nil {
			return Summary{}, err
		}
		s.Events++
		if s.From.IsZero() || a.Time.Before(s.From) {
			s.From = a.Time
		}
		if a.Time.After(s.To) {
			s.To = a.Time
		}
		if e = eventOf(a); len(sinks(&e)) == 0 {
			s.Unrouted++
		}
	}
	return s, nil
}
