package esm

import (
	"slices"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/esm/pattern"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

const (
	// pollWait is the long poll of an idle mapping, and receiveSize the most messages of one receive, both as on AWS.
	pollWait    = 20 * time.Second
	receiveSize = 10
	// errorPause keeps a mapping whose queue cannot be read from spinning.
	errorPause = time.Second
)

// poll is the life of one poller: take the turn, gather a batch, pass the turn on, deliver. As long as the function is throttled
// the turn rests, so that no message waits in flight for an invocation that cannot begin.
func (m *Mapping) poll() {
	for {
		carried := <-m.turn
		for m.throttled.Load() > 0 && m.life.Sleep(firstBackoff) {
		}
		b, rest := m.gather(carried)
		m.turn <- rest
		if len(b.records) > 0 {
			m.deliver(b)
		} else if m.life.Open.Err() != nil {
			return
		}
	}
}

// gather begins with the carried records and receives until the batch is to go or nothing comes. It returns the batch, and the
// records that did not fit any more.
func (m *Mapping) gather(carried []record) (b batch, rest []record) {
	rest = b.fill(carried)
	for len(rest) == 0 {
		wait := m.patience(b)
		if wait <= 0 {
			break
		}
		messages, err := m.queue.Receive(m.life.Open, m.options.Queue, sqs.ReceiveInput{
			MaxMessages: min(m.options.BatchSize-len(b.records), receiveSize), Wait: wait,
		})
		if err != nil {
			m.pause(err)
			break
		}
		if len(messages) == 0 && len(b.records) == 0 {
			break
		}
		rest = b.fill(m.filter(messages))
	}
	return b, rest
}

// patience says how long a batch waits for more: not at all when it is full or the mapping stops, else until its window has passed
// since the first message.
func (m *Mapping) patience(b batch) time.Duration {
	switch {
	case len(b.records) >= m.options.BatchSize || m.life.Open.Err() != nil:
		return 0
	case len(b.records) == 0:
		return pollWait
	default:
		return min(time.Until(b.records[0].received.Add(m.options.Window)), pollWait)
	}
}

// filter makes records of the messages that a filter matches, and deletes the others.
func (m *Mapping) filter(messages []sqs.Message) []record {
	var passed []record
	var dropped []string
	for _, message := range messages {
		matches := func(p pattern.Pattern) bool { return p.Matches(message.Body) }
		if len(m.filters) == 0 || slices.ContainsFunc(m.filters, matches) {
			passed = append(passed, newRecord(message, m.options))
		} else {
			dropped = append(dropped, message.ReceiptHandle)
		}
	}
	m.delete(dropped)
	return passed
}

// pause reports a queue that cannot be read and waits a moment, unless the reason is that the mapping stops.
func (m *Mapping) pause(cause error) {
	if m.life.Open.Err() == nil {
		m.options.Logger.Error("receive", "error", cause)
		m.life.Sleep(errorPause)
	}
}
