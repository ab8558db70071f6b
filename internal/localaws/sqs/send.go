package sqs

import (
	"cmp"
	"crypto/md5" //nolint:gosec // SQS's checksums are MD5
	"net/http"
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

// traceAttribute is the one system attribute that senders may set.
const traceAttribute = "AWSTraceHeader"

// draft reads and checks a message of the wire. Its trace is in the request's header where the message has none.
func (e entry) draft(r *http.Request) *draft {
	in := SendInput{
		Body: e.MessageBody, Attributes: e.MessageAttributes, GroupID: valueOr(e.MessageGroupID, ""), Delay: asDuration(e.DelaySeconds),
		TraceHeader: r.Header.Get("X-Amzn-Trace-Id"),
	}
	if trace, ok := e.MessageSystemAttributes[traceAttribute]; ok {
		in.TraceHeader = trace.StringValue
	}
	d := newDraft(in)
	if refusal := e.check(); refusal != nil {
		d.refusal = refusal
	}
	return d
}

// check refuses what only the wire can say.
func (e entry) check() error {
	for _, name := range sortedKeys(e.MessageSystemAttributes) {
		if a := e.MessageSystemAttributes[name]; name != traceAttribute || a.DataType != "String" || a.StringValue == "" {
			return errParameter("Message system attribute '%s' is invalid: only %s of type String can be sent.", name, traceAttribute)
		}
	}
	switch {
	case e.MessageDeduplicationID != nil:
		return errValue("MessageDeduplicationId", *e.MessageDeduplicationID, "The request includes a parameter that is not valid for this queue type.")
	case e.MessageGroupID != nil && *e.MessageGroupID == "":
		return errGroupID("")
	}
	return nil
}

// receipt is what a sender gets for a message.
func (e entry) receipt(d *draft) done {
	return done{
		ID: e.ID, MessageID: d.ID.String(), BodyMD5: hexSum(d.bodySum),
		AttributesMD5: sumOf(d.Attributes), SystemAttributesMD5: sumOf(e.MessageSystemAttributes),
	}
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
		return errNamed("InvalidMessageContents", "Invalid characters found. "+
			"Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
	case !isGroupID(in.GroupID):
		return errGroupID(in.GroupID)
	}
	return cmp.Or(checkSeconds("DelaySeconds", in.Delay, MaxDelay), checkAttributes(in.Attributes))
}

// isGroupID allows letters, digits and ASCII punctuation (SendMessage reference), no spaces, and none at all.
func isGroupID(id string) bool {
	return len(id) <= MaxGroupIDLength && strings.IndexFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7F }) < 0
}

func errGroupID(id string) error {
	return errValue("MessageGroupId", id, "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
}

func errTooLong(limit int) error {
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
