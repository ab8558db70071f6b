package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/millrace-dev/millrace/pkg/deadletter"
)

type dlqLsCommand struct {
	dlqFlags
	letterFilter
	Limit int  `default:"100" help:"List at most this many."`
	JSON  bool `help:"Print one JSON object."`
}

// Help shows how to use it.
func (dlqLsCommand) Help() string {
	return `Reads the headers of dead letters and puts the letters back. Nothing is removed, but a letter is hidden from a
replay while the command looks.

    millrace dlq ls
    millrace dlq ls --sink warehouse --class permanent --since 1h
    millrace dlq ls --json | jq -r '.letters[].id'`
}

// letterLine is a dead letter as listed.
type letterLine struct {
	ID         string    `json:"id"`
	MessageID  string    `json:"message_id"`
	Sink       string    `json:"sink"`
	Class      string    `json:"class"`
	Status     int       `json:"status,omitzero"`
	Stop       string    `json:"stop,omitempty"`
	Cause      string    `json:"cause,omitempty"`
	Attempts   int       `json:"attempts"`
	Events     int       `json:"events"`
	Tenant     string    `json:"tenant"`
	Receiver   string    `json:"receiver"`
	Kinds      []string  `json:"kinds"`
	Generation int       `json:"generation"`
	First      time.Time `json:"first,omitzero"`
	Last       time.Time `json:"last,omitzero"`
	Sent       time.Time `json:"sent"`
	Trace      string    `json:"trace,omitempty"`
	Claim      string    `json:"claim,omitempty"` // where in the bucket the events are
}

func lineOf(l *letter) letterLine {
	line := letterLine{ID: l.id(), MessageID: l.message.ID, Kinds: []string{}, Sent: l.message.Sent}
	if l.trouble != nil {
		line.Sink, line.Class, line.Cause = deadletter.AllSinks, "unreadable", l.trouble.Error()
		return line
	}
	h := &l.header
	line.Sink, line.Class = deadletter.SinkOf(h), deadletter.ClassOf(h)
	line.Events, line.Tenant, line.Receiver, line.Kinds = h.Count, h.Tenant, h.Receiver, h.Kinds
	line.Generation, line.Trace, line.Claim = h.Generation, h.Trace, h.Claim
	if r := h.Reason; r != nil {
		line.Status, line.Stop, line.Cause, line.Attempts = r.Status, r.Stop, r.Cause, r.Attempts
		line.First, line.Last = r.First, r.Last
	}
	return line
}

// Run lists the letters.
func (d *dlqLsCommand) Run(ctx context.Context, c *console) error {
	if d.Limit < 1 {
		return usageError("dlq ls: --limit must be at least 1")
	}
	source, err := d.open(ctx)
	if err != nil {
		return d.hint(err)
	}
	lines, more := []letterLine{}, false
	err = look(ctx, source, d.filter(), func(l letter) bool {
		if more = len(lines) == d.Limit; !more {
			lines = append(lines, lineOf(&l))
		}
		return !more
	})
	if err != nil {
		return d.hint(err)
	}
	if d.JSON {
		return c.printJSON(struct {
			Letters []letterLine `json:"letters"`
			More    bool         `json:"more"`
		}{lines, more})
	}
	printLetters(c, lines, more)
	return nil
}

// maxListedText keeps what is listed on one line, in characters.
const maxListedText = 60

func printLetters(c *console, lines []letterLine, more bool) {
	if len(lines) == 0 {
		c.print("no dead letters")
		return
	}
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0) //nolint:mnd // two spaces between columns
	_, _ = fmt.Fprintln(table, "ID\tSINK\tCLASS\tSTATUS\tTRIES\tEVENTS\tTENANT\tLAST FAILURE\tCAUSE")
	for _, l := range lines {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n", l.ID, l.Sink, l.Class, orDash(l.Status), l.Attempts,
			l.Events, l.Tenant, moment(l.Last), oneLine(l.Cause))
	}
	_ = table.Flush() // what fails is the console, which nobody could be told of
	if more {
		c.print("there are more: raise --limit")
	}
}

func orDash(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}

// oneLine shortens a text to what fits a listing, without line breaks.
func oneLine(text string) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > maxListedText {
		return string(runes[:maxListedText-1]) + "…"
	}
	return string(runes)
}
