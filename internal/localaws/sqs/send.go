package sqs

import (
	"crypto/md5" //nolint:gosec // SQS's checksums are MD5
	"strings"
	"time"

	"github.com/gofrs/uuid/v5"
)

// draft is a message on its way into a queue.
type draft struct {
	payload
	size  int
	delay *time.Duration
	// refusal is why it does not get there.
	refusal error
}

// newDraft does the checks that need no queue.
func newDraft(in SendInput) *draft {
	return &draft{
		payload: payload{
			ID: newUUID(), Body: in.Body, Attributes: in.Attributes, GroupID: in.GroupID, TraceHeader: in.TraceHeader,
			Sent: time.Now().UnixNano(), bodySum: md5.Sum([]byte(in.Body)), //nolint:gosec // as above
		},
		size: in.size(), delay: in.Delay, refusal: in.check(),
	}
}

// size is what counts against the limits.
func (in SendInput) size() int { return len(in.Body) + sizeOf(in.Attributes) }

func (in SendInput) check() error {
	switch {
	case in.Body == "":
		return errMissing("MessageBody")
	case in.size() > MaxMessageBytes:
		return errTooLong(MaxMessageBytes)
	case !hasLegalCharacters(in.Body):
		return errContents()
	case in.Delay != nil && (*in.Delay < 0 || *in.Delay > MaxDelay):
		return errParameter("Value %s for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= %s.",
			wholeSeconds(*in.Delay), wholeSeconds(MaxDelay))
	case !isGroupID(in.GroupID):
		return errParameter("Value %q for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include "+
			"alphanumeric and punctuation characters. 1 to %d in length.", in.GroupID, MaxGroupIDLength)
	}
	return checkAttributes(in.Attributes)
}

// isGroupID allows letters, digits and ASCII punctuation (SendMessage reference), no spaces, and none at all.
func isGroupID(id string) bool {
	return len(id) <= MaxGroupIDLength && strings.IndexFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7F }) < 0
}

func errTooLong(limit int) *Error {
	return errParameter("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", limit)
}

func newUUID() uuid.UUID { return uuid.Must(uuid.NewV4()) }

// newID is a random UUID, for requests and tasks.
func newID() string { return newUUID().String() }

// enqueue puts drafts on a queue, all that are not refused.
func (s *Service) enqueue(name string, drafts ...*draft) error {
	if s.journal.Full() {
		return errFull()
	}
	return s.change(name, func(q *liveQueue, now time.Time) error {
		for _, d := range drafts {
			if d.refusal == nil && d.size > q.settings.maxMessageBytes {
				d.refusal = errTooLong(q.settings.maxMessageBytes)
			}
			if d.refusal == nil {
				q.put(now, &record{payload: d.payload}, valueOr(d.delay, q.settings.delay))
			}
		}
		return nil
	})
}

// enqueueOne is enqueue where a refusal is the call's own.
func (s *Service) enqueueOne(name string, d *draft) error {
	if d.refusal != nil {
		return d.refusal
	}
	if err := s.enqueue(name, d); err != nil {
		return err
	}
	return d.refusal
}
