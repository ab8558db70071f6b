package sqs

import (
	"crypto/md5" //nolint:gosec // SQS's checksums are MD5
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

// runBits is the part of a message's number that counts within one run of the service; the bits above count the runs, so that no
// number, and with it no receipt handle, ever stands for a second message.
const runBits = 40

// ErrStored means that the journal holds something that this version cannot have written.
var ErrStored = errors.New("sqs journal: not what this version writes")

// Open returns a service with everything that the journal holds, and keeps every further change there. A reply to a send, a delete or a change
// of a queue goes out when it is on disk. The journal must have been opened with JournalVersion and has to outlive the
// service. Close the service, then the journal.
func Open(options Options, from *journal.Journal) (*Service, error) {
	s := New(options)
	if from == nil {
		return s, nil
	}
	s.journal = from
	runs, err := s.countRun()
	if err != nil {
		return nil, err
	}
	if err := s.restoreQueues(runs); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.unlock()
	now := time.Now()
	for _, q := range s.queues {
		s.settle(q, now)
		s.ready(q, now)
		if task := q.runningTask(); task != nil {
			s.goOn(task, now)
		}
	}
	return s, nil
}

// countRun counts this run, on disk, before it hands out any number.
func (s *Service) countRun() (runs uint64, err error) {
	err = s.journal.Each([]byte{runsKey}, func(_, value []byte) error {
		runs, err = strconv.ParseUint(string(value), 10, 64-runBits-1)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrStored, err)
	}
	runs++
	s.journal.Set([]byte{runsKey}, strconv.AppendUint(nil, runs, 10))
	return runs, s.journal.Submit().Wait()
}

func (s *Service) restoreQueues(runs uint64) error {
	return s.journal.Each([]byte{queuePrefix}, func(key, value []byte) error {
		q, err := s.restoreQueue(string(key[1:]), value)
		if err != nil {
			return fmt.Errorf("%w: queue %q: %w", ErrStored, key[1:], err)
		}
		if err := q.restoreMessages(); err != nil {
			return err
		}
		q.lastNumber = runs << runBits
		s.queues[q.name] = q
		return nil
	})
}

// restoreQueue makes a stored queue anew, without its messages.
func (s *Service) restoreQueue(name string, value []byte) (*liveQueue, error) {
	var stored storedQueue
	if err := json.Unmarshal(value, &stored); err != nil {
		return nil, err
	}
	q := s.newLiveQueue(name, fromNano(stored.Created))
	settings, refusal := s.defaults.with(stored.Attributes)
	if refusal != nil {
		return nil, refusal
	}
	q.id, q.modified, q.purged, q.settings = stored.ID, fromNano(stored.Modified), fromNano(stored.Purged), settings
	if stored.Tags != nil {
		q.tags = stored.Tags
	}
	for _, status := range stored.Tasks {
		q.tasks = append(q.tasks, &moveTask{moveStatus: status, source: q})
	}
	return q, nil
}

// restoreMessages seats all stored messages of a queue.
func (q *queue) restoreMessages() error {
	var r *record
	err := q.journal.Each(q.messageKey(nil), func(key, value []byte) error {
		number, part, err := messagePart(key)
		switch {
		case err != nil:
			return err
		case part == sentPart:
			r, err = restoreMessage(number, value)
			return err
		case r == nil || r.number != number:
			return fmt.Errorf("message %d has a state and no body", number)
		}
		if err := r.restoreProgress(value); err != nil {
			return err
		}
		q.seat(r)
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w: queue %q: %w", ErrStored, q.name, err)
	}
	return nil
}

func messagePart(key []byte) (number uint64, part byte, err error) {
	const before, length = 9, 18
	if len(key) != length {
		return 0, 0, fmt.Errorf("key %x", key)
	}
	return binary.BigEndian.Uint64(key[before:]), key[length-1], nil
}

func restoreMessage(number uint64, value []byte) (*record, error) {
	r := &record{number: number}
	if err := json.Unmarshal(value, &r.payload); err != nil {
		return nil, fmt.Errorf("message %d: %w", number, err)
	}
	r.bodySum = md5.Sum([]byte(r.Body)) //nolint:gosec // as above
	return r, nil
}

func (r *record) restoreProgress(value []byte) error {
	if n, err := binary.Decode(value, binary.BigEndian, &r.progress); err != nil || n != len(value) {
		return fmt.Errorf("message %d: state of %d bytes", r.number, len(value))
	}
	return nil
}
