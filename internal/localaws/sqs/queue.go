package sqs

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

// queue is one queue: its messages, and what happens to them next. The service's lock guards all of it; time comes in as an argument.
// Its few changing verbs (put, hide, drop, purge) record each change in the journal; everything else derives from them.
type queue struct {
	keptQueue
	// journal is nil for a queue that lives in memory only.
	journal   *journal.Journal
	name, arn string
	settings  settings
	// letters is the dead-letter queue; while it does not exist messages stay where they are.
	letters *queue

	lastNumber uint64
	// agenda holds every message by its next due time: the end of its delay or visibility timeout, or its expiry.
	agenda ranking[*record]
	// known holds the messages that were ever received from this queue, by number: those that handles can name.
	known map[uint64]*record
	fair  fairShare
	// count is how many messages are in each state.
	count [HeldInFlight + 1]int

	// arrived has room for one signal, that there is something to receive. It is closed with the queue, or with the service.
	arrived chan struct{}
	// timer ends when something is due.
	timer *time.Timer
	// nextMove is when the running move task goes on, Unix nanoseconds.
	nextMove int64
}

// purge forgets all messages.
func (q *queue) purge() {
	q.agenda = nil
	q.known = make(map[uint64]*record)
	q.fair = fairShare{groups: make(map[string]*group)}
	q.count = [HeldInFlight + 1]int{}
	q.journal.DeletePrefix(q.messageKey(nil))
}

// put takes in a new record and hides it for delay first. Numbers go with the clock, so that after a restart none stands for a second message.
func (q *queue) put(now time.Time, r *record, delay time.Duration) {
	r.Number = max(q.lastNumber+1, uint64(now.UnixNano()))
	if delay > 0 {
		r.Until = now.Add(delay).UnixNano()
	}
	q.seat(r)
	q.keep(r)
}

// seat gives a record, a new one or one from the journal, its place. Where until has passed, advance goes on from there.
func (q *queue) seat(r *record) {
	q.lastNumber = r.Number
	r.group = q.fair.join(r.GroupID)
	q.enter(r, r.hidden())
	heap.Push(&q.agenda, r)
}

// hidden is the state that a record's progress tells.
func (r *record) hidden() Held {
	switch {
	case r.Received > 0:
		return HeldInFlight
	case r.Until > 0:
		return HeldDelayed
	}
	return HeldVisible
}

// enter puts a record into a state.
func (q *queue) enter(r *record, to Held) {
	r.held = to
	q.count[to]++
	r.due = q.dueAt(r)
	switch to {
	case HeldVisible:
		q.fair.show(r)
	case HeldInFlight:
		r.group.inFlight++
		q.known[r.Number] = r
	case HeldDelayed:
	}
}

// leave takes a record out of the state that it is in.
func (q *queue) leave(r *record) {
	q.count[r.held]--
	switch r.held {
	case HeldVisible:
		q.fair.hide(r)
	case HeldInFlight:
		r.group.inFlight--
	case HeldDelayed:
	}
}

// move takes a record to another state, or gives it its place anew in the same one.
func (q *queue) move(r *record, to Held) {
	q.leave(r)
	q.enter(r, to)
	heap.Fix(&q.agenda, int(r.heapPlace))
}

// drop forgets a record.
func (q *queue) drop(r *record) {
	q.leave(r)
	heap.Remove(&q.agenda, int(r.heapPlace))
	q.fair.leave(r.group)
	delete(q.known, r.Number)
	q.forget(r)
}

// dueAt is when something happens to a record by itself.
func (q *queue) dueAt(r *record) int64 {
	if r.held == HeldVisible {
		return q.expiry(r)
	}
	return min(r.Until, q.expiry(r))
}

// expiry is when retention ends: it counts from the first send, also for dead letters.
func (q *queue) expiry(r *record) int64 {
	return r.Sent + int64(q.settings.retention)
}

// take receives up to n messages and hides them for visibility. What was received too often moves to the dead-letter queue instead.
func (q *queue) take(now time.Time, n int, visibility time.Duration) (taken []delivery) {
	for len(taken) < n && q.receivable() {
		r := q.fair.next()
		if q.spent(r) {
			q.bury(now, r)
			continue
		}
		r.Receives++
		r.Received++
		r.LastReceived = now.UnixNano()
		r.FirstReceived = cmp.Or(r.FirstReceived, r.LastReceived)
		q.hide(r, now.Add(visibility))
		taken = append(taken, q.delivery(r))
	}
	return taken
}

// receivable says whether a receive would find something.
func (q *queue) receivable() bool {
	return q.count[HeldVisible] > 0 && q.count[HeldInFlight] < MaxInFlight
}

// hide makes a record visible at until and not before, whatever its state.
func (q *queue) hide(r *record, until time.Time) {
	r.Until = until.UnixNano()
	q.move(r, r.hidden())
	q.keepState(r)
}

// giveBack undoes a receive that its client never saw: the message is due at once and the receive not counted.
func (q *queue) giveBack(now time.Time, h handle) {
	r := q.known[h.Number]
	if r == nil || r.held != HeldInFlight || r.Received != h.Received {
		return
	}
	r.Receives--
	r.Received--
	if r.Receives == 0 {
		r.FirstReceived = 0
	}
	q.hide(r, now)
}

// remove deletes the message that h names, if it is there and was not received again since.
func (q *queue) remove(h handle) {
	if r := q.known[h.Number]; r != nil && r.Received == h.Received {
		q.drop(r)
	}
}

// advance brings the queue to now: what expired is gone, what is due is visible, or in the dead-letter queue.
func (q *queue) advance(now time.Time) {
	for len(q.agenda) > 0 && q.agenda[0].due <= now.UnixNano() {
		r := q.agenda[0]
		switch {
		case q.expiry(r) <= now.UnixNano():
			q.drop(r)
		case q.spent(r):
			q.bury(now, r)
		default:
			q.move(r, HeldVisible)
		}
	}
}

// spent says whether a record was received as often as the redrive policy allows.
func (q *queue) spent(r *record) bool {
	return q.letters != nil && r.Received >= q.settings.redrive.maxReceives
}

// bury moves a record to the dead-letter queue. It keeps its id, age and receive count.
func (q *queue) bury(now time.Time, r *record) {
	q.drop(r)
	letter := &record{payload: r.payload, progress: progress{Receives: r.Receives, FirstReceived: r.FirstReceived}}
	letter.SourceARN = q.arn
	q.letters.put(now, letter, 0)
}

// nextDue is when something happens next by itself, 0 when nothing will.
func (q *queue) nextDue() (due int64) {
	if len(q.agenda) > 0 {
		due = q.agenda[0].due
	}
	if q.moving() != nil && (due == 0 || q.nextMove < due) {
		due = q.nextMove
	}
	return due
}

// retain gives everything its place under another retention period.
func (q *queue) retain() {
	for _, r := range q.agenda {
		r.due = q.dueAt(r)
	}
	heap.Init(&q.agenda)
}

// all returns every record in order of arrival.
func (q *queue) all() []*record {
	return slices.SortedFunc(slices.Values(q.agenda), func(a, b *record) int { return cmp.Compare(a.Number, b.Number) })
}
