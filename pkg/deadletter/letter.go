package deadletter

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// AllSinks stands for the sink of a letter that names none: it concerns all of them.
const AllSinks = "*"

// ClassCrashed is the class of letters that SQS moved by itself; all others have one of
// retry's classes.
const ClassCrashed = "crashed"

// Words in a header that mark letters which are not a sink's refusal.
const (
	// StopRefused is the reason's stop of items that ingest refused.
	StopRefused = "refused at ingest"
	// StopUnreadable is the reason's stop of a message that was no readable pack.
	StopUnreadable = "unreadable"
	// StopMissing is the reason's stop of a pack whose events are not in the bucket, or are
	// not what was put there.
	StopMissing = "events missing"
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

// Native says whether SQS moved the pack here by itself, because a flush crashed or timed
// out too often. Such a pack has no reason or, when it was a residue on its way to a
// sink, one without a stop: nobody decided to give up.
func Native(h *batch.Header) bool { return h.Reason == nil || h.Reason.Stop == "" }

// ClassOf returns the class of a letter's failure. A letter that SQS moved by itself is
// ClassCrashed: the flush never got to say.
func ClassOf(h *batch.Header) string {
	if Native(h) {
		return ClassCrashed
	}
	return h.Reason.Class
}

// Replayable says whether sending the letter on as it is can make sense. What was
// refused or unreadable needs a person first.
func Replayable(h *batch.Header) bool {
	return h.Reason == nil || (h.Reason.Stop != StopRefused && h.Reason.Stop != StopUnreadable)
}

// Cause makes a text fit for a header: at most maxCauseBytes, no character cut in two,
// and nothing that JSON or SQS would refuse. What a sink answers may be any bytes, and
// must never keep its dead letter from being written.
func Cause(text string) string {
	const ellipsis = "…"
	// Cleaning never makes a text shorter than its first maxCauseBytes+1 bytes, so what
	// lies behind those cannot matter.
	head := strings.Map(writable, text[:min(len(text), maxCauseBytes+1)])
	if len(head) <= maxCauseBytes {
		return head
	}
	cut := maxCauseBytes - len(ellipsis)
	for !utf8.RuneStart(head[cut]) {
		cut--
	}
	return head[:cut] + ellipsis
}

// writable replaces what SQS does not take in a body; strings.Map hands bytes that are no
// UTF-8 over as RuneError. Source: SQS API reference, SendMessage, "#xE000 to #xFFFD".
func writable(r rune) rune {
	if r == '\uFFFE' || r == '\uFFFF' {
		return utf8.RuneError
	}
	return r
}

// unreadable is what the single event of an unreadable letter holds.
type unreadable struct {
	Body   string `json:"body"`
	Events []byte `json:"events,omitempty"` // base64 in JSON
}

// Unreadable keeps a message that is no readable pack, with the reason why. The bytes
// of body and events are kept exactly, whatever they are (SQS bodies are valid UTF-8).
//
// The letter may need the bucket. Errors: a *batch.TooLargeError when body and events,
// written as JSON, are more than one event may be. Leave such a message to SQS, which
// moves it to the dead letters as it is.
func Unreadable(m *queue.Received, why error, now time.Time) (batch.Message, error) {
	data, err := json.Marshal(unreadable{Body: string(m.Body), Events: m.Events}, jsontext.AllowInvalidUTF8(true))
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
