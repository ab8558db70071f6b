package sqs

import (
	"cmp"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/account"
	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

// Options configure a Service. A queue's URL has the host that its request was sent to.
type Options struct {
	// Faults lets tests make calls fail; nil means none.
	Faults *Faults
	// Logger gets one debug line for each refused call; nil means silence.
	Logger *slog.Logger
}

// Service is an SQS, in memory or on disk as well. It is safe for concurrent use.
type Service struct {
	// journal is nil for a service that lives in memory only. Changes are recorded under mu.
	journal  *journal.Journal
	options  Options
	protocol *awsjson.Service
	// defaults are the settings of a queue that names none.
	defaults settings

	// mu guards all below. One lock for all queues keeps a move between queues atomic; JSON of the wire, checks and sums of messages are done outside it.
	mu     sync.Mutex
	queues map[string]*queue
	closed bool
}

var _ http.Handler = (*Service)(nil)

// New returns an empty service. Close it to end its timers and long polls.
func New(options Options) *Service {
	options.Faults = cmp.Or(options.Faults, new(Faults))
	options.Logger = cmp.Or(options.Logger, slog.New(slog.DiscardHandler))
	s := &Service{options: options, queues: make(map[string]*queue)}
	s.protocol = s.newProtocol()
	s.defaults, _ = settings{values: map[string]string{}}.with(defaultAttributes) // AWS's own are valid
	return s
}

// newQueue makes a queue with the default settings; it is not in the service yet.
func (s *Service) newQueue(name string, now time.Time) *queue {
	q := &queue{
		keptQueue: keptQueue{
			ID:      rand.Uint64(), //nolint:gosec // tells queues apart, guards nothing
			Created: now.UnixNano(), Modified: now.UnixNano(), Tags: map[string]string{},
		},
		name: name, arn: account.ARN("sqs", name), settings: s.defaults, arrived: make(chan struct{}, 1),
		timer: time.AfterFunc(time.Hour, func() { _ = s.tick(name) }),
	}
	q.timer.Stop() // until something is due
	q.purge()
	q.journal = s.journal
	return q
}

// Close wakes all long polls, which return what is there, and stops all timers. It is idempotent.
func (s *Service) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	for _, q := range s.queues {
		q.stop()
	}
}

// stop wakes all long polls of a queue for good and ends its timer. It is idempotent.
func (q *queue) stop() {
	q.timer.Stop()
	if q.arrived != nil {
		close(q.arrived)
		q.arrived = nil
	}
}

// withQueue runs fn on a queue that was brought to now, under the lock, and then wakes and schedules what fn made due.
// What fn changes will be on disk, but is not yet.
func (s *Service) withQueue(name string, fn func(q *queue, now time.Time) error) error {
	_, err := s.visit(name, fn)
	return err
}

// change is withQueue for what the client may rely on: it returns when everything that fn changed is on disk.
func (s *Service) change(name string, fn func(q *queue, now time.Time) error) error {
	return onDisk(s.visit(name, fn))
}

// onDisk waits for what a call changed, and returns the call's own error unless the disk has a worse one.
func onDisk(ticket *journal.Ticket, err error) error {
	if stopped := ticket.Wait(); stopped != nil {
		return awsjson.AsError(stopped)
	}
	return err
}

func (s *Service) visit(name string, fn func(q *queue, now time.Time) error) (*journal.Ticket, error) {
	return s.locked(func(now time.Time) error {
		q, ok := s.queues[name]
		if !ok {
			return errQueue()
		}
		s.settle(q, now)
		defer s.ready(q, now)
		return fn(q, now)
	})
}

// locked runs fn under the lock, as one atomic change.
func (s *Service) locked(fn func(now time.Time) error) (*journal.Ticket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.journal.Err(); err != nil {
		return nil, awsjson.AsError(err)
	}
	err := fn(time.Now())
	return s.journal.Submit(), err
}

// settle brings a queue to now, and sees to its dead-letter queue, where messages may have gone: after the call it may be another
// one's, or nobody's. Once the service is closed time stands still.
func (s *Service) settle(q *queue, now time.Time) {
	if s.closed {
		return
	}
	q.letters = s.byARN(q.settings.redrive.targetARN)
	q.advance(now)
	s.moveOn(q, now)
	if q.letters != nil {
		s.schedule(q.letters, now)
	}
}

// byARN returns the queue of an ARN, nil when there is none.
func (s *Service) byARN(arn string) *queue {
	q := s.queues[arn[strings.LastIndexByte(arn, ':')+1:]]
	if q == nil || q.arn != arn {
		return nil
	}
	return q
}

// ready settles a queue after a change, and sees to what is due next.
func (s *Service) ready(q *queue, now time.Time) {
	if s.queues[q.name] != q {
		return // it was just deleted
	}
	s.settle(q, now)
	s.schedule(q, now)
}

// schedule wakes a receiver when there is something to receive, and sets the timer to what is due next.
func (s *Service) schedule(q *queue, now time.Time) {
	if s.closed {
		return
	}
	if q.receivable() {
		select {
		case q.arrived <- struct{}{}:
		default: // somebody is being woken already, or will find out at the next receive
		}
	}
	if due := q.nextDue(); due > 0 {
		q.timer.Reset(time.Duration(due - now.UnixNano()))
	}
}

// tick is a visit that changes nothing but what is due.
func (s *Service) tick(name string) error {
	return s.withQueue(name, func(*queue, time.Time) error { return nil })
}
