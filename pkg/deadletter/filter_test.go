package deadletter_test

import (
	"testing"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// refused is what a sink did not take.
func refused() batch.Header {
	return batch.Header{
		Version: 1, ID: "a", Tenant: "acme", Receiver: "posthog", Kinds: []string{"event", "log"}, Count: 3,
		First: noon.Add(-2 * time.Hour), Last: noon.Add(-time.Hour), Sink: "warehouse", Attempt: 4,
		Reason: &batch.Reason{
			Class: "transient", Stop: "attempts", Status: 503, Cause: "away", Attempts: 4, First: noon.Add(-time.Minute), Last: noon,
		},
	}
}

// crashed is what SQS moved by itself: it has no reason and no sink.
func crashed() batch.Header {
	h := refused()
	h.Sink, h.Attempt, h.Reason = "", 0, nil
	return h
}

// crashedResidue was on its way to a sink when the flush crashed.
func crashedResidue() batch.Header {
	h := refused()
	h.Reason.Stop = ""
	return h
}

func TestFilter_Match(t *testing.T) {
	t.Parallel()
	type filter = deadletter.Filter
	for _, row := range []struct {
		name   string
		filter filter
		header func() batch.Header
		want   bool
	}{
		{"the zero filter means every refused letter", filter{}, refused, true},
		{"the zero filter means every crashed letter", filter{}, crashed, true},
		{"its sink", filter{Sink: "warehouse"}, refused, true},
		{"another sink", filter{Sink: "archive"}, refused, false},
		{"a part of its sink's name", filter{Sink: "ware"}, refused, false},
		{"all sinks is not a sink", filter{Sink: deadletter.AllSinks}, refused, false},
		{"all sinks means letters that name none", filter{Sink: deadletter.AllSinks}, crashed, true},
		{"a sink does not mean letters that name none", filter{Sink: "warehouse"}, crashed, false},
		{"a crashed residue names its sink", filter{Sink: "warehouse"}, crashedResidue, true},
		{"its tenant", filter{Tenant: "acme"}, refused, true},
		{"another tenant", filter{Tenant: "acme2"}, refused, false},
		{"its receiver", filter{Receiver: "posthog"}, refused, true},
		{"another receiver", filter{Receiver: "generic"}, refused, false},
		{"one of its kinds", filter{Kind: "log"}, refused, true},
		{"a kind it has not", filter{Kind: "span"}, refused, false},
		{"its kinds as a report writes them are no kind", filter{Kind: "event,log"}, refused, false},
		{"its class", filter{Class: "transient"}, refused, true},
		{"another class", filter{Class: "permanent"}, refused, false},
		{"crashed is not the class of a refused letter", filter{Class: "crashed"}, refused, false},
		{"crashed means letters without a reason", filter{Class: "crashed"}, crashed, true},
		{"crashed means residues whose flush crashed", filter{Class: "crashed"}, crashedResidue, true},
		{"and not the class of the try before the crash", filter{Class: "transient"}, crashedResidue, false},
		{"its status", filter{Status: 503}, refused, true},
		{"another status", filter{Status: 500}, refused, false},
		{"a status does not mean letters without a reason", filter{Status: 503}, crashed, false},
		{"since its latest failure", filter{Since: noon}, refused, true},
		{"since a moment later", filter{Since: noon.Add(1)}, refused, false},
		{"until its latest failure leaves it out", filter{Until: noon}, refused, false},
		{"until a moment later", filter{Until: noon.Add(1)}, refused, true},
		{"a moment in another zone", filter{Since: noon.In(time.FixedZone("x", 3600)), Until: noon.Add(1).In(time.FixedZone("y", -3600))}, refused, true},
		{"without a reason its acceptance counts", filter{Since: noon.Add(-time.Hour), Until: noon.Add(-time.Hour + 1)}, crashed, true},
		{"without a reason nothing later counts", filter{Since: noon}, crashed, false},
		{
			"everything fits",
			filter{"warehouse", "acme", "posthog", "event", "transient", 503, noon.Add(-time.Hour), noon.Add(time.Hour)}, refused, true,
		},
		{"all but one fits", filter{Sink: "warehouse", Tenant: "acme", Class: "transient", Status: 500}, refused, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			h := row.header()
			if got := row.filter.Match(&h); got != row.want {
				t.Errorf("Match is %v, want %v", got, row.want)
			}
		})
	}
}

func TestLetter_Words(t *testing.T) {
	t.Parallel()
	ingest := func() batch.Header {
		h := crashed()
		h.Reason = &batch.Reason{Class: "permanent", Stop: deadletter.StopRefused, First: noon, Last: noon}
		return h
	}
	unreadable := func() batch.Header {
		h := ingest()
		h.Reason.Stop = deadletter.StopUnreadable
		return h
	}
	for _, row := range []struct {
		name        string
		header      func() batch.Header
		sink, class string
		failedAt    time.Time
		native      bool
		replayable  bool
	}{
		{"refused by a sink", refused, "warehouse", "transient", noon, false, true},
		{"moved by SQS", crashed, "*", "crashed", noon.Add(-time.Hour), true, true},
		{"moved by SQS on its way to a sink", crashedResidue, "warehouse", "crashed", noon, true, true},
		{"refused at ingest", ingest, "*", "permanent", noon, false, false},
		{"unreadable", unreadable, "*", "permanent", noon, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			h := row.header()
			if got := deadletter.SinkOf(&h); got != row.sink {
				t.Errorf("SinkOf is %q, want %q", got, row.sink)
			}
			if got := deadletter.ClassOf(&h); got != row.class {
				t.Errorf("ClassOf is %q, want %q", got, row.class)
			}
			if got := deadletter.FailedAt(&h); !got.Equal(row.failedAt) {
				t.Errorf("FailedAt is %v, want %v", got, row.failedAt)
			}
			if got := deadletter.Native(&h); got != row.native {
				t.Errorf("Native is %v, want %v", got, row.native)
			}
			if got := deadletter.Replayable(&h); got != row.replayable {
				t.Errorf("Replayable is %v, want %v", got, row.replayable)
			}
		})
	}
}
