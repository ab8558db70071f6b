package replay

import (
	"cmp"
	"slices"
	"strings"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
)

// Report says what a run did, or, of a dry run, would do.
type Report struct {
	DryRun bool `json:"dry_run"`
	// Scanned letters were looked at; Replayed is how many of them were (or would be)
	// sent again, and Events how many events those hold.
	Scanned  int `json:"scanned"`
	Replayed int `json:"replayed"`
	Events   int `json:"events"`
	// Counts breaks Replayed down.
	Counts []Count `json:"counts"`
	// Left says how many letters stay, by why.
	Left map[string]int `json:"left,omitempty"`
	// More says that the deadline, the limit or SQS's bound on messages in flight came
	// before the end of the queue: run again to go on.
	More bool `json:"more"`
}

// Count is one line of a breakdown.
type Count struct {
	Sink    string `json:"sink"`
	Class   string `json:"class"`
	Kind    string `json:"kind"` // several joined by commas
	Letters int    `json:"letters"`
	Events  int    `json:"events"`
}

// add counts a letter under its sink, class and kinds.
func (r *Report) add(h *batch.Header) {
	r.Replayed++
	r.Events += h.Count
	r.tally(Count{
		Sink: deadletter.SinkOf(h), Class: deadletter.ClassOf(h), Kind: strings.Join(h.Kinds, ","), Letters: 1, Events: h.Count,
	})
}

// tally adds to the line of the same sink, class and kinds.
func (r *Report) tally(c Count) {
	at := slices.IndexFunc(r.Counts, func(k Count) bool {
		return k.Sink == c.Sink && k.Class == c.Class && k.Kind == c.Kind
	})
	if at < 0 {
		r.Counts = append(r.Counts, c)
		return
	}
	r.Counts[at].Letters += c.Letters
	r.Counts[at].Events += c.Events
}

func (r *Report) leave(why string, letters int) {
	if r.Left == nil {
		r.Left = make(map[string]int)
	}
	r.Left[why] += letters
}

func (r *Report) sort() {
	slices.SortFunc(r.Counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Sink, b.Sink), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Kind, b.Kind))
	})
}

// Merge adds the figures of a later run to those of an earlier one, for a caller that
// runs until nothing is More.
func (r *Report) Merge(later Report) {
	r.Scanned += later.Scanned
	r.Replayed += later.Replayed
	r.Events += later.Events
	r.More = later.More
	for why, letters := range later.Left {
		r.leave(why, letters)
	}
	for _, c := range later.Counts {
		r.tally(c)
	}
	r.sort()
}
