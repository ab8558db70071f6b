// Package memory holds claims and commits in the memory of one process: for tests, and
// for a flush that runs in one process only. A restart forgets everything.
package memory

import (
	"context"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/pkg/dedup"
)

// Store is a dedup.Store. It is safe for concurrent use.
type Store struct {
	now func() time.Time

	mu      sync.Mutex
	records map[dedup.Key]record
	sweepAt int // number of records at which the dead ones are looked for
	notes   map[string]note
}

var _ dedup.Store = (*Store)(nil)

// record is what is known of a key.
type record struct {
	holder    [16]byte
	content   uint64
	committed bool
	until     time.Time // end of the lease, or of the window
	forget    time.Time // end of the longest possible window
}

// firstSweep is when dead records are looked for first; from then on whenever their number
// doubled, so that it costs a constant time for each claim.
const firstSweep = 1024

// New returns an empty store. now is its clock; nil means time.Now, whose times are
// monotonic, so that setting the clock changes nothing.
func New(now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{now: now, records: make(map[dedup.Key]record), sweepAt: firstSweep, notes: make(map[string]note)}
}

// Claim implements dedup.Store. It never fails.
func (s *Store) Claim(_ context.Context, t dedup.Ticket, claims []dedup.Claim) ([]dedup.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.sweep(now)
	answers := make([]dedup.Answer, len(claims))
	for i, c := range claims {
		answers[i] = s.claim(now, t, c)
	}
	return answers, nil
}

func (s *Store) claim(now time.Time, t dedup.Ticket, c dedup.Claim) dedup.Answer {
	r, known := s.records[c.Key]
	left := r.until.Sub(now)
	switch {
	case !known || left <= 0:
		s.records[c.Key] = record{holder: t.ID, content: c.Content, until: now.Add(t.Lease), forget: now.Add(t.Lease + t.Window)}
		return dedup.Answer{State: dedup.Claimed}
	case r.committed:
		conflict := r.content != 0 && c.Content != 0 && r.content != c.Content
		return dedup.Answer{State: dedup.Committed, Conflict: conflict, Left: min(left, t.Window)}
	}
	return dedup.Answer{State: dedup.InProgress, Left: min(left, t.Lease)}
}

// Settle implements dedup.Store. It never fails.
func (s *Store) Settle(_ context.Context, t dedup.Ticket, settled dedup.Settlement) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	until := s.now().Add(t.Window)
	for i, c := range settled.Claims {
		r, known := s.records[c.Key]
		switch {
		case !known || r.holder != t.ID:
		case settled.Committed[i]:
			r.committed, r.until = true, earlier(until, r.forget)
			s.records[c.Key] = r
		case settled.Rest == dedup.Release && !r.committed:
			delete(s.records, c.Key)
		}
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Len is how many keys are held, some of which may be over.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.records)
}

// sweep removes records that are over, when there are many.
func (s *Store) sweep(now time.Time) {
	if len(s.records) < s.sweepAt {
		return
	}
	for key, r := range s.records {
		if !now.Before(r.until) {
			delete(s.records, key)
		}
	}
	s.sweepAt = max(firstSweep, 2*len(s.records))
}
