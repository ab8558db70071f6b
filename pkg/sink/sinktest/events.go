package sinktest

import (
	"fmt"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// NewEvent returns the i-th of a row of events with different ids.
func NewEvent(i int) event.Event {
	return event.Event{
		ID: fmt.Sprintf("event-%06d", i), Source: "web", Type: "signup", Subject: "user-7", Kind: "event",
		Tenant: "acme", Receiver: "generic", Time: time.Date(2026, 3, 1, 10, 0, 0, i, time.UTC),
		Data: []byte(fmt.Sprintf(`{"event":"signup","properties":{"number":%d}}`, i)),
	}
}

// NewBatch returns the first attempt to send events, which must share a group key.
func NewBatch(events ...event.Event) sink.Batch {
	b := sink.Batch{Attempt: 1}
	b.Group = events[0].GroupKey()
	b.Events = events
	b.Positions = make([]int, len(events))
	for i := range events {
		b.Positions[i] = i
	}
	b.Key = b.IdempotencyKey("sinktest")
	return b
}

// Again returns the next attempt to send the same batch.
func Again(b sink.Batch) sink.Batch {
	b.Attempt++
	return b
}

// Outcomes returns the outcome of each event of a batch from what Send returned.
func Outcomes(b *sink.Batch, result sink.Result, err error, cancelled bool) []sink.Outcome {
	outcomes := make([]sink.Outcome, len(b.Events))
	for i := range outcomes {
		if err != nil {
			outcomes[i] = sink.OutcomeOf(err, cancelled)
			continue
		}
		outcomes[i] = result.Of(i)
	}
	return outcomes
}

// row makes the events from, …, from+count-1.
func row(newEvent func(int) event.Event, from, count int) []event.Event {
	events := make([]event.Event, count)
	for i := range events {
		events[i] = newEvent(from + i)
	}
	return events
}

func idsOfEvents(events []event.Event) []string {
	ids := make([]string, len(events))
	for i := range events {
		ids[i] = events[i].ID
	}
	return ids
}

// cloneBatch copies everything that a sink could reach through a batch.
func cloneBatch(b *sink.Batch) sink.Batch {
	c := *b
	c.Batch = batch.Batch{Group: b.Group, Events: slices.Clone(b.Events), Positions: slices.Clone(b.Positions)}
	for i := range c.Events {
		c.Events[i].Data = slices.Clone(c.Events[i].Data)
	}
	return c
}
