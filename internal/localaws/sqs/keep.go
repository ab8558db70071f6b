package sqs

import (
	"encoding/binary"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// What the journal holds, under these first bytes of the keys:
//
//	q name                 a queue (keptQueue)
//	m queue number 0       a message as it was sent (payload)
//	m queue number 1       what has happened to it here (progress)
//
// Queue ids and numbers are 8 bytes each, big-endian, so that messages come back in the order of their arrival.
const (
	queuePrefix   = 'q'
	messagePrefix = 'm'

	sentPart  = 0
	statePart = 1
)

// JournalVersion is the version of these keys and values, for journal.Options.
const JournalVersion = 1

// keptQueue is what the journal holds of a queue beside its messages. Times are Unix nanoseconds.
type keptQueue struct {
	// ID goes into receipt handles, so that a handle of another queue is recognised.
	ID       uint64 `json:"id"`
	Created  int64  `json:"created"`
	Modified int64  `json:"modified"`
	Purged   int64  `json:"purged,omitzero"`
	// Attributes are the settings as SetQueueAttributes takes them.
	Attributes map[string]string `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`
	// Tasks are the move tasks, the latest last: the only one that may be running.
	Tasks []moveStatus `json:"tasks,omitempty"`
}

// messageKey names a part of a message, or without one the beginning of all messages of the queue.
func (q *queue) messageKey(r *record, part ...byte) []byte {
	key := binary.BigEndian.AppendUint64([]byte{messagePrefix}, q.ID)
	if r == nil {
		return key
	}
	return append(binary.BigEndian.AppendUint64(key, r.Number), part...)
}

// keep records a new message.
func (q *queue) keep(r *record) {
	if q.journal != nil {
		q.journal.Set(q.messageKey(r, sentPart), encode(&r.payload))
		q.journal.Set(q.messageKey(r, statePart), appendBinary(nil, r.progress))
	}
}

// keepState records what happened to a message. Nobody relies on it: at worst it is delivered once more.
func (q *queue) keepState(r *record) {
	if q.journal != nil {
		q.journal.SetSoon(q.messageKey(r, statePart), appendBinary(nil, r.progress))
	}
}

// forget records that a message is gone.
func (q *queue) forget(r *record) {
	if q.journal != nil {
		q.journal.Delete(q.messageKey(r, sentPart))
		q.journal.Delete(q.messageKey(r, statePart))
	}
}

// keepQueue records all of a queue but its messages.
func (s *Service) keepQueue(q *queue) {
	q.Attributes = q.settings.values
	s.journal.Set(queueKey(q.name), encode(&q.keptQueue))
}

// forgetQueue records that a queue and its messages are gone.
func (s *Service) forgetQueue(q *queue) {
	s.journal.Delete(queueKey(q.name))
	s.journal.DeletePrefix(q.messageKey(nil))
}

func queueKey(name string) []byte { return append([]byte{queuePrefix}, name...) }

// encode writes a stored value. Only trace headers can hold what is no UTF-8; they are not worth a refusal.
func encode(value any) []byte {
	text, err := json.Marshal(value, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		panic(fmt.Errorf("sqs journal: %w", err)) // texts, numbers and bytes always marshal
	}
	return text
}
