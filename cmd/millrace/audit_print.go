package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/millrace-dev/millrace/internal/audit"
)

// newline ends a line.
func newline() io.Reader { return strings.NewReader("\n") }

// printAudit tells people: what was compared, how each sink stands, and which events are not where they should be.
func printAudit(c *console, r *auditReport) {
	c.print("accepted %s%s", plural(r.Journal.Events, "event"), span(r.Journal.From, r.Journal.To))
	for _, line := range auditRemarks(r) {
		c.print("%s", line)
	}
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0) //nolint:mnd // two spaces between columns
	_, _ = fmt.Fprintln(table, "\nSINK\tWANTED\tONCE\tDOUBLED\tIN FLIGHT\tDEAD\tGIVEN UP\tMISSING")
	for _, name := range slices.Sorted(maps.Keys(r.Sinks)) {
		s := r.Sinks[name]
		_, _ = fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n",
			name, s.Accepted, s.Delivered, s.Doubled, s.InFlight, s.DeadLettered, s.GivenUp, s.Missing)
	}
	_ = table.Flush() // what fails is the console, which nobody could be told of
	if len(r.Events) > 0 {
		printFindings(c, r)
	}
}

func span(from, to time.Time) string {
	if from.IsZero() {
		return ""
	}
	return fmt.Sprintf(" from %s to %s", moment(from), moment(to))
}

// auditRemarks tell what a reader must know to judge the numbers.
func auditRemarks(r *auditReport) []string {
	var lines []string
	remark := func(n int, format string) {
		if n > 0 {
			lines = append(lines, fmt.Sprintf(format, n))
		}
	}
	remark(r.Journal.Unrouted, "%d of them are for no sink: no route wants them")
	remark(r.Journal.Unreadable, "%d lines of the journal cannot be read, as a crash leaves them: their events are not compared")
	remark(r.Journal.Removed, "%d files of the journal were removed meanwhile, to make room for newer ones: events in them are not compared, "+
		"and those of which they said that they were given up look missing")
	remark(r.QueueHidden, "%d packs on the main queue cannot be looked into: their events look missing until they are delivered")
	for _, name := range slices.Sorted(maps.Keys(r.Sinks)) {
		remark(r.Sinks[name].Unlisted, name+" has %d events that the journal does not list")
		remark(r.Sinks[name].Unreadable, name+" has %d lines that tell no event")
		remark(r.Sinks[name].Resent, name+" has %d of the doubled events because they were sent as often")
	}
	for _, name := range slices.Sorted(maps.Keys(r.NotCompared)) {
		lines = append(lines, name+" was not compared: "+r.NotCompared[name])
	}
	return lines
}

func printFindings(c *console, r *auditReport) {
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0) //nolint:mnd // two spaces between columns
	_, _ = fmt.Fprintln(table, "\nVERDICT\tSINK\tTENANT\tSOURCE\tID\tACCEPTED\tLAST KNOWN")
	for i := range r.Events {
		f := &r.Events[i]
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			strings.ReplaceAll(string(f.Verdict), "_", " "), f.Sink, f.Tenant, oneLine(f.Source), oneLine(f.ID),
			moment(f.AcceptedAt), lastKnown(f))
	}
	_ = table.Flush()
	if r.More > 0 {
		c.print("and %d more: raise --limit", r.More)
	}
}

// lastKnown tells where an event is, or what became of it.
func lastKnown(f *audit.Finding) string {
	if f.Alike {
		return whereabouts(f) + "; it, or another event with this id: the sink tells no tenant and source"
	}
	return whereabouts(f)
}

func whereabouts(f *audit.Finding) string {
	switch f.Place.Where {
	case audit.Nowhere:
		return "on no queue and not at the sink"
	case audit.Deduped:
		return "recognised as delivered before"
	case audit.Rejected:
		return "refused by the sink, and not kept as dead_letters says"
	case audit.Dropped:
		return "dropped, because the sink is best effort (fail_open)"
	case audit.AtSink:
		return fmt.Sprintf("at the sink %s, accepted %s", plural(f.Delivered, "time"), plural(f.Accepted, "time"))
	case audit.MainQueue, audit.DeadLetters:
	}
	return onQueue(&f.Place)
}

// onQueue tells on which queue an event is, in which pack, and why.
func onQueue(p *audit.Place) string {
	text := fmt.Sprintf("%s, pack %.12s", p.Where, p.Pack)
	if p.Class != "" {
		text += ", " + p.Class
	}
	if p.Status > 0 {
		text += fmt.Sprintf(" %d", p.Status)
	}
	if p.Cause != "" {
		text += ": " + oneLine(p.Cause)
	}
	return text
}

// imbalance says what is wrong in a few words.
func imbalance(r *auditReport) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(r.Sinks)) {
		if s := r.Sinks[name]; s.Missing+s.Doubled > 0 {
			parts = append(parts, fmt.Sprintf("%s lacks %d and has %d more than once", name, s.Missing, s.Doubled))
		}
	}
	return strings.Join(parts, ", ")
}
