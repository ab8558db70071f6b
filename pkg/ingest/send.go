package ingest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/processor/filter"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/receiver"
)

// shipment is what one request puts on the queues.
type shipment struct {
	decoded  *receiver.Decoded
	events   []event.Event        // of decoded, without what processors dropped
	dropped  map[filter.Cause]int // how many, and why
	key      *key
	receiver string
	trace    string
	now      time.Time
}

// own gives the events their owner, and refuses those that the queue cannot carry.
func (h *Handler) own(d receiver.Decoded, k *key, receiverName string) receiver.Decoded {
	limit := h.options.MaxEventBytes
	kept := 0
	for i := range d.Events {
		e := &d.Events[i]
		e.Tenant, e.Receiver = k.tenant, receiverName
		if e.Source == "" {
			e.Source = k.name
		}
		if n := batch.EncodedSize(e) + len(e.Group); n > limit {
			d.Refused = append(d.Refused, receiver.Refusal{
				Position: d.Positions[i], ID: e.ID, Data: e.Data,
				Cause: fmt.Sprintf("event has %d bytes with its fields, over the limit of %d bytes for one event", n, limit),
			})
			continue
		}
		d.Events[kept], d.Positions[kept] = *e, d.Positions[i]
		kept++
	}
	d.Events, d.Positions = d.Events[:kept], d.Positions[:kept]
	return d
}

// send makes the shipment durable: first what was refused, then the events. If the
// second fails, the client sends all again, and the same dead letters come twice with
// the same pack ids; the other way round they could be lost.
func (h *Handler) send(ctx context.Context, s *shipment) error {
	if len(s.decoded.Events) == 0 {
		return nil // the reply refuses the whole request: the client knows
	}
	if s.decoded.Unreported && len(s.decoded.Refused) > 0 {
		letters, err := s.letters(h.options.MaxEventBytes)
		if err != nil {
			return err
		}
		if err := h.sendTo(ctx, h.options.DeadLetters, letters); err != nil {
			return err
		}
	}
	if len(s.events) == 0 {
		return nil
	}
	packs, err := batch.Encode(s.meta(), s.events)
	if err != nil {
		return fmt.Errorf("encode packs: %w", err)
	}
	return h.sendTo(ctx, h.options.Queue, packs)
}

func (s *shipment) meta() batch.Meta {
	return batch.Meta{Tenant: s.key.tenant, Receiver: s.receiver, First: s.now, Last: s.now, Trace: s.trace}
}

func (h *Handler) sendTo(ctx context.Context, q Sender, packs []batch.Message) error {
	messages := make([]queue.Outgoing, len(packs))
	for i := range packs {
		messages[i] = queue.Outgoing{Message: packs[i]}
	}
	if err := q.Send(ctx, messages...); err != nil {
		return &queueError{
			Refusal: receiver.Unavailable(h.options.RetryAfter, "the queue is not available: send the same request again later"),
			Err:     err,
		}
	}
	return nil
}

// queueError is trouble with the queue: Refusal is for the client, Err for the log.
type queueError struct {
	Refusal *receiver.Error
	Err     error
}

func (e *queueError) Error() string { return e.Err.Error() }

func (e *queueError) Unwrap() []error { return []error{e.Refusal, e.Err} }

// traceparentLen is the length of a W3C traceparent of version 00.
const traceparentLen = 55

// traceparent returns the request's, when it is one.
func traceparent(header http.Header) string {
	text := header.Get("Traceparent")
	if len(text) != traceparentLen || receiver.TraceID(text) == "" {
		return ""
	}
	return text
}
