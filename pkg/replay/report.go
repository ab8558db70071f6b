package replay

import (
	"cmp"
	"slices"
	"time"
)

// Report says what a run did, or, of a dry run, would do.
type Report struct {
	DryRun bool `json:"dry_run"`
	// Scanned letters were looked at; Replayed is how many of them were (or would be)
	// sent again, and Events how many events those hold.
	Scanned  int `json:"scanned"`
	Replayed int `json:"replayed"`
	Events   int `json:"events"`
	// Bytes is the size of the packs that were (or would be) sent, as SQS bills them.
	Bytes int `json:"bytes"`
	// Split is how many of the replayed letters were meant only in part; the rest of each
	// stays as a letter of its own.
	Split int `json:"split,omitzero"`
	// Counts breaks Replayed down.
	Counts []Count `json:"counts"`
	// Left says how many letters stay, by why.
	Left map[string]int `json:"left,omitempty"`
	// More says that the deadline, the limit or SQS's bound on messages in flight came
	// before the end of the queue: run again to go on.
	More bool `json:"more"`
	// Continued says that the function goes on by itself.
	Continued bool `json:"continued,omitzero"`
	// Estimate is what the real run would take; dry runs only.
	Estimate *Estimate `json:"estimate,omitempty"`
	// Run and Started belong into the request that goes on; see Request.
	Run     string    `json:"run"`
	Started time.Time `json:"started"`
}

// Count is one line of a breakdown.
type Count struct {
	Sink    string `json:"sink"`
	Class   string `json:"class"`
	Kind    string `json:"kind"` // several joined by commas
	Letters int    `json:"letters"`
	Events  int    `json:"events"`
}

// add counts a letter that is replayed.
func (r *Report) add(c *choice) {
	r.Replayed++
	r.Events += c.count.Events
	for i := range c.send {
		r.Bytes += c.send[i].Bytes()
	}
	if len(c.rest) > 0 {
		r.Split++
	}
	r.tally(c.count)
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
	r.Bytes += later.Bytes
	r.Split += later.Split
	r.More, r.Continued = later.More, later.Continued
	r.Run, r.Started = later.Run, later.Started
	for why, letters := range later.Left {
		r.leave(why, letters)
	}
	for _, c := range later.Counts {
		r.tally(c)
	}
	r.sort()
}
