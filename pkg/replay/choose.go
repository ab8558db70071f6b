package replay

import (
	"errors"
	"slices"
	"strings"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/processor/route"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// choice is a letter that is meant, and what becomes of it.
type choice struct {
	id    string // of the letter's message
	count Count
	// send are the packs for the main queue, nearly always one.
	send []batch.Message
	// rest are the letters of the events that are not meant: none, nearly always.
	rest []batch.Message
}

// chooser decides what becomes of each letter. It touches no queue.
type chooser struct {
	request *Request
	// types finds the events that are meant; nil when all of a letter's are.
	types *route.Router
}

func newChooser(request *Request) chooser {
	c := chooser{request: request}
	if request.Type != "" {
		// A rule of the real router, so that a pattern means here what it means in routes.
		c.types = route.New([]route.Rule{{Match: route.Match{Type: request.Type}, To: []string{"meant"}}})
	}
	return c
}

// meant says whether a letter is meant as far as its header tells, or why it stays.
func (c *chooser) meant(letter *queue.Received) (h batch.Header, why string) {
	h, err := batch.ParseHeader(letter.Body)
	switch {
	case errors.Is(err, batch.ErrNewerVersion):
		return h, leftNewer
	case err != nil:
		return h, leftUnknown
	case letter.Sent.After(c.request.Started):
		return h, leftLater
	}
	return h, c.request.leave(&h)
}

// needsEvents says whether the events of a letter that is meant have to be fetched first:
// to be put into the bucket anew, or to be looked at.
func (c *chooser) needsEvents(h *batch.Header) bool {
	return h.Claim != "" && (c.types != nil || !c.request.DryRun)
}

// choose returns what to send of a letter that is meant, or why it stays.
func (c *chooser) choose(h *batch.Header, letter *queue.Received) (chosen choice, why string) {
	var err error
	if c.types == nil {
		chosen, err = c.whole(h, letter.Events)
	} else {
		chosen, err = c.cut(h, letter.Events)
	}
	switch {
	case err != nil:
		return choice{}, leftCorrupt
	case len(chosen.send) == 0:
		return choice{}, leftNoMatch
	}
	chosen.id = letter.ID
	return chosen, ""
}

// whole sends a letter on without decoding it.
func (c *chooser) whole(h *batch.Header, events []byte) (choice, error) {
	m, err := batch.Readdress(*h, events, c.request.target(h))
	return choice{count: countOf(h, h.Kinds, h.Count), send: []batch.Message{m}}, err
}

// cut sends on what fits of a letter and keeps the rest with the story it has. Both sides
// get ids that follow from their events, so cutting the same letter twice gives the same
// packs.
func (c *chooser) cut(h *batch.Header, blob []byte) (choice, error) {
	events, err := batch.DecodeEvents(h, blob)
	if err != nil {
		return choice{}, err
	}
	meant, rest := c.part(events)
	switch {
	case len(meant) == 0:
		return choice{}, nil
	case len(rest) == 0:
		return c.whole(h, blob)
	}
	letters, err := batch.Encode(h.Meta(), meant)
	if err != nil {
		return choice{}, err
	}
	chosen := choice{send: make([]batch.Message, len(letters))}
	var kinds []string
	for i := range letters {
		kinds = append(kinds, letters[i].Header.Kinds...)
		if chosen.send[i], err = batch.Readdress(letters[i].Header, letters[i].Events, c.request.target(h)); err != nil {
			return choice{}, err
		}
	}
	slices.Sort(kinds)
	chosen.count = countOf(h, slices.Compact(kinds), len(meant))
	chosen.rest, err = batch.Encode(h.Meta(), rest)
	return chosen, err
}

func (c *chooser) part(events []event.Event) (meant, rest []event.Event) {
	for i := range events {
		if len(c.types.Sinks(&events[i])) > 0 {
			meant = append(meant, events[i])
		} else {
			rest = append(rest, events[i])
		}
	}
	return meant, rest
}

func countOf(h *batch.Header, kinds []string, events int) Count {
	return Count{
		Sink: deadletter.SinkOf(h), Class: deadletter.ClassOf(h), Kind: strings.Join(kinds, ","), Letters: 1, Events: events,
	}
}
