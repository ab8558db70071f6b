package sqs

import (
	"cmp"
	"crypto/md5" //nolint:gosec // SQS's checksums are MD5
	"strings"
	"time"

	"github.com/gofrs/uuid/v5"
)

// traceAttribute is the one system attribute that senders may set.
const traceAttribute = "AWSTraceHeader"

// sendMessage puts a message on its queue. Its trace is in the request's header where the message has none.
func (s *Service) sendMessage(c call, e entry) (out done, err error) {
	if err := e.check(); err != nil {
		return out, err
	}
	in := SendInput{
		Body: e.MessageBody, Attributes: e.MessageAttributes, GroupID: valueOr(e.MessageGroupID, ""), Delay: asDuration(e.DelaySeconds),
		TraceHeader: c.Header.Get("X-Amzn-Trace-Id"),
	}
	if trace, ok := e.MessageSystemAttributes[traceAttribute]; ok {
		in.TraceHeader = trace.StringValue
	}
	r, err := c.q.send(c.now, in)
	if err != nil {
		return out, err
	}
	return done{
		MessageID: r.ID.String(), BodyMD5: hexSum(r.bodySum),
		AttributesMD5: sumOf(r.Attributes), SystemAttributesMD5: sumOf(e.MessageSystemAttributes),
	}, nil
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

// send takes in a new message.
func (q *queue) send(now time.Time, in SendInput) (*record, error) {
	if err := in.check(q.settings.maxMessageBytes); err != nil {
		return nil, err
	}
	if q.journal.Full() {
		return nil, errFull()
	}
	r := &record{payload: payload{
		ID: newUUID(), Body: in.Body, Attributes: in.Attributes, GroupID: in.GroupID, TraceHeader: in.TraceHeader,
		Sent: now.UnixNano(), bodySum: md5.Sum([]byte(in.Body)), //nolint:gosec // as above
	}}
	q.put(now, r, valueOr(in.Delay, q.settings.delay))
	return r, nil
}

func (in SendInput) check(maxBytes int) error {
	switch {
	case in.Body == "":
		return errMissing("MessageBody")
	case len(in.Body)+sizeOf(in.Attributes) > maxBytes:
		return errParameter("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", maxBytes)
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

func newUUID() uuid.UUID { return uuid.Must(uuid.NewV4()) }

// newID is a random UUID, for requests and tasks.
func newID() string { return newUUID().String() }
