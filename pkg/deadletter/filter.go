package deadletter

import (
	"slices"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
)

// Filter says which letters a person means. Fields that are set must all fit; the zero
// Filter fits every letter. It reads headers only.
type Filter struct {
	// Sink by name, or AllSinks for letters that name none.
	Sink     string `json:"sink,omitempty"`
	Tenant   string `json:"tenant,omitempty"`
	Receiver string `json:"receiver,omitempty"`
	// Kind fits a letter that holds at least one event of the kind.
	Kind string `json:"kind,omitempty"`
	// Class of the failure; ClassCrashed for letters that SQS moved by itself.
	Class string `json:"class,omitempty"`
	// Status the sink answered.
	Status int `json:"status,omitzero"`
	// Since and Until bound the time of the latest failure: from Since, before Until.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// Match says whether the letter with this header is meant.
func (f *Filter) Match(h *batch.Header) bool {
	return fits(f.Sink, SinkOf(h)) &&
		fits(f.Tenant, h.Tenant) &&
		fits(f.Receiver, h.Receiver) &&
		(f.Kind == "" || slices.Contains(h.Kinds, f.Kind)) &&
		fits(f.Class, ClassOf(h)) &&
		(f.Status == 0 || (h.Reason != nil && f.Status == h.Reason.Status)) &&
		f.matchTime(FailedAt(h))
}

func fits(want, got string) bool { return want == "" || want == got }

func (f *Filter) matchTime(t time.Time) bool {
	return (f.Since.IsZero() || !t.Before(f.Since)) && (f.Until.IsZero() || t.Before(f.Until))
}

// FailedAt is the time of a letter's latest failure; of a letter without a reason, the
// latest time that is known of it, when its events were accepted.
func FailedAt(h *batch.Header) time.Time {
	if h.Reason == nil {
		return h.Last
	}
	return h.Reason.Last
}
