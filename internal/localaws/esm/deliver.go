package esm

import (
	"context"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

const (
	firstBackoff = 250 * time.Millisecond
	maxBackoff   = 20 * time.Second
)

// deliver invokes the function with a batch and deletes what it has done with.
func (m *Mapping) deliver(b *batch) {
	result, err := m.invokeUntilTaken(b)
	m.batches.Add(1)
	m.messages.Add(int64(b.len()))
	if err != nil {
		m.give(b, "not invoked", err.Error())
		return
	}
	if result.Failed() {
		m.give(b, "function failed", string(result.Payload))
		return
	}
	failed, err := m.failures(result.Payload, b)
	if err != nil {
		m.give(b, "whole batch failed", err.Error())
		return
	}
	done := make([]string, 0, b.len())
	for id, handle := range b.handles {
		if _, isFailed := failed[id]; !isFailed {
			done = append(done, handle)
		}
	}
	m.failed.Add(int64(len(failed)))
	if len(failed) > 0 {
		m.options.Logger.Info("partial batch failure", "queue", m.options.Queue, "failed", len(failed), "messages", b.len())
	}
	m.deleted.Add(m.delete(done))
}

// failures reads the response when the mapping asks for it.
func (m *Mapping) failures(response []byte, b *batch) (map[string]struct{}, error) {
	if !m.options.ReportBatchItemFailures {
		return map[string]struct{}{}, nil
	}
	return Read(response, func(id string) bool { _, ok := b.handles[id]; return ok })
}

// give leaves a batch to its visibility timeout.
func (m *Mapping) give(b *batch, what, why string) {
	m.failed.Add(int64(b.len()))
	m.options.Logger.Warn("batch comes back", "queue", m.options.Queue, "messages", b.len(), "what", what, "why", why)
}

// delete removes messages and returns how many. It goes on when Stop runs out of patience: the function has done its work, and
// asking takes no time.
func (m *Mapping) delete(handles []string) int64 {
	if len(handles) == 0 {
		return 0
	}
	if err := m.queue.Delete(context.WithoutCancel(m.invoking), m.options.Queue, handles); err != nil {
		m.options.Logger.Error("delete", "queue", m.options.Queue, "error", err)
		return 0
	}
	return int64(len(handles))
}

// invokeUntilTaken invokes the function and, while that is refused, tries again with growing pauses for as long as the messages
// stay hidden. Meanwhile nothing more is received, so a throttled function costs each message one receive per visibility timeout.
func (m *Mapping) invokeUntilTaken(b *batch) (lambda.Result, error) {
	payload := b.event()
	result, err := m.invoke(m.invoking, payload)
	if err == nil {
		return result, nil
	}
	m.throttle.shut()
	defer m.throttle.open()
	for tries := 1; err != nil && m.invoking.Err() == nil; tries++ {
		m.throttles.Add(1)
		wait, again := nextTry(tries, time.Since(b.received), m.options.Visibility)
		if !again || !sleep(m.collecting, wait) {
			return lambda.Result{}, err
		}
		result, err = m.invoke(m.invoking, payload)
	}
	return result, err
}

// nextTry decides how long to wait after a refused invocation, and whether the messages stay hidden that long.
func nextTry(tries int, since, visibility time.Duration) (wait time.Duration, again bool) {
	wait = min(firstBackoff<<min(tries-1, 10), maxBackoff)
	return wait, since+wait < visibility
}
