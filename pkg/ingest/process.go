package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/processor/filter"
	patterns "github.com/millrace-dev/millrace/pkg/processor/route"
)

// processors are the steps between decoding and packing, in order.
type processors []*filter.Filter

func newProcessors(entries []config.Processor) (processors, error) {
	steps := make(processors, len(entries))
	var problems []error
	for i := range entries {
		entry := &entries[i].Filter
		matcher := patterns.NewMatcher(patterns.Match(entry.Match))
		var err error
		steps[i], err = filter.New(filter.Options{
			Match: matcher.Fits, Field: entry.KeepIf.Field, Equals: string(entry.KeepIf.Equals),
		})
		if err != nil {
			problems = append(problems, fmt.Errorf("processors[%d]: %w", i, err))
		}
	}
	return steps, errors.Join(problems...)
}

// run returns the events that go on, and how many were dropped for which cause. The events given
// stay as they are: the client is answered for all of them.
func (ps processors) run(events []event.Event) (kept []event.Event, dropped map[filter.Cause]int) {
	kept = events
	if len(ps) == 0 {
		return kept, nil
	}
	for i := range events {
		why := ps.drop(&events[i])
		switch {
		case why == filter.None && dropped == nil: // kept is still all of them
		case why == filter.None:
			kept = append(kept, events[i])
		case dropped == nil:
			dropped = map[filter.Cause]int{why: 1}
			kept = append(make([]event.Event, 0, len(events)-1), events[:i]...)
		default:
			dropped[why]++
		}
	}
	return kept, dropped
}

// drop says why the first step that drops an event does.
func (ps processors) drop(e *event.Event) filter.Cause {
	for _, step := range ps {
		if why := step.Drop(e); why != filter.None {
			return why
		}
	}
	return filter.None
}

// warnUnreadable tells of events that were dropped because their data cannot be read: receivers
// refuse such, so that one of them has a mistake.
func (h *Handler) warnUnreadable(ctx context.Context, s *shipment) {
	if n := s.dropped[filter.Unreadable]; n > 0 {
		h.options.Logger.LogAttrs(ctx, slog.LevelWarn, "events filtered because their data cannot be read",
			slog.String("receiver", s.receiver), slog.String("tenant", s.key.tenant), slog.Int("events", n))
	}
}
