package sqs

import (
	"cmp"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

// Options configure a Service. The zero value serves account 000000000000 in us-east-1.
type Options struct {
	// Region of every ARN; default "us-east-1".
	Region string
	// AccountID of every ARN and queue URL, 12 digits; default "000000000000".
	AccountID string
	// BaseURL starts every queue URL, e.g. "http://127.0.0.1:4577"; empty means the host each request was sent to.
	BaseURL string
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
	closing  chan struct{}

	// mu guards all below. One lock for all queues keeps a move between queues atomic; JSON of the wire is done outside it.
	mu     sync.Mutex
	queues map[string]*liveQueue
	closed bool
}

var _ http.Handler = (*Service)(nil)

// liveQueue is a queue with what runs around it: waiting receivers, the timer of its agenda, move tasks.
type liveQueue struct {
	*queue
	waiters  chain[*waiter]
	timer    *time.Timer
	timerDue int64
	purged   time.Time
	tasks    []*moveTask
}

// New returns an empty service. Close it to end its timers and long polls.
func New(options Options) *Service {
	options.Region = cmp.Or(options.Region, "us-east-1")
	options.AccountID = cmp.Or(options.AccountID, "000000000000")
	options.Faults = cmp.Or(options.Faults, new(Faults))
	options.Logger = cmp.Or(options.Logger, slog.New(slog.DiscardHandler))
	s := &Service{
		options: options,
		closing: make(chan struct{}),
		queues:  make(map[string]*liveQueue),
	}
	s.protocol = s.newProtocol()
	s.defaults, _ = settings{values: map[string]string{}}.with(defaultAttributes) // AWS's own are valid
	return s
}

// Close wakes all long polls, which return what is there, and stops all timers. It is idempotent.
func (s *Service) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	close(s.closing)
	for _, q := range s.queues {
		q.stop()
	}
}

// withQueue runs fn on a queue that was brought to now, under the lock, and then wakes and schedules what fn made due.
// What fn changes will be on disk, but is not yet.
func (s *Service) withQueue(name string, fn func(q *liveQueue, now time.Time) error) error {
	_, err := s.visit(name, fn)
	return err
}

// change is withQueue for what the client may rely on: it returns when everything that fn changed is on disk.
func (s *Service) change(name string, fn func(q *liveQueue, now time.Time) error) error {
	ticket, err := s.visit(name, fn)
	return onDisk(ticket, err)
}

// onDisk waits for what a call changed, and returns the call's own error unless the disk has a worse one.
func onDisk(ticket *journal.Ticket, err error) error {
	if stopped := ticket.Wait(); stopped != nil {
		return errInternal(stopped)
	}
	return err
}

func (s *Service) visit(name string, fn func(q *liveQueue, now time.Time) error) (*journal.Ticket, error) {
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
func (s *Service) locked(fn func(now time.Time) error) (ticket *journal.Ticket, err error) {
	s.mu.Lock()
	defer func() { ticket = s.unlock() }()
	if err := s.journal.Err(); err != nil {
		return nil, errInternal(err)
	}
	return nil, fn(time.Now())
}

// unlock ends one atomic change.
func (s *Service) unlock() *journal.Ticket {
	defer s.mu.Unlock()
	return s.journal.Submit()
}

// settle brings a queue to now and moves what was received too often.
func (s *Service) settle(q *liveQueue, now time.Time) {
	target, maxReceives := s.redriveTarget(q)
	s.bury(q, target, q.advance(now, maxReceives), now)
}

// redriveTarget returns the dead-letter queue; while it does not exist messages stay where they are.
func (s *Service) redriveTarget(q *liveQueue) (target *liveQueue, maxReceives int32) {
	if q.settings.redrive.targetARN == "" {
		return nil, 0
	}
	target = s.byARN(q.settings.redrive.targetARN)
	if target == nil {
		return nil, 0
	}
	return target, q.settings.redrive.maxReceives
}

// bury puts records that left q into its dead-letter queue. They keep their id, age and receive count.
func (s *Service) bury(q, target *liveQueue, dead []*record, now time.Time) {
	if len(dead) == 0 {
		return
	}
	for _, r := range dead {
		letter := &record{payload: r.payload, progress: progress{Receives: r.Receives, FirstReceived: r.FirstReceived}}
		letter.SourceARN = q.arn
		target.put(now, letter, 0)
	}
	if target != q {
		s.ready(target, now)
	}
}

func (s *Service) byARN(arn string) *liveQueue {
	name, ok := parseARN(arn)
	if !ok || s.options.queueARN(name) != arn {
		return nil
	}
	return s.queues[name]
}

// ready wakes a receiver when there is something to receive, and sets the timer to what is due next.
func (s *Service) ready(q *liveQueue, now time.Time) {
	q.wakeNext()
	_, due, ok := q.agenda.min()
	if !ok || s.closed || q.timerDue != 0 && q.timerDue <= due {
		return // an early timer only finds nothing due and comes back here
	}
	q.timerDue = due
	wait := time.Duration(due - now.UnixNano())
	if q.timer == nil {
		q.timer = time.AfterFunc(wait, func() { s.tick(q) })
	} else {
		q.timer.Reset(wait)
	}
}

// tick is the timer's work.
func (s *Service) tick(q *liveQueue) {
	s.mu.Lock()
	defer s.unlock()
	if s.closed || s.queues[q.name] != q || s.journal.Err() != nil {
		return
	}
	q.timerDue = 0
	now := time.Now()
	s.settle(q, now)
	s.ready(q, now)
}

// stop ends a queue's timers.
func (q *liveQueue) stop() {
	if q.timer != nil {
		q.timer.Stop()
	}
	for _, task := range q.tasks {
		task.stop()
	}
}

func (s *Service) newLiveQueue(name string, now time.Time) *liveQueue {
	q := &liveQueue{
		queue:   newQueue(name, s.options.queueARN(name), rand.Uint64(), now), //nolint:gosec // tells queues apart, guards nothing
		waiters: chain[*waiter]{name: waiterChain},
	}
	q.journal, q.settings = s.journal, s.defaults
	return q
}
