package main

import (
	"maps"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
)

// held is what the queues hold, by sink: the side of the books that is not counted but looked up.
type held struct {
	// inFlight are the events of residues: routed to a sink, and tried.
	inFlight map[string]int
	// letters are the events of dead letters; those that name no sink are under deadletter.AllSinks.
	letters map[string]int
	// fresh are the events on the main queue that no flush has reported yet.
	fresh int
}

// maxCounted bounds the packs that are looked at: each costs some microseconds, and the queues of a test of load are deep.
const maxCounted = 100_000

// held looks both queues through. It returns nil when they are too deep for that.
func (c *cloud) held() *held {
	h := &held{inFlight: make(map[string]int), letters: make(map[string]int)}
	if c.depth(devstack.MainQueue).Total()+c.depth(devstack.LetterQueue).Total() > maxCounted {
		return nil
	}
	for _, queue := range []string{devstack.MainQueue, devstack.LetterQueue} {
		messages, err := c.server.SQS().Peek(queue)
		if err != nil {
			return nil // somebody has deleted the queue
		}
		for i := range messages {
			if header, err := batch.ParseHeader([]byte(messages[i].Body)); err == nil {
				h.add(&header, queue)
			}
		}
	}
	return h
}

// add counts the events of a pack. A residue that SQS moved to the dead letters by itself is in flight still: no flush
// has counted it as anything else.
func (h *held) add(header *batch.Header, queue string) {
	residue := header.Sink != "" && header.Reason != nil && header.Reason.Stop == ""
	switch {
	case residue:
		h.inFlight[header.Sink] += header.Count
	case queue == devstack.LetterQueue:
		h.letters[deadletter.SinkOf(header)] += header.Count
	default:
		h.fresh += header.Count
	}
}

// carry enters the events that were in flight when the books were begun, if that is known.
func (b *books) carry(atStart *held) {
	if atStart == nil {
		return
	}
	for name := range maps.Keys(b.Sinks) {
		s := b.Sinks[name]
		s.Carried = atStart.inFlight[name]
		s.InFlight += s.Carried
		b.Sinks[name] = s
	}
}

// settle enters what the queues hold into the books, and the difference. Without knowing what they hold, or held when the
// books were begun, nothing is compared: the difference would mean nothing.
func (b *books) settle(atStart, h *held) {
	if atStart == nil || h == nil {
		return
	}
	b.Counted, b.Fresh, b.Balanced = true, h.fresh, b.Ingest.Unaccounted == 0
	for name := range maps.Keys(b.Sinks) {
		s := b.Sinks[name]
		s.Held, s.Letters = h.inFlight[name], h.letters[name]
		s.Difference = s.InFlight - s.Held
		b.Balanced = b.Balanced && s.Difference == 0
		b.Sinks[name] = s
	}
}
