package replay

import (
	"fmt"
	"slices"
	"strings"

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
	DryRun bool `json:"dry_run,omitempty"`
	// MaxGeneration leaves letters that were replayed this often already. 0 means
	// DefaultMaxGeneration.
	MaxGeneration int `json:"max_generation,omitzero"`
}

// parseRequest reads a request. An empty payload is the zero Request; a member that is
// not known is an error, so that a misspelt filter never replays everything.
func parseRequest(payload []byte) (Request, error) {
	var r Request
	if len(payload) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(payload, &r, json.RejectUnknownMembers(true)); err != nil {
		return r, fmt.Errorf("replay request: %w", err)
	}
	return r, nil
}

// check refuses a request that names what does not exist.
func (r *Request) check(sinks []string) error {
	if r.To != "" && r.To != ToFront && !slices.Contains(sinks, r.To) {
		return fmt.Errorf("replay request: to: no sink is named %q; choose %q or one of %s", r.To, ToFront, strings.Join(sinks, ", "))
	}
	if r.Limit < 0 || r.MaxGeneration < 0 {
		return fmt.Errorf("replay request: limit and max_generation must not be negative")
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
