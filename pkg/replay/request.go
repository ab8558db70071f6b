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

// Request says what to replay, and where. The zero Request replays every letter to the
// sink that did not take it.
type Request struct {
	// Filter says which letters are meant.
	deadletter.Filter
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
}

// maxRequestBytes bounds a request; Lambda would pass on 6 MB.
const maxRequestBytes = 64 << 10

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
	if r.Limit < 0 || r.MaxGeneration < 0 {
		return errors.New("replay request: limit and max_generation must not be negative")
	}
	if !r.Since.IsZero() && !r.Until.IsZero() && !r.Since.Before(r.Until) {
		return fmt.Errorf("replay request: since %s is not before until %s", r.Since.Format(time.RFC3339), r.Until.Format(time.RFC3339))
	}
	return nil
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
