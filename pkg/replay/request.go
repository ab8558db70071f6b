package replay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
)

// ToFront is the target that sends letters through the routes again, to every sink.
const ToFront = "front"

// DefaultMaxGeneration is how often a letter is replayed before it needs a person to
// look at it first.
const DefaultMaxGeneration = 5

// DefaultHide is how much longer than a run what it has looked at stays hidden.
const DefaultHide = 5 * time.Minute

// Bounds of a request.
const (
	// maxRequestBytes bounds a request; Lambda would pass on 6 MB.
	maxRequestBytes = 64 << 10
	// maxByBytes keeps the audit line short.
	maxByBytes = 256
	// maxContinuations is how often a run may invoke the function again. Lambda itself
	// stops a function that invokes itself at about the 16th time in a row (Lambda
	// developer guide, "Use Lambda recursive loop detection"); this ends before that.
	maxContinuations = 12
)

// Request says what to replay, and where. The zero Request replays every letter to the
// sink that did not take it.
type Request struct {
	// Filter says which letters are meant.
	deadletter.Filter
	// Type is a pattern for the types of events, in which * stands for any text, as in
	// routes. Of a letter that fits only in part, the rest stays as a letter of its own.
	Type string `json:"type,omitempty"`
	// To is where to send them: empty for the sink each letter names, the name of
	// another sink, or ToFront.
	To string `json:"to,omitempty"`
	// Limit is the most letters to replay. 0 means all.
	Limit int `json:"limit,omitzero"`
	// DryRun only counts.
	DryRun bool `json:"dry_run,omitzero"`
	// MaxGeneration leaves letters that were replayed this often already. 0 means
	// DefaultMaxGeneration.
	MaxGeneration int `json:"max_generation,omitzero"`
	// Rate is the most events per second, on average. 0 means as fast as SQS takes them.
	// A letter is sent as a whole; the run then waits for as long as it is worth.
	Rate float64 `json:"rate,omitzero"`
	// Seconds after which the run ends with More, for a caller who shows progress by
	// asking again and again. 0 means shortly before the invocation's deadline.
	Seconds int `json:"seconds,omitzero"`
	// HideSeconds is how long what the run has looked at and left stays hidden after a
	// run that ends with More, and what it had in hand after one that was killed. 0 means
	// DefaultHide.
	HideSeconds int `json:"hide_seconds,omitzero"`
	// Continue makes a run that ends with More invoke the function again by itself, up
	// to 12 times in a row, without anybody waiting for it.
	Continue bool `json:"continue,omitzero"`
	// By is who asks, for the audit line. At most 256 bytes.
	By string `json:"by,omitempty"`

	// Run, Started and Continuation tie the invocations of one run together. Leave them
	// empty at first; to go on, take the first two from the last Report. Letters that
	// came after Started are not meant: what a sink that is still broken refuses again
	// must wait for the next run.
	Run          string    `json:"run,omitempty"`
	Started      time.Time `json:"started,omitzero"`
	Continuation int       `json:"continuation,omitzero"`
}

// parseRequest reads a request. An empty payload is the zero Request; a member that is
// not known is an error, so that a misspelt filter never replays everything.
func parseRequest(payload []byte) (Request, error) {
	var r Request
	if len(payload) == 0 {
		return r, nil
	}
	if len(payload) > maxRequestBytes {
		return r, fmt.Errorf("replay request: %d bytes, allowed are %d", len(payload), maxRequestBytes)
	}
	if err := json.Unmarshal(payload, &r, json.RejectUnknownMembers(true)); err != nil {
		return r, fmt.Errorf("replay request: %w", err)
	}
	return r, nil
}

// check refuses a request that names what does not exist or cannot be.
func (r *Request) check(sinks []string) error {
	if targets := append([]string{ToFront}, sinks...); r.To != "" && !slices.Contains(targets, r.To) {
		return fmt.Errorf("replay request: to: there is no sink %q; choose one of %s", r.To, strings.Join(targets, ", "))
	}
	if r.Limit < 0 || r.MaxGeneration < 0 || r.Seconds < 0 || r.HideSeconds < 0 || r.Continuation < 0 {
		return errors.New("replay request: limit, max_generation, seconds, hide_seconds and continuation must not be negative")
	}
	if !(r.Rate >= 0 && r.Rate <= maxRate) { // NaN is neither
		return fmt.Errorf("replay request: rate is %v, allowed are 0 to %d events a second", r.Rate, maxRate)
	}
	if len(r.By) > maxByBytes || len(r.Run) > maxByBytes {
		return fmt.Errorf("replay request: by and run may have %d bytes", maxByBytes)
	}
	if r.Continue && r.DryRun {
		return errors.New("replay request: a dry run tells who waits for it, it cannot continue by itself")
	}
	if !r.Since.IsZero() && !r.Until.IsZero() && !r.Since.Before(r.Until) {
		return fmt.Errorf("replay request: since %s is not before until %s", r.Since.Format(time.RFC3339), r.Until.Format(time.RFC3339))
	}
	return nil
}

// hide is how much longer than the run what it has looked at stays hidden.
func (r *Request) hide() time.Duration {
	if r.HideSeconds == 0 {
		return DefaultHide
	}
	return time.Duration(r.HideSeconds) * time.Second
}

// next is the request of the run that goes on after this report.
func (r *Request) next(report *Report) Request {
	after := *r
	after.Run, after.Started, after.Continuation = report.Run, report.Started, r.Continuation+1
	if r.Limit > 0 {
		after.Limit = r.Limit - report.Replayed
	}
	return after
}

// target returns the sink of a letter's next pack, empty for the front.
func (r *Request) target(h *batch.Header) string {
	switch r.To {
	case "":
		return h.Sink
	case ToFront:
		return ""
	}
	return r.To
}

// Why a letter that was looked at stays where it is.
const (
	leftNoMatch    = "no match"
	leftGeneration = "replayed too often" // see Request.MaxGeneration
	leftPerson     = "refused or unreadable: choose a target with to"
	leftUnknown    = "not a pack"
	leftNewer      = "written by a newer version"
	leftLater      = "came after the run began"
	leftCorrupt    = "events cannot be read"
	leftBucket     = "the bucket does not answer"
)

// leave says why a letter is not replayed, empty when it is.
func (r *Request) leave(h *batch.Header) string {
	generations := r.MaxGeneration
	if generations == 0 {
		generations = DefaultMaxGeneration
	}
	switch {
	case !r.Match(h):
		return leftNoMatch
	case h.Generation >= generations:
		return leftGeneration
	case r.To == "" && !deadletter.Replayable(h):
		return leftPerson
	}
	return ""
}
