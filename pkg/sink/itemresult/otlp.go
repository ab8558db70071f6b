package itemresult

import (
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// readPartialSuccess reads
//
//	{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"…"}}
//
// The protocol forbids to send the batch again and does not say which items it means, so
// as many outcomes as it counts are sink.Untold, the first ones for want of better. Zero
// rejected with a message is a warning of no consequence.
func readPartialSuccess(r *reader, events int) (sink.Result, error) {
	var refused int
	var message string
	err := r.object(func(name string) error {
		if name != "partialSuccess" {
			return r.skip()
		}
		return r.object(func(name string) error {
			switch name {
			case "rejectedLogRecords", "rejectedSpans", "rejectedDataPoints", "rejectedProfiles":
				return r.whole(&refused)
			case "errorMessage":
				return r.text(&message)
			}
			return r.skip()
		})
	})
	if err == nil {
		err = r.end()
	}
	if refused <= 0 {
		return sink.Result{}, ignorable(err)
	}
	outcomes := make([]sink.Outcome, events)
	for i := range min(refused, events) {
		outcomes[i] = sink.Outcome{Verdict: sink.Untold, Class: retry.Permanent, Cause: causeOf(0, message)}
	}
	return sink.Result{Outcomes: outcomes}, ignorable(err)
}
