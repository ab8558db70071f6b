package telemetry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/event"
)

const (
	// acceptedStart begins every line of accepted events, and no other line.
	acceptedStart = `{"accepted":{`
	// acceptedBytes ends a line once it is this long. `millrace dev` cuts lines of 64 KiB
	// and CloudWatch those of 256 KiB; the longest entry after it has less than 48 KiB,
	// every character of its texts escaped.
	acceptedBytes = 12 << 10
	// maxAcceptedText is the longest text that stands in a line as it is.
	maxAcceptedText = 1 << 10
)

// Accepted is one event of which ingest knew that it is durable, with all that routes look
// at. Texts are as [AcceptedText] makes them.
type Accepted struct {
	// Time, RequestID, Tenant and Receiver are those of the line.
	Time                        time.Time `json:"-"`
	RequestID, Tenant, Receiver string    `json:"-"`

	ID       string `json:"id"`
	Source   string `json:"source,omitempty"`
	Type     string `json:"type,omitempty"`
	Name     string `json:"name,omitempty"`
	Kind     string `json:"kind,omitempty"`
	Severity string `json:"severity,omitempty"`
}

// acceptedLine is a line as it is read.
type acceptedLine struct {
	Accepted struct {
		Time      time.Time  `json:"time"`
		RequestID string     `json:"requestId"`
		Tenant    string     `json:"tenant"`
		Receiver  string     `json:"receiver"`
		Events    []Accepted `json:"events"`
	} `json:"accepted"`
}

// AcceptedLog returns a function that writes events which ingest made durable to w, as
// lines of accepted events. Call it before the client is answered. Each line is one write.
// It is safe for concurrent use if w is. Writing costs about 100 bytes an event. When w is
// nil, so is the function.
func AcceptedLog(w io.Writer) func(context.Context, []event.Event) {
	if w == nil {
		return nil
	}
	return func(ctx context.Context, events []event.Event) {
		now, request := time.Now(), requestID(ctx)
		for len(events) > 0 {
			var line []byte
			line, events = appendAccepted(nil, now, request, events)
			// The events are safe; that an audit will not know them is no reason to refuse them.
			_, _ = w.Write(line)
		}
	}
}

// appendAccepted appends one line and returns the events that found no room in it.
// All events are of one tenant and one receiver.
func appendAccepted(dst []byte, at time.Time, requestID string, events []event.Event) (line []byte, rest []event.Event) {
	dst = append(dst, acceptedStart+`"time":"`...)
	dst = at.UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, '"')
	dst = appendMember(dst, memberRequestID, requestID)
	dst = appendMember(dst, memberTenant, AcceptedText(events[0].Tenant))
	dst = appendMember(dst, memberReceiver, events[0].Receiver)
	dst = append(dst, `,"events":[`...)
	n := 0
	for n < len(events) && len(dst) < acceptedBytes {
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = appendAcceptedEvent(dst, &events[n])
		n++
	}
	return append(dst, "]}}\n"...), events[n:]
}

func appendAcceptedEvent(dst []byte, e *event.Event) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendString(dst, AcceptedText(e.ID))
	dst = appendMember(dst, "source", AcceptedText(e.Source))
	dst = appendMember(dst, "type", AcceptedText(e.Type))
	dst = appendMember(dst, "name", AcceptedText(e.Name))
	dst = appendMember(dst, "kind", AcceptedText(e.Kind))
	dst = appendMember(dst, "severity", AcceptedText(e.Severity))
	return append(dst, '}')
}

// AcceptedText is how a text stands in a line of accepted events: as it is, or as its hash
// when it has more than 1 KiB. Compare other texts with those of a line through it.
func AcceptedText(text string) string {
	if len(text) <= maxAcceptedText {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// IsAccepted says whether a line of a function's output is one of accepted events.
func IsAccepted(line []byte) bool { return bytes.HasPrefix(line, []byte(acceptedStart)) }

// errLongLine says that a line is longer than any that Millrace writes.
var errLongLine = errors.New("line too long")

// ParseAccepted returns the events in a line of accepted events; in any other line there
// are none. The error says that a line begins as one and is not.
func ParseAccepted(line []byte) ([]Accepted, error) {
	if !IsAccepted(line) {
		return nil, nil
	}
	if len(line) > maxLineBytes {
		return nil, fmt.Errorf("accepted events: %w: %d bytes", errLongLine, len(line))
	}
	var read acceptedLine
	if err := json.Unmarshal(line, &read); err != nil {
		return nil, fmt.Errorf("accepted events: %w", err)
	}
	head := &read.Accepted
	for i := range head.Events {
		e := &head.Events[i]
		e.Time, e.RequestID, e.Tenant, e.Receiver = head.Time, head.RequestID, head.Tenant, head.Receiver
	}
	return head.Events, nil
}
