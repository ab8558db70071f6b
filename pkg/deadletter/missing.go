package deadletter

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/batch"
)

// Missing is the letter of a checked-in pack whose events cannot be had, with the reason
// why. Its header stays as it is, with the claim: where the bucket keeps versions, somebody
// may restore the object and replay the letter.
func Missing(h batch.Header, why error, now time.Time) (batch.Message, error) {
	reason := &batch.Reason{
		Class: "permanent", Stop: StopMissing, Cause: Cause(why.Error()), Attempts: h.Attempt, First: now.UTC(), Last: now.UTC(),
	}
	if h.Attempt > 0 && h.Reason != nil {
		reason.First = h.Reason.First
	}
	h.Reason, h.NotBefore = reason, time.Time{}
	body, err := json.Marshal(&h)
	if err != nil {
		return batch.Message{}, fmt.Errorf("encode letter: %w", err)
	}
	return batch.Message{Header: h, Body: string(body)}, nil
}
