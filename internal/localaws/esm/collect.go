package esm

import (
	"context"
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

// collect fills batches and hands each to a goroutine of its own. It takes the slot first and waits while the function is
// throttled, so that no message waits in flight for an invocation that cannot begin.
func (m *Mapping) collect() {
	carried := newBatch(m.options)
	for {
		if !m.takeSlot() || !m.throttle.wait(m.collecting.Done()) {
			break
		}
		full, next := m.gather(carried)
		carried = next
		if full.len() == 0 { // stopped, or nothing came
			<-m.slots
			continue
		}
		m.inFlight.Add(1)
		m.work.Go(func() {
			defer func() { <-m.slots }()
			defer m.inFlight.Add(-1)
			m.deliver(full)
		})
	}
	if carried.len() > 0 {
		m.deliver(carried)
	}
}

// takeSlot waits for a free slot; it reports false once the mapping stops.
func (m *Mapping) takeSlot() bool {
	if m.collecting.Err() != nil {
		return false
	}
	select {
	case m.slots <- struct{}{}:
		return true
	case <-m.collecting.Done():
		return false
	}
}

// gather receives until the batch is full by count or bytes, or its window has passed since the first message.
// It returns the batch and the beginning of the next one: the messages that did not fit any more.
func (m *Mapping) gather(current *batch) (full, next *batch) {
	next = newBatch(m.options)
	wait := pollWait
	var end time.Time
	for current.len() < m.options.BatchSize {
		if current.len() > 0 {
			if end.IsZero() {
				end = time.Now().Add(m.options.Window)
			}
			if wait = min(time.Until(end), pollWait); wait <= 0 {
				break
			}
		}
		messages, err := m.queue.Receive(m.collecting, m.options.Queue, sqs.ReceiveInput{
			MaxMessages: min(m.options.BatchSize-current.len(), receiveSize), Wait: wait,
		})
		if err != nil {
			m.pause(err)
			break
		}
		if current.len() == 0 && len(messages) == 0 {
			break
		}
		if rest := current.fill(m.filter(messages)); len(rest) > 0 {
			next.fill(rest)
			break
		}
	}
	return current, next
}

// filter deletes the messages that no filter matches and returns the others.
func (m *Mapping) filter(messages []sqs.Message) []sqs.Message {
	if len(m.filters) == 0 {
		return messages
	}
	var passed []sqs.Message
	var dropped []string
	for _, message := range messages {
		if slices.ContainsFunc(m.filters, func(p pattern.Pattern) bool { return p.Matches(message.Body) }) {
			passed = append(passed, message)
		} else {
			dropped = append(dropped, message.ReceiptHandle)
		}
	}
	m.filtered.Add(m.delete(dropped))
	return passed
}

// pause reports a queue that cannot be read and waits a moment, unless the reason is that the mapping stops.
func (m *Mapping) pause(cause error) {
	if m.collecting.Err() != nil {
		return
	}
	m.options.Logger.Error("receive", "queue", m.options.Queue, "error", cause)
	sleep(m.collecting, errorPause)
}

// sleep waits and reports whether ctx lasted.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
