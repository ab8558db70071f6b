package deadletter

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// AllSinks stands for the sink of a letter that names none: it concerns all of them.
const AllSinks = "*"

// Words in a header that mark letters which are not a sink's refusal.
const (
	// StopRefused is the reason's stop of items that ingest refused.
	StopRefused = "refused at ingest"
	// StopUnreadable is the reason's stop of a message that was no readable pack.
	StopUnreadable = "unreadable"
	// KindRefused and KindUnreadable are the kinds of what those packs hold.
	KindRefused    = "refused"
	KindUnreadable = "unreadable"
	// UnknownTenant owns messages that no readable header claims.
	UnknownTenant = "unknown"
)

// maxCauseBytes caps the excerpt in a header, which has to stay small.
const maxCauseBytes = 1 << 10

// SinkOf returns the sink a letter concerns, AllSinks when it names none.
func SinkOf(h *batch.Header) string {
	if h.Sink == "" {
		return AllSinks
	}
	return h.Sink
}

// ClassOf returns the class of a letter's failure. A letter that SQS moved by itself
// tells none: the flush never got to say.
func ClassOf(h *batch.Header) string {
	if h.Reason == nil {
		return "crashed"
	}
	return h.Reason.Class
}

// Replayable says whether sending the letter on as it is can make sense. What was
// refused or unreadable needs a person first.
func Replayable(h *batch.Header) bool {
	return h.Reason == nil || (h.Reason.Stop != StopRefused && h.Reason.Stop != StopUnreadable)
}

// Cause caps a text for a header, without cutting a character in two.
func Cause(text string) string {
	if len(text) <= maxCauseBytes {
		return text
	}
	cut := maxCauseBytes
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// unreadable is what the single event of an unreadable letter holds.
type unreadable struct {
	Body   string `json:"body"`
	Events []byte `json:"events,omitempty"` // base64 in JSON
}

// Unreadable keeps a message that is no readable pack, with the reason why. The bytes
// of body and events are kept exactly; invalid UTF-8 cannot occur in an SQS body.
func Unreadable(m *queue.Received, why error, now time.Time) (batch.Message, error) {
	data, err := json.Marshal(unreadable{Body: string(m.Body), Events: m.Events})
	if err != nil {
		return batch.Message{}, fmt.Errorf("keep unreadable message: %w", err)
	}
	sum := sha256.Sum256(data)
	e := event.Event{
		ID: hex.EncodeToString(sum[:16]), Source: "queue", Type: KindUnreadable, Kind: KindUnreadable, Data: data,
	}
	messages, err := batch.Encode(batch.Meta{
		Tenant: UnknownTenant, Receiver: "none", First: m.Sent, Last: m.Sent,
		Reason: &batch.Reason{Class: "permanent", Stop: StopUnreadable, Cause: Cause(why.Error()), First: now.UTC(), Last: now.UTC()},
	}, []event.Event{e})
	if err != nil {
		return batch.Message{}, fmt.Errorf("keep unreadable message: %w", err)
	}
	return messages[0], nil
}
