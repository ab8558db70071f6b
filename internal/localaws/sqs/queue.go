package sqs

import (
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

// queue is the state of one queue: what it holds and in which order, without lock, clock or timers. Its few
// changing verbs (put, receive, giveBack, drop, reschedule, purge) record each change in the journal; everything else
// derives from them.
type queue struct {
	// journal is nil for a queue that lives in memory only.
	journal *journal.Journal
	name    string
	arn     string
	// id goes into receipt handles, so that a handle of another queue is recognised.
	id       uint64
	created  time.Time
	modified time.Time
	settings settings
	tags     map[string]string

	lastNumber uint64
	// agenda holds every message by its next due time: the end of its delay or visibility timeout, or its expiry.
	agenda   heap[*record]
	arrivals chain[*record]
	// known holds the messages that were ever received from this queue, by number: those that handles can name.
	known                      map[uint64]*record
	fair                       fairShare
	visible, inFlight, delayed int
}

func newQueue(name, arn string, id uint64, now time.Time) *queue {
	q := &queue{name: name, arn: arn, id: id, created: now, modified: now, tags: map[string]string{}}
	q.purge()
	return q
}

// purge forgets all messages.
func (q *queue) purge() {
	q.agenda = heap[*record]{}
	q.arrivals = chain[*record]{name: arrivalChain}
	q.known = make(map[uint64]*record)
	q.fair = newFairShare()
	q.visible, q.inFlight, q.delayed = 0, 0, 0
	q.journal.DeletePrefix(q.messageKey(nil))
}

// put takes in a new record and hides it for delay first.
func (q *queue) put(now time.Time, r *record, delay time.Duration) {
	q.lastNumber++
	r.number = q.lastNumber
	r.Arrived = now.UnixNano()
	if delay > 0 {
		r.Until = now.Add(delay).UnixNano()
	}
	q.seat(r)
	q.keep(r)
}

// seat gives a record, a new one or one from the journal, its place. Where until has passed, advance goes on from there.
func (q *queue) seat(r *record) {
	r.group = q.fair.join(r.GroupID)
	q.arrivals.pushBack(r)
	if r.Received > 0 {
		q.known[r.number] = r
	}
	switch {
	case r.Until == 0:
		r.state = stateVisible
		q.visible++
		q.fair.show(r)
	case r.Received > 0:
		r.state = stateInFlight
		q.inFlight++
		q.fair.fly(r.group, 1)
	default:
		r.state = stateDelayed
		q.delayed++
	}
	q.agenda.push(r, q.due(r))
}

// due is a record's place in the agenda: when something happens to it by itself, older ones first.
func (q *queue) due(r *record) rank {
	at := q.expiry(r)
	if r.state != stateVisible {
		at = min(r.Until, at)
	}
	return rank{at, int64(r.number)} //nolint:gosec // never that many
}

// expiry is when retention ends: it counts from the first send, also for dead letters.
func (q *queue) expiry(r *record) int64 {
	return r.Sent + int64(q.settings.retention)
}

// take receives up to n messages and hides them for visibility. Messages that were received
// maxReceives times already (0: no limit) come back in dead instead, out of the queue.
func (q *queue) take(now time.Time, n int, visibility time.Duration, maxReceives int32) (taken []delivery, dead []*record) {
	n = min(n, q.visible, MaxInFlight-q.inFlight)
	for len(taken) < n {
		r := q.pull()
		if r == nil {
			break
		}
		r.state = stateGone
		if maxReceives > 0 && r.Received >= maxReceives {
			q.drop(r)
			dead = append(dead, r)
			continue
		}
		taken = append(taken, q.receive(now, r, visibility))
	}
	return taken, dead
}

func (q *queue) receive(now time.Time, r *record, visibility time.Duration) delivery {
	r.Receives++
	r.Received++
	r.LastReceived = now.UnixNano()
	if r.FirstReceived == 0 {
		r.FirstReceived = r.LastReceived
	}
	r.state = stateInFlight
	q.inFlight++
	q.fair.fly(r.group, 1)
	q.known[r.number] = r
	r.Until = now.Add(visibility).UnixNano()
	q.agenda.rerank(r, q.due(r))
	q.keepState(r)
	return q.delivery(r)
}

// pull takes the next visible record in order to move it elsewhere. Follow it with drop, or with restore.
func (q *queue) pull() *record {
	r := q.fair.next()
	if r != nil {
		q.visible--
	}
	return r
}

// restore puts a pulled record back to where it was.
func (q *queue) restore(r *record) {
	q.visible++
	q.fair.showFirst(r)
}

// giveBack undoes a receive that its client never saw: the message is visible at once and the receive not counted.
func (q *queue) giveBack(h handle) {
	r := q.known[h.Number]
	if r == nil || r.state != stateInFlight || r.Received != h.Received {
		return
	}
	r.Receives--
	r.Received--
	if r.Receives == 0 {
		r.FirstReceived = 0
	}
	if r.Received == 0 {
		delete(q.known, r.number)
	}
	q.land(r)
	r.state = stateVisible
	r.Until = 0
	q.visible++
	q.fair.showFirst(r)
	q.agenda.rerank(r, q.due(r))
	q.keepState(r)
}

// remove deletes the message that h names, if it is there and was not received again since.
func (q *queue) remove(h handle) {
	r := q.known[h.Number]
	if r == nil || r.Received != h.Received {
		return
	}
	q.withdraw(r)
	q.drop(r)
}

// withdraw takes a record out of the state it is in; it counts nowhere then.
func (q *queue) withdraw(r *record) {
	switch r.state {
	case stateVisible:
		q.visible--
		q.fair.hide(r)
	case stateInFlight:
		q.land(r)
	case stateDelayed:
		q.delayed--
	case stateGone:
	}
	r.state = stateGone
}

// land ends a message's flight.
func (q *queue) land(r *record) {
	q.inFlight--
	q.fair.fly(r.group, -1)
}

// drop forgets a withdrawn record.
func (q *queue) drop(r *record) {
	q.agenda.remove(r)
	q.arrivals.remove(r)
	q.fair.leave(r.group)
	delete(q.known, r.number)
	q.forget(r)
}

// reschedule ends the visibility timeout of an in-flight message at until.
func (q *queue) reschedule(r *record, until time.Time) {
	r.Until = until.UnixNano()
	q.agenda.rerank(r, q.due(r))
	q.keepState(r)
}

// advance brings the queue to now: what expired is gone, what is due is visible. Messages that would be visible again after
// maxReceives receives (0: no limit) are returned instead, out of the queue.
func (q *queue) advance(now time.Time, maxReceives int32) (dead []*record) {
	for {
		r, due, ok := q.agenda.min()
		if !ok || due > now.UnixNano() {
			return dead
		}
		q.withdraw(r)
		switch {
		case q.expiry(r) <= now.UnixNano():
			q.drop(r)
		case maxReceives > 0 && r.Received >= maxReceives:
			q.drop(r)
			dead = append(dead, r)
		default:
			r.returned = r.Received > 0
			r.state = stateVisible
			q.visible++
			q.fair.show(r)
			q.agenda.rerank(r, q.due(r))
		}
	}
}

// retain gives everything its place under another retention period.
func (q *queue) retain() {
	for r := q.arrivals.head; r != nil; r = r.inArrival.next {
		q.agenda.rerank(r, q.due(r))
	}
}

// depth counts the messages; call advance first.
func (q *queue) depth(now time.Time) Depth {
	d := Depth{Visible: q.visible, InFlight: q.inFlight, Delayed: q.delayed}
	if q.arrivals.head != nil {
		d.Oldest = max(0, time.Duration(now.UnixNano()-q.arrivals.head.Arrived))
	}
	return d
}
