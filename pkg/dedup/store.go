package dedup

import (
	"context"
	"crypto/rand"
	"errors"
	"time"
)

// Store remembers which keys are claimed and which are committed. Implementations are
// safe for concurrent use, and pass storetest.Run.
//
// A key is in one of three states. It changes only as follows; "holder" is the ticket
// that claimed it last:
//
//	state      Claim by another ticket           Settle by the holder
//	free       claimed, answer Claimed           -
//	claimed    lease running: InProgress         committed, free, or claimed as before
//	           lease over: claimed, Claimed
//	committed  window running: Committed         committed, the window starts again
//	           window over: claimed, Claimed
//
// Settle by a ticket that does not hold the key (any more) leaves it alone: once a
// lease is over and somebody took the key up, the new holder decides.
type Store interface {
	// Claim asks for keys, which are distinct, under a ticket that was not used before.
	// It answers each claim, in order. When the store could not be asked about some, their
	// answers are Unknown and the error says why: ErrBusy when the store throttles, else
	// that it cannot be reached. Asking again about an Unknown claim is not allowed under
	// the same ticket, settling it is.
	Claim(ctx context.Context, t Ticket, claims []Claim) ([]Answer, error)
	// Settle says what became of the claims of a ticket. It may be called often, each time
	// with all claims of the ticket in the order of Claim, and those committed before
	// committed again; the call that releases the rest is the last.
	Settle(ctx context.Context, t Ticket, s Settlement) error
}

// Claim asks for one key.
type Claim struct {
	Key Key
	// Content is a checksum of what stands behind the key, to notice that one id came with
	// two contents. Zero is never compared.
	Content uint64
}

// Ticket is under what name, and for how long, claims are held.
type Ticket struct {
	// ID is drawn for each flush, and never used again.
	ID [16]byte
	// Lease is how long a claim is held when nobody settles it.
	Lease time.Duration
	// Window is how long committed keys are remembered after the last Settle of the ticket, but
	// not longer than Lease + Window after their Claim.
	Window time.Duration
}

// NewTicket draws a ticket.
func NewTicket(lease, window time.Duration) Ticket {
	t := Ticket{Lease: lease, Window: window}
	_, _ = rand.Read(t.ID[:]) // never fails
	return t
}

// State is what a store says of a claim.
type State uint8

// States of a claim.
const (
	// Unknown: the store could not be asked.
	Unknown State = iota
	// Claimed: ours until the lease is over.
	Claimed
	// Committed: delivered before, within the window.
	Committed
	// InProgress: claimed under another ticket, whose lease is not over.
	InProgress
)

func (s State) String() string {
	return [...]string{"unknown", "claimed", "committed", "in progress"}[s]
}

// Answer is what a store says of one claim.
type Answer struct {
	State State
	// Conflict says, of a Committed key, that it was committed with another content.
	Conflict bool
	// Left is how long the state will last if nothing happens: the rest of the lease of a
	// claim InProgress, at most Ticket.Lease, or of the window of a Committed key, at most
	// Ticket.Window. A clock that is wrong by an hour holds nobody up for longer at a time.
	Left time.Duration
}

// Settlement is what became of the claims of a ticket.
type Settlement struct {
	// Claims are those of the ticket, in the order in which they were claimed.
	Claims []Claim
	// Committed has an element for each claim: whether it is delivered.
	Committed []bool
	// Rest is what happens to the claims that are not.
	Rest Rest
}

// Rest is what happens to claims that are not committed.
type Rest uint8

const (
	// Hold keeps them until their lease is over.
	Hold Rest = iota
	// Release sets them free, and ends the ticket.
	Release
)

// ErrBusy says that a store takes no more at the moment: what it was asked about should
// wait a little, because asking at once would make matters worse.
var ErrBusy = errors.New("dedup store is throttling")
