package flush

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/queue"
)

// Handler is the flush function: a lambda.Handler for SQS events of an event-source
// mapping with ReportBatchItemFailures, and for {"drain":true} of a schedule.
type Handler struct {
	Flusher *Flusher
	// Source is the queue that a drain empties, and that is told when messages of an SQS event
	// are to come back. Required.
	Source Source
	// Report runs at the end of each invocation, to write out its metrics. May be nil.
	Report func(ctx context.Context)
}

// response is what the event-source mapping reads. The list is never null: an empty
// one means that every message is settled.
type response struct {
	BatchItemFailures []itemFailure `json:"batchItemFailures"`
}

type itemFailure struct {
	ItemIdentifier string `json:"itemIdentifier"`
}

// Invoke handles one payload. An error fails the invocation, so that an event-source
// mapping keeps every message.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if h.Report != nil {
		defer h.Report(ctx)
	}
	in, err := parsePayload(payload)
	if err != nil {
		return nil, err
	}
	var reply any
	if in.drain {
		reply, err = h.Flusher.Drain(ctx, h.Source)
	} else {
		reply = answer(in.messages, h.Flusher.FlushFrom(ctx, h.Source, in.messages))
	}
	if err != nil {
		return nil, err
	}
	out, err := json.Marshal(reply)
	if err != nil {
		return nil, fmt.Errorf("encode reply: %w", err)
	}
	return out, nil
}

func answer(messages []queue.Received, back []int) response {
	r := response{BatchItemFailures: make([]itemFailure, 0, len(back))}
	for _, i := range back {
		r.BatchItemFailures = append(r.BatchItemFailures, itemFailure{ItemIdentifier: messages[i].ID})
	}
	return r
}
