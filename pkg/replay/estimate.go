package replay

import (
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/queue"
)

const (
	// dollarsPerMillionRequests is the list price of a standard queue, us-east-1, above
	// the free tier. Source: Amazon SQS pricing, read 2026-09-20.
	dollarsPerMillionRequests = 0.40
	// callTime is what one call of SQS takes from a function in the same region. Source:
	// our assumption; SQS promises nothing, and tens of milliseconds are usual.
	callTime = 20 * time.Millisecond

	million = 1_000_000
)

// Estimate is what the real run would take after a dry run.
type Estimate struct {
	// Seconds the run takes: that of its calls one after the other, or of its rate when
	// that is slower.
	Seconds float64 `json:"seconds"`
	// USD is what SQS bills for it by its list price: receiving all letters, sending and
	// deleting those that are meant, putting back the others. The delivery that follows is
	// not in it, nor is the function's time (about $0.003 for 15 minutes with 256 MB).
	USD float64 `json:"usd"`
}

// bill counts what a real run would ask of SQS.
type bill struct {
	calls    int
	requests int // as billed: a call counts once for each 64 KiB of its payload, or part of it
}

func (b *bill) call(payloadBytes int) {
	b.calls++
	b.requests += max(1, (payloadBytes+batch.BillingChunkBytes-1)/batch.BillingChunkBytes)
}

// receive counts a receive of these letters.
func (b *bill) receive(letters []queue.Received) {
	bytes := 0
	for i := range letters {
		bytes += len(letters[i].Body) + len(letters[i].Events)
	}
	b.call(bytes)
}

// send counts sending and deleting what was chosen of one receive.
func (b *bill) send(chosen []choice) {
	if len(chosen) == 0 {
		return
	}
	var main, letters int
	for i := range chosen {
		main += size(chosen[i].send)
		letters += size(chosen[i].rest)
	}
	b.call(main)
	if letters > 0 {
		b.call(letters)
	}
	b.call(0) // the delete
}

func size(messages []batch.Message) int {
	bytes := 0
	for i := range messages {
		bytes += messages[i].Bytes()
	}
	return bytes
}

// putBack counts making letters visible again, ten at a time.
func (b *bill) putBack(letters int) {
	for ; letters > 0; letters -= queue.MaxEntries {
		b.call(0)
	}
}

// estimate turns the counts into time and money, for events sent at a rate; 0 is no rate.
func (b *bill) estimate(events int, rate float64) *Estimate {
	seconds := (time.Duration(b.calls) * callTime).Seconds()
	if rate > 0 {
		seconds = max(seconds, float64(events)/rate)
	}
	return &Estimate{Seconds: seconds, USD: float64(b.requests) * dollarsPerMillionRequests / million}
}
