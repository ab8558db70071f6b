package telemetry

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/ledger"
)

// endedStart begins every line of an event that ended without a delivery, and no other line.
const endedStart = `{"ended":{`

// Ended is one event that ended at a sink without a delivery. Texts are as [AcceptedText]
// makes them.
type Ended struct {
	Time time.Time `json:"time"`
	// How it ended: deduped, rejected or dropped.
	How    ledger.Counter `json:"how"`
	Sink   string         `json:"sink"`
	Tenant string         `json:"tenant"`
	Source string         `json:"source"`
	ID     string         `json:"id"`
}

// EndedLog returns a function that writes an event which ended without a delivery to w, as a
// line of its own, in one write. It is safe for concurrent use if w is. When w is nil, so is
// the function.
func EndedLog(w io.Writer) func(how ledger.Counter, sink string, e *event.Event) {
	if w == nil {
		return nil
	}
	return func(how ledger.Counter, sink string, e *event.Event) {
		line := append([]byte(endedStart), `"time":"`...)
		line = time.Now().UTC().AppendFormat(line, time.RFC3339Nano)
		line = append(line, '"')
		line = appendMember(line, "how", string(how))
		line = appendMember(line, memberSink, sink)
		line = appendMember(line, memberTenant, AcceptedText(e.Tenant))
		line = appendMember(line, "source", AcceptedText(e.Source))
		line = appendMember(line, "id", AcceptedText(e.ID))
		// That an audit will not know it is no reason to do anything else with the event.
		_, _ = w.Write(append(line, "}}\n"...))
	}
}

// IsEnded says whether a line of a function's output is one of an event that ended.
func IsEnded(line []byte) bool { return bytes.HasPrefix(line, []byte(endedStart)) }

// ParseEnded returns the event in a line of one that ended; ok is false for any other line.
// The error says that a line begins as one and is not.
func ParseEnded(line []byte) (ended Ended, ok bool, err error) {
	if !IsEnded(line) {
		return Ended{}, false, nil
	}
	if len(line) > maxLineBytes {
		return Ended{}, false, fmt.Errorf("ended event: %w: %d bytes", errLongLine, len(line))
	}
	var read struct {
		Ended Ended `json:"ended"`
	}
	if err := json.Unmarshal(line, &read); err != nil {
		return Ended{}, false, fmt.Errorf("ended event: %w", err)
	}
	return read.Ended, true, nil
}
