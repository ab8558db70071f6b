package esm

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

const (
	firstBackoff = 250 * time.Millisecond
	maxBackoff   = 20 * time.Second
)

// deliver invokes the function with a batch and deletes what it has done with. The rest is left to its visibility timeout.
func (m *Mapping) deliver(b batch) {
	m.inFlight.Add(1)
	defer m.inFlight.Add(-1)
	handles := make(map[string]string, len(b.records))
	for _, r := range b.records {
		handles[r.id] = r.handle
	}
	failed, err := m.process(b, handles)
	if err != nil {
		m.options.Logger.Warn("batch comes back", "messages", len(handles), "error", err)
		return
	}
	if len(failed) > 0 {
		m.options.Logger.Info("partial batch failure", "failed", len(failed), "messages", len(handles))
	}
	maps.DeleteFunc(handles, func(id, _ string) bool { return failed[id] })
	m.delete(slices.Collect(maps.Values(handles)))
}

// process returns the ids of the messages that failed, or why the whole batch did.
func (m *Mapping) process(b batch, handles map[string]string) (map[string]bool, error) {
	result, err := m.invokeUntilTaken(b)
	switch {
	case err != nil:
		return nil, fmt.Errorf("not invoked: %w", err)
	case result.Failed():
		return nil, fmt.Errorf("function failed: %s", result.Payload)
	case !m.options.ReportBatchItemFailures:
		return map[string]bool{}, nil
	default:
		return Read(result.Payload, handles)
	}
}

// invokeUntilTaken invokes the function and, while that is refused, tries again with growing pauses for as long as the messages
// stay hidden. Meanwhile nothing more is received, so a throttled function costs each message one receive per visibility timeout.
func (m *Mapping) invokeUntilTaken(b batch) (lambda.Result, error) {
	payload, visible := b.event(), b.records[0].received.Add(m.options.Visibility)
	result, err := m.invoke(m.life.Uncut, payload)
	if err != nil {
		m.throttled.Add(1)
		defer m.throttled.Add(-1)
	}
	for wait := firstBackoff; err != nil && time.Until(visible) > wait && m.life.Sleep(wait); wait = min(2*wait, maxBackoff) {
		result, err = m.invoke(m.life.Uncut, payload)
	}
	return result, err
}

// delete removes messages. It goes on when Stop runs out of patience: the function has done its work, and asking takes no time.
func (m *Mapping) delete(handles []string) {
	if len(handles) == 0 {
		return
	}
	if err := m.queue.Delete(context.WithoutCancel(m.life.Uncut), m.options.Queue, handles); err != nil {
		m.options.Logger.Error("delete", "error", err)
	}
}
