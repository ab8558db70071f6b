package sinktest

import (
	"testing"

	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// perItem checks sinks whose destination answers for each event by itself.
func perItem(t *testing.T, h HTTP) {
	if h.PerItem == nil {
		return
	}
	const size = 20
	b := h.batch(0, size)
	all := make([]Item, size)
	for i := range all {
		all[i] = Item{ID: b.Events[i].ID, Status: 200}
	}
	with := func(at, status int) []Item {
		items := append([]Item(nil), all...)
		items[at].Status = status
		return items
	}
	cases := []struct {
		name  string
		reply Step
		at    int // the events from at up to until have another class than delivered
		until int
		class retry.Class
	}{
		{"all arrived", h.PerItem(all), 0, 0, ""},
		{"one of many is refused", h.PerItem(with(7, 400)), 7, 8, retry.Permanent},
		{"one of many is throttled", h.PerItem(with(7, 429)), 7, 8, retry.Throttled},
		{"one of many is to be tried again", h.PerItem(with(7, 503)), 7, 8, retry.Transient},
		{"fewer results than events", h.PerItem(all[:12]), 12, size, retry.Transient},
		{"results for events that were not sent", h.PerItem(append([]Item{{ID: "unknown", Status: 400}}, all[1:]...)), 0, 1, retry.Transient},
		{"a body that cannot be read", Step{Status: 200, Fault: ResetInBody}, 0, 0, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, s := h.start(t, Loopback, c.reply)
			result, err := s.Send(t.Context(), b)
			if err != nil {
				t.Fatalf("Send: %v", err)
			}
			checkLength(t, &b, result)
			for i := range b.Events {
				class := retry.Class("")
				if i >= c.at && i < c.until {
					class = c.class
				}
				o := result.Of(i)
				want(t, b.Events[i].ID, o, class)
				if o.Verdict != sink.Delivered {
					checkOutcome(t, o)
				}
			}
		})
	}
}
