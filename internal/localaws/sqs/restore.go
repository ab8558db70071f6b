package sqs

import (
	"crypto/md5" //nolint:gosec // SQS's checksums are MD5
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

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
	err := from.Each([]byte{queuePrefix}, func(key, value []byte) error {
		name := string(key[1:])
		if err := s.restoreQueue(name, value); err != nil {
			return fmt.Errorf("%w: queue %q: %w", ErrStored, name, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for name := range s.queues { // what was due meanwhile happens, the rest is scheduled
		if err := s.tick(name); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// restoreQueue makes a stored queue anew.
func (s *Service) restoreQueue(name string, value []byte) error {
	now := time.Now()
	q := s.newQueue(name, now)
	if err := json.Unmarshal(value, &q.keptQueue); err != nil {
		return err
	}
	var err error
	if q.settings, err = s.defaults.with(q.Attributes); err != nil {
		return err
	}
	if task := q.moving(); task != nil {
		q.nextMove = now.UnixNano() + task.interval()
	}
	s.queues[name] = q
	return q.restoreMessages()
}

// restoreMessages seats all stored messages of a queue.
func (q *queue) restoreMessages() error {
	r := new(record)
	return q.journal.Each(q.messageKey(nil), func(key, value []byte) error {
		const before, length = 9, 18
		if len(key) != length {
			return fmt.Errorf("message key %x", key)
		}
		number := binary.BigEndian.Uint64(key[before:])
		switch {
		case key[length-1] == sentPart:
			r = &record{progress: progress{Number: number}}
			return r.restoreMessage(value)
		case r.Number != number:
			return fmt.Errorf("message %d has a state and no body", number)
		}
		if err := r.restoreProgress(value); err != nil {
			return err
		}
		r.Number = number // what was written first has the time of arrival in its place
		q.seat(r)
		return nil
	})
}

func (r *record) restoreMessage(value []byte) error {
	if err := json.Unmarshal(value, &r.payload); err != nil {
		return fmt.Errorf("message %d: %w", r.Number, err)
	}
	r.bodySum = md5.Sum([]byte(r.Body)) //nolint:gosec // as above
	return nil
}

func (r *record) restoreProgress(value []byte) error {
	if n, err := binary.Decode(value, binary.BigEndian, &r.progress); err != nil || n != len(value) {
		return fmt.Errorf("message %d: state of %d bytes", r.Number, len(value))
	}
	return nil
}
