package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
)

type dlqShowCommand struct {
	dlqFlags
	ID     string `arg:"" help:"Id of the letter as 'millrace dlq ls' prints it, or its beginning."`
	Events bool   `help:"Also print the events, their original bytes, one a line."`
	JSON   bool   `help:"Print one JSON object; with --events it holds them."`
}

// Help shows how to use it.
func (dlqShowCommand) Help() string {
	return `Says what happened to a dead letter, when, and what can be done. The letter stays where it is.

    millrace dlq show 5f1c2a
    millrace dlq show 5f1c2a --events > events.ndjson`
}

// Run tells of one letter.
func (d *dlqShowCommand) Run(ctx context.Context, c *console) error {
	source, err := d.open(ctx)
	if err != nil {
		return d.hint(err)
	}
	var found *letter
	err = look(ctx, source, deadletter.Filter{}, func(l letter) bool {
		if strings.HasPrefix(l.id(), d.ID) {
			found = &l
		}
		return found == nil
	})
	switch {
	case err != nil:
		return d.hint(err)
	case found == nil:
		return fmt.Errorf("no dead letter has an id that begins with %q; millrace dlq ls lists them", d.ID)
	}
	return d.print(ctx, c, found)
}

func (d *dlqShowCommand) print(ctx context.Context, c *console, l *letter) error {
	var events []jsontext.Value
	if d.Events {
		if err := fetch(ctx, &letterBucket{flags: d.dlqFlags}, l); err != nil {
			return d.hint(err)
		}
		var err error
		if events, err = eventsOf(l); err != nil {
			return err
		}
	}
	if d.JSON {
		return c.printJSON(struct {
			letterLine
			Data []jsontext.Value `json:"data,omitempty"`
		}{lineOf(l), events})
	}
	c.print("%s", story(l))
	for _, e := range events {
		c.print("%s", e)
	}
	return nil
}

func eventsOf(l *letter) ([]jsontext.Value, error) {
	if l.trouble != nil {
		return nil, fmt.Errorf("letter %s: %w", l.id(), l.trouble)
	}
	decoded, err := batch.DecodeEvents(&l.header, l.message.Events)
	if err != nil {
		return nil, fmt.Errorf("letter %s: %w", l.id(), err)
	}
	events := make([]jsontext.Value, len(decoded))
	for i := range decoded {
		events[i] = decoded[i].Data
	}
	return events, nil
}

// story tells a letter's fate in words.
func story(l *letter) string {
	if l.trouble != nil {
		return fmt.Sprintf("Message %s is no pack that this Millrace reads: %v.\nIt stays here until a person removes it: "+
			"millrace dlq discard --id %s", l.id(), l.trouble, l.id())
	}
	h := &l.header
	lines := []string{
		fmt.Sprintf("Letter %s holds %s of tenant %s, received by %s%s.", l.id(), plural(h.Count, "event"), h.Tenant, h.Receiver, between(h.First, h.Last)),
		failureOf(h),
	}
	if h.Claim != "" {
		lines = append(lines, "Its events are too large for the queue: they are in the bucket, as "+h.Claim+".")
	}
	if h.Generation > 0 {
		lines = append(lines, fmt.Sprintf("It was replayed %s before.", plural(h.Generation, "time")))
	}
	if h.Trace != "" {
		lines = append(lines, "Trace: "+h.Trace)
	}
	return strings.Join(append(lines, nextStep(h)), "\n")
}

func failureOf(h *batch.Header) string {
	r := h.Reason
	if deadletter.Native(h) {
		return "SQS moved it here by itself: the flush function crashed or ran out of time again and again while it had it.\n" +
			"Its log says more: functions write to .millrace/logs, or to CloudWatch on AWS.\n" + beforeTheCrash(h)
	}
	text := fmt.Sprintf("%s did not take it (%s)", refuser(h), r.Class)
	if r.Status != 0 {
		text += fmt.Sprintf(", the last answer was %d", r.Status)
	}
	if r.Cause != "" {
		text += ":\n    " + indented(r.Cause)
	}
	text += "\n"
	if r.Attempts > 0 {
		text += plural(r.Attempts, "attempt")
	} else {
		text += "It happened"
	}
	text += between(r.First, r.Last) + "."
	if r.Stop != "" {
		text += " Why it stopped: " + r.Stop + "."
	}
	return text
}

// refuser is who gave a letter up.
func refuser(h *batch.Header) string {
	switch {
	case h.Reason.Stop == deadletter.StopMissing:
		return "The flush"
	case h.Sink != "":
		return "Sink " + h.Sink
	}
	return "Ingest"
}

// beforeTheCrash tells what was known of a pack that SQS moved.
func beforeTheCrash(h *batch.Header) string {
	r := h.Reason
	if r == nil {
		return "No sink has refused it."
	}
	text := fmt.Sprintf("Sink %s was to be tried again: %s%s, %s", h.Sink, plural(r.Attempts, "attempt"), between(r.First, r.Last), r.Class)
	if r.Status != 0 {
		text += fmt.Sprintf(", the last answer was %d", r.Status)
	}
	if r.Cause != "" {
		text += ":\n    " + indented(r.Cause)
	}
	return text
}

func indented(text string) string {
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")
}

// nextStep says what a person can do.
func nextStep(h *batch.Header) string {
	switch {
	case !deadletter.Replayable(h):
		return "It cannot be sent as it is. Look at it with --events, send it somewhere with millrace replay --to, or remove it with " +
			"millrace dlq discard --id."
	case h.Reason != nil && h.Reason.Stop == deadletter.StopMissing:
		return "Restore the object, if the bucket keeps versions, then send it again with millrace replay; or remove it with " +
			"millrace dlq discard --id."
	case h.Sink == "":
		return "Send it again: millrace replay --sink '" + deadletter.AllSinks + "'"
	}
	return fmt.Sprintf("When %s is well again: millrace replay --sink %s --class %s", h.Sink, h.Sink, deadletter.ClassOf(h))
}

// between tells a stretch of time: " from … to …", or " at …" when it is a moment.
func between(first, last time.Time) string {
	switch {
	case last.IsZero():
		return ""
	case first.IsZero() || last.Sub(first) < time.Second:
		return " at " + moment(last)
	}
	return fmt.Sprintf(" from %s to %s", moment(first), moment(last))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
