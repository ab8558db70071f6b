package sqs

import (
	"cmp"
	"crypto/md5" //nolint:gosec // SQS's checksums are MD5
	"net/http"
	"strings"
	"time"

	"github.com/gofrs/uuid/v5"
)

// traceAttribute is the one system attribute that senders may set.
const traceAttribute = "AWSTraceHeader"

// sendMessage puts a message on its queue. Its trace is in the request's header where the message has none.
func sendMessage(r *http.Request, e entry) act[done] {
	if err := e.check(); err != nil {
		return refused[done](err)
	}
	in := SendInput{
		Body: e.MessageBody, Attributes: e.MessageAttributes, GroupID: valueOr(e.MessageGroupID, ""), Delay: asDuration(e.DelaySeconds),
		TraceHeader: r.Header.Get("X-Amzn-Trace-Id"),
	}
	if trace, ok := e.MessageSystemAttributes[traceAttribute]; ok {
		in.TraceHeader = trace.StringValue
	}
	message, err := in.message()
	if err != nil {
		return refused[done](err)
	}
	sent := done{
		MessageID: message.ID.String(), BodyMD5: hexSum(message.bodySum),
		AttributesMD5: sumOf(message.Attributes), SystemAttributesMD5: sumOf(e.MessageSystemAttributes),
	}
	return func(q *queue, now time.Time) (done, error) { return sent, q.send(now, message, in.Delay) }
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

// message is a new message for any queue.
func (in SendInput) message() (*record, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return &record{payload: payload{
		ID: newUUID(), Body: in.Body, Attributes: in.Attributes, GroupID: in.GroupID, TraceHeader: in.TraceHeader,
		bodySum: md5.Sum([]byte(in.Body)), //nolint:gosec // as above
	}}, nil
}

// send takes in a new message; a nil delay is the queue's own.
func (q *queue) send(now time.Time, r *record, delay *time.Duration) error {
	switch {
	case len(r.Body)+sizeOf(r.Attributes) > q.settings.maxMessageBytes:
		return errParameter("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.settings.maxMessageBytes)
	case q.journal.Full():
		return errFull()
	}
	r.Sent = now.UnixNano()
	q.put(now, r, valueOr(delay, q.settings.delay))
	return nil
}

func (in SendInput) check() error {
	switch {
	case in.Body == "":
		return errMissing("MessageBody")
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
