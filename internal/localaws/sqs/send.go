package sqs

import (
	"crypto/md5" //nolint:gosec // SQS's checksums are MD5
	"strings"
	"time"

	"github.com/gofrs/uuid/v5"
)

// draft is one message that passed every check that needs no queue.
type draft struct {
	*payload
	size  int
	delay *time.Duration
}

// newDraft checks a message and computes its checksums.
func newDraft(in SendInput) (draft, *Error) {
	attributes := newAttributeList(in.Attributes)
	d := draft{size: len(in.Body) + attributes.size(), delay: in.Delay}
	switch {
	case in.Body == "":
		return d, errMissing("MessageBody")
	case d.size > MaxMessageBytes:
		return d, errTooLong(MaxMessageBytes)
	case !hasLegalCharacters(in.Body):
		return d, errContents()
	}
	if err := checkSendOptions(in); err != nil {
		return d, err
	}
	if err := attributes.check(); err != nil {
		return d, err
	}
	d.payload = &payload{
		id: newID(), body: in.Body, attributes: attributes,
		bodySum: md5.Sum([]byte(in.Body)), //nolint:gosec // as above
		groupID: in.GroupID, traceHeader: in.TraceHeader, sent: time.Now(),
	}
	if len(attributes) > 0 {
		d.attributeSum = attributes.sum()
	}
	return d, nil
}

func checkSendOptions(in SendInput) *Error {
	if in.Delay != nil && (*in.Delay < 0 || *in.Delay > MaxDelay) {
		return errParameter("Value %s for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= %s.",
			wholeSeconds(*in.Delay), wholeSeconds(MaxDelay))
	}
	if in.GroupID != "" && !isGroupID(in.GroupID) {
		return errParameter("Value %q for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include "+
			"alphanumeric and punctuation characters. 1 to %d in length.", in.GroupID, MaxGroupIDLength)
	}
	return nil
}

// isGroupID allows letters, digits and ASCII punctuation (SendMessage reference); no spaces.
func isGroupID(id string) bool {
	return len(id) <= MaxGroupIDLength && strings.IndexFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7F }) < 0
}

func errTooLong(limit int) *Error {
	return errParameter("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", limit)
}

// newID is a random UUID, for messages, requests and tasks.
func newID() string { return uuid.Must(uuid.NewV4()).String() }

// enqueue puts drafts on a queue. The returned errors stand at the index of the drafts the queue refused.
func (s *Service) enqueue(name string, drafts []draft) (refused []*Error, err error) {
	if s.journal.Full() {
		return nil, errFull()
	}
	refused = make([]*Error, len(drafts))
	err = s.change(name, func(q *liveQueue, now time.Time) error {
		for i, d := range drafts {
			if d.size > q.settings.maxMessageBytes {
				refused[i] = errTooLong(q.settings.maxMessageBytes)
				continue
			}
			q.put(now, &record{payload: d.payload}, valueOr(d.delay, q.settings.delay))
		}
		return nil
	})
	return refused, err
}
