package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/dedup"
)

// model is what a store does, in as few words as possible.
type model map[dedup.Key]modelled

type modelled struct {
	holder              [16]byte
	content             uint64
	committed           bool
	leased, end, forget time.Time
}

func (m model) claim(now time.Time, t dedup.Ticket, c dedup.Claim) dedup.Answer {
	r, known := m[c.Key]
	switch {
	case known && r.committed && now.Before(r.end):
		conflict := r.content != 0 && c.Content != 0 && r.content != c.Content
		return dedup.Answer{State: dedup.Committed, Conflict: conflict, Left: min(r.end.Sub(now), t.Window)}
	case known && !r.committed && now.Before(r.leased):
		return dedup.Answer{State: dedup.InProgress, Left: min(r.leased.Sub(now), t.Lease)}
	}
	m[c.Key] = modelled{holder: t.ID, content: c.Content, leased: now.Add(t.Lease), forget: now.Add(t.Lease + t.Window)}
	return dedup.Answer{State: dedup.Claimed}
}

func (m model) settle(now time.Time, t dedup.Ticket, s dedup.Settlement) {
	for i, c := range s.Claims {
		r, known := m[c.Key]
		switch {
		case !known || r.holder != t.ID:
		case s.Committed[i]:
			if r.end = now.Add(t.Window); r.end.After(r.forget) {
				r.end = r.forget
			}
			r.committed = true
			m[c.Key] = r
		case s.Rest == dedup.Release:
			delete(m, c.Key)
		}
	}
}

// working is a ticket in use.
type working struct {
	ticket    dedup.Ticket
	claims    []dedup.Claim
	committed []bool
}

// RunModel lets tickets claim and settle in any order, at any time, and compares each answer with that of a
// simple model. It makes some thousand calls.
func RunModel(t *testing.T, open Open) {
	t.Helper()
	clock := NewClock()
	store := open(t, clock.Now)
	rapid.Check(t, func(r *rapid.T) {
		keys, m := Claims(4), make(model)
		var tickets []*working
		r.Repeat(map[string]func(*rapid.T){
			"claim": func(r *rapid.T) {
				w := &working{ticket: Ticket()}
				for _, c := range keys {
					if rapid.Bool().Draw(r, "wanted") {
						c.Content = uint64(rapid.IntRange(0, 2).Draw(r, "content"))
						w.claims = append(w.claims, c)
					}
				}
				want := make([]dedup.Answer, len(w.claims))
				for i, c := range w.claims {
					want[i] = m.claim(clock.Now(), w.ticket, c)
				}
				got, err := store.Claim(t.Context(), w.ticket, w.claims)
				if err != nil {
					r.Fatalf("Claim: %v", err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					r.Fatalf("answers (-want +got):\n%s", diff)
				}
				w.committed = make([]bool, len(w.claims))
				tickets = append(tickets, w)
			},
			"settle": func(r *rapid.T) {
				if len(tickets) == 0 {
					return
				}
				at := rapid.IntRange(0, len(tickets)-1).Draw(r, "ticket")
				w := tickets[at]
				for i := range w.committed {
					w.committed[i] = w.committed[i] || rapid.Bool().Draw(r, "delivered")
				}
				s := dedup.Settlement{
					Claims: w.claims, Committed: w.committed,
					Rest: rapid.SampledFrom([]dedup.Rest{dedup.Hold, dedup.Release}).Draw(r, "rest"),
				}
				m.settle(clock.Now(), w.ticket, s)
				if err := store.Settle(t.Context(), w.ticket, s); err != nil {
					r.Fatalf("Settle: %v", err)
				}
				if s.Rest == dedup.Release {
					tickets = append(tickets[:at], tickets[at+1:]...)
				}
			},
			"wait": func(r *rapid.T) {
				clock.Turn(rapid.SampledFrom([]time.Duration{time.Second, Lease, Window}).Draw(r, "time"))
			},
		})
	})
}
